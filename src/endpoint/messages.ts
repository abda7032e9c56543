/** What the language server and the program that asks an endpoint say to each other over the process' IPC channel. */

/** What is asked: the text around the cursor, and nothing else. */
export interface Question {
  readonly prefix: string;
  readonly suffix: string;
  readonly maxTokens: number;
}

/** What an endpoint wrote. */
export interface Given {
  readonly text: string;
  /** Its tokens with log p in nats, where it tells them. */
  readonly tokens?: readonly { readonly text: string; readonly logprob: number }[] | undefined;
  /** Whether it ended by itself, or for its length. */
  readonly ended: boolean;
}

export type ToEndpoint =
  /** `base`: the address below which `/completions` is. */
  | { readonly type: 'open'; readonly base: string; readonly token: string | undefined }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question; readonly limitMs: number }
  /** The answer is no longer wanted. */
  | { readonly type: 'abort'; readonly id: number };

export type FromEndpoint =
  | { readonly type: 'wrote'; readonly id: number; readonly model: string; readonly given: Given }
  /** Why there is no answer, in one line that holds nothing of what was sent or said. */
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };
