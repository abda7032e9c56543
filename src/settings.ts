/** The user's settings, `thoughtline.*` in VS Code: what they are called, what they may be, and what they are unless set. */
import { CONFIDENCE_LEVELS, DEFAULTS, type ConfidenceLevel } from './completion/types';

export { CONFIDENCE_LEVELS };

export const devices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type DeviceName = (typeof devices)[number];

/** What `model` can be besides the folder of a bundle: what suits the machine, what comes along, what can be got. */
export const models = ['auto', 'nano', 'coder'] as const;

export interface Settings {
  enable: boolean;
  /** Gradient steps of the thought on a file, 0–32; 0 means "no thinking". */
  inferenceSteps: number;
  device: DeviceName;
  /** One of `models`, or the absolute path of a bundle's folder. */
  model: string;
  /** Longest suggestion, in lines, 1–64. */
  maxLines: number;
  /** Look up what followed the same words in the open files, and mix it with what the model predicts. */
  memory: boolean;
  /** Know the workspace's source files in the same way, not only open ones. */
  workspaceMemory: boolean;
  /** Whether what cannot be parsed in its place is mended or not shown. */
  syntaxCheck: boolean;
  /** How sure the model must be of what is shown of itself. */
  confidence: ConfidenceLevel;
  /** Language identifier → on or off; `*` stands for every language that is not named. */
  languages: Record<string, boolean>;
  /** Whether suggestions come of themselves inside comments and strings, too. */
  commentsAndStrings: boolean;
  /** Milliseconds that the model is not asked after a keystroke, at most; the typing decides in between. */
  debounceMax: number;
  /** Milliseconds after which a suggestion that came of itself is shown as far as it has been written; 0 = when it is whole. */
  timeBudget: number;
  /** Threads of the processor for one run of the model; 0 = one for each core, four at most. */
  threads: number;
}

/** Settings that may differ from document to document: by folder, and by language. */
export type DocumentSettings = Pick<Settings, 'maxLines' | 'languages' | 'commentsAndStrings'>;

export const defaultSettings: Readonly<Settings> = {
  enable: true,
  inferenceSteps: DEFAULTS.steps,
  device: 'auto',
  model: 'auto',
  maxLines: DEFAULTS.maxLines,
  memory: DEFAULTS.memory,
  workspaceMemory: true,
  syntaxCheck: DEFAULTS.solver,
  confidence: 'usual',
  languages: { '*': true, plaintext: false, markdown: false, scminput: false },
  commentsAndStrings: true,
  debounceMax: 40,
  timeBudget: 200,
  threads: 0,
};
