/**
 * What the extension and the language server say to each other beyond LSP.
 *
 * Standard LSP carries documents, `textDocument/inlineCompletion`, cancellation and work-done progress; settings come
 * with `initializationOptions` and with `workspace/didChangeConfiguration` as `{ settings: { thoughtline: Settings } }`.
 * What is left empty there changes nothing. From a client that answers `workspace/configuration` the server asks for the
 * section `thoughtline`, also for each document, so that folders and languages can have their own (`DocumentSettings`).
 */
import { NotificationType, RequestType } from 'vscode-jsonrpc';
import type { InlineCompletionItem, Position, Range } from 'vscode-languageserver-types';
import type { ThoughtTrace, TokenChange } from './completion/engine';
import type { Settings } from './settings';

/** `initializationOptions` of the server. All may be left out: then the bundle next to `dist/` and the defaults are used. */
export interface InitializationOptions {
  /** Absolute path of the folder of the bundle `nano`. */
  bundle: string;
  /** Absolute path of the folder of the bundle `coder`, where the user has got it. */
  coder?: string | undefined;
  /** Absolute path of a folder for what is found out about models on this machine; without it, it is found again. */
  models?: string | undefined;
  settings: Settings;
  /** Threads of the processor for one run of the model, at most 64; without it one for each physical core, four at most. */
  threads?: number | undefined;
  /** Absolute path of a folder of this workspace alone, for what is kept between sessions; without it nothing is. */
  storage?: string | undefined;
}

export type ServerState = 'loading' | 'ready' | 'thinking' | 'off' | 'failed';

/** Server → client, whenever one of the fields changes. */
export interface Status {
  state: ServerState;
  /** The execution provider in use and what it runs on, for people: "cpu", "webgpu (…)". */
  device?: string;
  /** While thinking: gradient steps done and wanted. */
  step?: number;
  steps?: number;
  /** Whether the model that is ready reads a thought; told only where it does not. */
  readsThought?: false;
  /** Steps of a thought that pay with the model that is ready: what `inferenceSteps: null` means. */
  defaultSteps?: number;
  /** While failed: why, in one line. */
  reason?: string;
  /** While ready or thinking: name and version of the model, and why it is the one that serves. */
  model?: string;
  because?: string;
  /** Why the model that was wanted does not serve, in one line. */
  problem?: string;
  /** Where text around the cursor is sent to be completed, while `thoughtline.endpoint` says so. */
  endpoint?: EndpointStatus;
}

export interface EndpointStatus {
  host: string;
  /** The model that it serves, once it has answered. */
  model?: string;
  /** Why it did not write the last time, in one line; then the local model did. */
  problem?: string;
}

export interface ThoughtReport {
  uri: string;
  /** The user's setting under which this thought was made. */
  steps: number;
  /** From the prior; or following an edit, warm from the thought before. */
  kind: 'cold' | 'warm';
  /** What a cold one begins with: the prior, or the thought of the workspace. */
  startedFrom: 'prior' | 'workspace';
  trace: ThoughtTrace;
  /** Tokens that it made more or less likely at the cursor, the largest change first. */
  changes: readonly TokenChange[];
  device: string;
  /** Size of the window of the last suggestion, in tokens; zeros before the first. */
  window: { prefixTokens: number; suffixTokens: number };
  /** `under`: this thought, one before it, or what there was before any thinking. */
  lastSuggestion?: {
    text: string;
    milliseconds: number;
    logprob: number;
    stop: string;
    under: 'this' | 'earlier' | 'start';
  };
  /** Texts that could last be chosen from, with log p in nats: under all thoughts together, and under each of them. */
  choice?: { text: string; logprob: number; logprobs: readonly number[] }[];
  /** What the last suggestions took that the model wrote, in milliseconds, in all documents. */
  latencies: readonly number[];
  model: { name: string; version: string };
}

export interface WhyParams {
  uri: string;
  position: Position;
}

/**
 * Why there is no suggestion, in one sentence; the last decisions for this document, newest first; and what the server
 * holds of it.
 */
export interface WhyReport {
  reason: string;
  /** Whether the reason holds whatever becomes of a request: nothing is suggested here by itself. */
  standing?: boolean;
  details: string[];
}

/**
 * How a request for a suggestion was answered: with what is on screen, one made before, a run under way, what the lookup memory
 * is sure of while a run begins, a run of its own on the caches of the one before (`reuse`) or on few or none (`cold`), or with
 * nothing.
 */
export type AnswerPath = 'typedAlong' | 'cache' | 'waited' | 'memory' | 'reuse' | 'cold' | 'none';

/** The answer to `textDocument/inlineCompletion`: LSP's list, and which way it came. */
export interface AnsweredList {
  items: InlineCompletionItem[];
  path: AnswerPath;
}

/** Counts since the server started, and memory now. */
export interface Statistics {
  /** Answers by path; `none` counts those without a suggestion. */
  paths: Record<AnswerPath, number>;
  /** Requests the client cancelled before they were answered. */
  cancelled: number;
  /** Suggestions that were accepted, and their characters; clients that run the command of an item tell so. */
  accepted: { suggestions: number; characters: number };
  /** Suggestions that waited for a gradient run, by the number of such runs: index 0 = none. */
  refinementRunsWaited: number[];
  /** Of these runs, those that began when the request had arrived already. */
  refinementRunsAhead: number;
  /** Runs that looked at what would follow a suggestion, and answers that came of them. */
  prefetch: { runs: number; served: number };
  /** Starts of the inference process after its first. */
  respawns: number;
  /** Identifier of the inference process, while there is one. */
  inferencePid?: number;
  /** Resident set size in MB; `inference` is 0 while that process is not running. */
  memory: { server: number; inference: number };
  /** Seconds of processor time that each process has used since it was started. */
  cpu: { server: number; inference: number };
}

/** Environment variable of the server with the token of `thoughtline.endpoint`: it is in no settings file, and no message. */
export const TOKEN_VARIABLE = 'THOUGHTLINE_ENDPOINT_TOKEN';

/** Command of every item, which a client runs once it has been accepted; its argument is the number of characters. */
export const ACCEPTED_COMMAND = 'thoughtline.server.accepted';

/** An edit that may be the user's next. */
export interface NextEdit {
  /** By which `thoughtline/nextEditRefused` names it. */
  id: number;
  uri: string;
  /** Version of the document in which `oldText` stands in `range`. */
  version: number;
  range: Range;
  oldText: string;
  newText: string;
  /** It goes on with the renaming of a declared name; or makes an edit again in a like place. */
  kind: 'rename' | 'repeat';
  /** Probability that it is wanted, 0 to 1. */
  confidence: number;
  /** Of a rename: where the new name is declared, in the document of the edit, and what it was called. */
  renamed?: { range: Range; oldName: string };
}

/**
 * What `textDocument/copilotInlineEdit` is answered with, a request that several editors send for next edits: a text
 * document identifier, a version and a position go in.
 */
export interface InlineEdits {
  edits: {
    text: string;
    range: Range;
    textDocument: { uri: string; version: number };
  }[];
}

export const StatusNotification = new NotificationType<Status>('thoughtline/status');
/** Client → server: no automatic suggestions and no thinking for a while. `until`: in words, for people. */
export const SnoozeNotification = new NotificationType<{ on: boolean; until?: string }>('thoughtline/snooze');
/** Client → server: the user sent away the suggestion that stood at a place, and has typed nothing since. */
export const DismissedNotification = new NotificationType<{ uri: string; position: Position }>('thoughtline/dismissed');
/** Client → server, before the change of a document: it is one of undo or redo, which nothing is suggested right after. */
export const UndoneNotification = new NotificationType<{ uri: string; kind: 'undo' | 'redo' }>('thoughtline/undone');
/** Client → server: the next edit that was offered was sent away, or the user went on without it. */
export const NextEditRefusedNotification = new NotificationType<{ id: number; how: 'dismissed' | 'ignored' }>(
  'thoughtline/nextEditRefused',
);
/** The edit that may be the user's next; null where there is none. */
export const NextEditRequest = new RequestType<{ uri: string }, NextEdit | null, void>('thoughtline/nextEdit');
export const ThoughtRequest = new RequestType<{ uri: string }, ThoughtReport | null, void>('thoughtline/thought');
export const WhyRequest = new RequestType<WhyParams, WhyReport, void>('thoughtline/why');
/** Starts the inference process again, also after it was given up. */
export const RestartRequest = new RequestType<Record<string, never>, null, void>('thoughtline/restart');
export const StatisticsRequest = new RequestType<Record<string, never>, Statistics, void>('thoughtline/statistics');
