/** What the language server and the program that asks an endpoint say to each other over the process' IPC channel. */

import type { RemoteText } from '../completion/remoteText';

/** What is asked: the text around the cursor, and nothing else. */
export interface InfillRequest {
  readonly prefix: string;
  readonly suffix: string;
  readonly maxTokens: number;
}

export type { RemoteText };

export type ToEndpoint =
  /** `base`: the address below which `/completions` is. */
  | { readonly type: 'open'; readonly base: string; readonly token: string | undefined }
  | { readonly type: 'ask'; readonly id: number; readonly request: InfillRequest; readonly limitMs: number }
  /** The answer is no longer wanted. */
  | { readonly type: 'abort'; readonly id: number };

export type FromEndpoint =
  | { readonly type: 'wrote'; readonly id: number; readonly model: string; readonly given: RemoteText }
  /** Why there is no answer, in one line that holds nothing of what was sent or said. */
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };
