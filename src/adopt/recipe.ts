/** Kinds of matrices of a decoder. */
export type MatrixKind = 'query_key_value' | 'attention_output' | 'gate' | 'up' | 'down' | 'head';

export interface Blocks {
  readonly bits: 4 | 8;
  /** Numbers that share a scale. */
  readonly block: number;
}

/** How many bits the matrices of each kind get; the embedding is the head's. */
export type Recipe = Readonly<Record<MatrixKind, Blocks>>;

const four: Blocks = { bits: 4, block: 32 };
const eight: Blocks = { bits: 8, block: 32 };

/**
 * Measured for coder (docs/experiments/2026-11-quantisation.md): per megabyte, 8 bits take most of the loss away in queries,
 * keys and values, then in the attention's output, then in `up`. Blocks of 16 take as long as 8 bits and lose more. This one
 * loses 7.4 % of NLL on 104 texts; with 8 bits everywhere nothing is lost.
 */
export const RECIPE: Recipe = {
  query_key_value: eight,
  attention_output: eight,
  gate: four,
  up: eight,
  down: four,
  head: four,
};

/** The kind of a matrix by its name in the graphs. */
export function kindOf(name: string): MatrixKind {
  return name === 'embedding' ? 'head' : (name.slice(name.lastIndexOf('.') + 1) as MatrixKind);
}
