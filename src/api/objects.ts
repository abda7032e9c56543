/** The objects of the completions API (`/v1/completions`, `/v1/models`), as far as they are used here. */

/** What is known of the tokens of a text. */
export interface TokenLogprobs {
  readonly tokens: readonly string[];
  /** log p of each, in nats. */
  readonly token_logprobs: readonly number[];
  /** The most probable tokens at each place, with their log p. */
  readonly top_logprobs: readonly Readonly<Record<string, number>>[];
  /** Where each begins in the text, in UTF-16 units. */
  readonly text_offset: readonly number[];
}

export interface Choice {
  readonly index: 0;
  readonly text: string;
  readonly logprobs: TokenLogprobs | null;
  /** null while more is to come. */
  readonly finish_reason: 'stop' | 'length' | null;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** An answer, or a part of one that is streamed. */
export interface Completion {
  readonly id: string;
  readonly object: 'text_completion';
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly Choice[];
  readonly usage?: Usage | null;
}

export interface ModelList {
  readonly object: 'list';
  readonly data: readonly {
    readonly id: string;
    readonly object: 'model';
    readonly created: number;
    readonly owned_by: string;
  }[];
}

export interface ErrorObject {
  readonly error: {
    readonly message: string;
    readonly type: string;
    /** The parameter that is wrong. */
    readonly param: string | null;
    readonly code: string | null;
  };
}
