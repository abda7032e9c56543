/** What the language server and the inference process say to each other over the process' IPC channel. */
import * as z from 'zod';
import type {
  CompletionOptions,
  CompletionRequest,
  CompletionResult,
  Suggested,
  ThoughtTrace,
  TokenChange,
} from '../completion/engine';
import { isRecord } from '../json';

export type { CompletionRequest, CompletionResult, Suggested, ThoughtTrace, TokenChange };

/** What an inference process is started for. */
export interface InferenceConfig {
  /** Absolute path of the bundle's folder. */
  readonly bundle: string;
  readonly device: string;
  /** Threads of one run; 0 = what suits the machine. */
  readonly threads: number;
}

export interface ModelInfo {
  name: string;
  version: string;
  /** Whether its decoder reads a thought; without one nothing is refined. */
  readsThought: boolean;
  /** Steps that pay with it. */
  defaultSteps: number;
  /** Whether it reads what follows in the cursor's line, and knows how sure it is of what it writes before that. */
  infills?: boolean;
}

/**
 * How a thought is to be made: steps from the prior; or following an edit, warm from the thought before if it can be.
 * `prepare`: the window is read under the thought that serves, and no other one is made.
 */
export type ThinkingMode = 'cold' | 'follow' | 'prepare';

/** What a suggestion depends on besides the decoder. */
export type SuggestionOptions = Required<Pick<CompletionOptions, 'memory' | 'confidence'>>;

/** What the server asks of a suggestion. */
export interface RunOptions {
  readonly maxLines: number;
  /** How the suggestion is found: see the settings of the same names. */
  readonly suggestionOptions: SuggestionOptions;
  /** Milliseconds from the request on after which it is answered with what has been written; none without. */
  readonly timeBudget?: number | undefined;
  /** The user asked for it and waits: everything is taken into account. */
  readonly invoked: boolean;
  /** Whether the workspace's thought serves where there is none about the document yet; else the prior does. */
  readonly thinks?: boolean | undefined;
  /** How many alternatives to the suggestion that is there are wanted. */
  readonly alternatives?: number | undefined;
  /** What an endpoint wrote here: it is presented, and none is written. */
  readonly written?: CompletionOptions['written'];
}

/** The files that the lookup memory knows in addition to those that are open. */
export interface WorkspaceSpec {
  readonly folders: readonly {
    /** Where it is on disk. */
    readonly directory: string;
    /** What the paths of its files begin with in requests. */
    readonly name: string;
    /** VS Code's `files.exclude`. */
    readonly excluded?: unknown;
  }[];
  /** Endings of source files, without the dot. */
  readonly endings: readonly string[];
  /** Folder in which they are kept between sessions. */
  readonly storage?: string | undefined;
}

export interface IndexProgress {
  readonly done: number;
  readonly total: number;
}

export type ToInference =
  | ({ readonly type: 'open' } & InferenceConfig)
  /** `sentAt`: what `now` said. */
  | {
      readonly type: 'complete';
      readonly id: number;
      readonly uri: string;
      readonly request: CompletionRequest;
      readonly options: RunOptions;
      readonly sentAt: number;
      /** Nobody waits for it yet: any other request for a suggestion ends it at its next token. */
      readonly prefetch: boolean;
    }
  /** The answer is no longer wanted: it ends after the token at hand. */
  | { readonly type: 'abort'; readonly id: number }
  | {
      readonly type: 'think';
      readonly id: number;
      readonly uri: string;
      readonly request: CompletionRequest;
      readonly mode: ThinkingMode;
      readonly steps: number;
    }
  /** Which tokens does the thought about a document make more and less likely? */
  | { readonly type: 'changes'; readonly id: number; readonly uri: string }
  /** The document was closed, or thinking about it was switched off: its thought is dropped. */
  | { readonly type: 'forget'; readonly uri: string }
  | { readonly type: 'usage'; readonly id: number }
  /** These files are known from now on; without folders, none. */
  | ({ readonly type: 'workspace' } & WorkspaceSpec)
  /** Files of the workspace that changed on disk: their paths as in requests. */
  | { readonly type: 'changed'; readonly paths: readonly string[] }
  /** The reading of the workspace was cancelled. */
  | { readonly type: 'cancelIndexing' };

/** A suggestion and the circumstances under which it was made. */
export interface Answer {
  readonly result: CompletionResult;
  /** Version of the thought that served; 0 = the prior. */
  readonly thought: number;
  /** Size of the window that the model saw. */
  readonly window: { readonly prefixTokens: number; readonly suffixTokens: number };
  /** Gradient runs that ended between the request's sending and its start: at most the one going on, as a rule. */
  readonly refinementRunsWaited: number;
  /** Of these, the ones that began when the request had arrived already: none, however busy the machine is. */
  readonly refinementRunsAhead: number;
}

/** What the process takes of the machine. */
export interface Usage {
  /** Resident set size. */
  readonly memoryMb: number;
  /** Processor time since the start. */
  readonly cpuSeconds: number;
}

/** Usage of the process that asks. */
export function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { memoryMb: Math.round(process.memoryUsage.rss() / 1e6), cpuSeconds: (user + system) / 1e6 };
}

/** A thought now in use for a document, its caches filled. */
export interface Publication {
  readonly version: number;
  readonly kind: 'cold' | 'warm';
  /** Where a cold one begins: at the prior, or at the thought of the workspace. */
  readonly startedFrom: 'prior' | 'workspace';
  readonly trace: ThoughtTrace;
}

export type FromInference =
  /** `fraction`: share of the loading that is done, 0 to 1. */
  | { readonly type: 'loading'; readonly fraction: number; readonly message: string }
  | { readonly type: 'ready'; readonly device: string; readonly model: ModelInfo }
  | { readonly type: 'refused'; readonly reason: string }
  /** The device, which is not the CPU, computes what cannot be right. */
  | { readonly type: 'deviceMismatch'; readonly reason: string }
  /** What the memory is sure of, before the answer itself comes. */
  | ({ readonly type: 'early'; readonly id: number } & Suggested)
  | ({ readonly type: 'completed'; readonly id: number } & Answer)
  /** No answer: superseded by newer work, or it failed. */
  | { readonly type: 'declined'; readonly id: number; readonly reason: string }
  | { readonly type: 'thinking'; readonly uri: string; readonly step: number; readonly steps: number }
  /** The end of a `think`; without `publication` the thought before still serves. */
  | { readonly type: 'thought'; readonly id: number; readonly uri: string; readonly publication?: Publication }
  /** What a thought makes more or less likely at the cursor, the largest change first. */
  | { readonly type: 'changes'; readonly id: number; readonly changes: readonly TokenChange[] }
  | ({ readonly type: 'usage'; readonly id: number } & Usage)
  /** How far the reading of the workspace is; without `progress` it is over. */
  | { readonly type: 'indexing'; readonly progress?: IndexProgress | undefined }
  | { readonly type: 'log'; readonly line: string };

const count = z.int().nonnegative();
/** Such as −∞, too, which `z.number` refuses. */
const nats = z.custom<number>((value) => typeof value === 'number');
const anObject = z.custom<object>(isRecord);
const suggested = { text: z.string(), replaceSuffix: count };

/** What each kind of message must hold for the server to be able to use it. */
const messages = {
  loading: z.object({ fraction: z.number(), message: z.string() }),
  ready: z.object({
    device: z.string(),
    model: z.object({
      name: z.string(),
      version: z.string(),
      readsThought: z.boolean(),
      defaultSteps: count,
      infills: z.boolean().optional(),
    }),
  }),
  refused: z.object({ reason: z.string() }),
  deviceMismatch: z.object({ reason: z.string() }),
  early: z.object({ id: count, ...suggested }),
  completed: z.object({
    id: count,
    result: z.object({
      ...suggested,
      stop: z.string(),
      read: count,
      milliseconds: z.number(),
      candidates: z.array(z.object({ ...suggested, logprob: nats })),
    }),
    thought: count,
    window: z.object({ prefixTokens: count, suffixTokens: count }),
    refinementRunsWaited: count,
    refinementRunsAhead: count,
  }),
  declined: z.object({ id: count, reason: z.string() }),
  thinking: z.object({ uri: z.string(), step: count, steps: count }),
  thought: z.object({
    id: count,
    uri: z.string(),
    publication: z.object({ version: count, trace: anObject }).optional(),
  }),
  changes: z.object({
    id: count,
    changes: z.array(z.object({ text: z.string(), before: z.number(), after: z.number() })),
  }),
  usage: z.object({ id: count, memoryMb: z.number(), cpuSeconds: z.number() }),
  indexing: z.object({ progress: anObject.optional() }),
  log: z.object({ line: z.string() }),
} satisfies Record<FromInference['type'], z.ZodType>;

/** Whether something that the inference process sent is a message at all: where memory was overwritten it may send anything. */
export function isFromInference(value: unknown): value is FromInference {
  if (!isRecord(value) || typeof value['type'] !== 'string' || !Object.hasOwn(messages, value['type'])) return false;
  return messages[value['type'] as FromInference['type']].safeParse(value).success;
}

/** The clock that both processes read: milliseconds since the epoch, with fractions. */
export const now = (): number => performance.timeOrigin + performance.now();
