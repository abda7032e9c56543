/** What the extension and the program that gets and adopts models say to each other over the process' IPC channel. */

export type ToAdoption =
  /** Gets the code model, and adopts it. `cache`: the folder for its weights and its bundle. */
  | { readonly type: 'obtain'; readonly cache: string; readonly places: readonly string[] }
  /** Adopts a GGUF file of the user's. */
  | { readonly type: 'adopt'; readonly source: string; readonly directory: string; readonly name: string }
  /** Takes the code model away again. */
  | { readonly type: 'remove'; readonly cache: string }
  /** What is under way ends; what has come is kept. */
  | { readonly type: 'cancel' };

export type FromAdoption =
  /** `share`: from 0 to 1. */
  | { readonly type: 'progress'; readonly share: number; readonly what: string }
  /** `directory`: of the bundle. `notes`: what the user should know of it. */
  | { readonly type: 'done'; readonly directory: string; readonly notes: readonly string[] }
  | { readonly type: 'cancelled' }
  /** Why it could not be done, in one line. */
  | { readonly type: 'failed'; readonly reason: string };
