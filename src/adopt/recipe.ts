/** Kinds of matrices of a decoder. */
export type MatrixKind = 'query_key_value' | 'attention_output' | 'gate' | 'up' | 'down' | 'head';

export interface Blocks {
  readonly bits: 4 | 8;
  /** Numbers that share a scale. */
  readonly block: number;
}

/** How many bits the matrices of each kind get; the embedding is the head's. */
export type Recipe = Readonly<Record<MatrixKind, Blocks>>;

const eight: Blocks = { bits: 8, block: 32 };

/** 8 bits hold what GGUF's types of up to 8 bits say. */
export const RECIPE: Recipe = {
  query_key_value: eight,
  attention_output: eight,
  gate: eight,
  up: eight,
  down: eight,
  head: eight,
};

/** The kind of a matrix by its name in the graphs. */
export function kindOf(name: string): MatrixKind {
  return name === 'embedding' ? 'head' : (name.slice(name.lastIndexOf('.') + 1) as MatrixKind);
}
