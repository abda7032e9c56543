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

/** 8 bits lose nothing of what GGUF's types of up to 8 bits say. */
export const EXACT: Recipe = {
  query_key_value: eight,
  attention_output: eight,
  gate: eight,
  up: eight,
  down: eight,
  head: eight,
};

/**
 * Where 8 bits are slow. Measured for coder (docs/experiments/2026-11-quantisation.md): per megabyte, 8 bits take most of
 * the loss away in queries, keys and values, then in the attention's output, then in `up`. Blocks of 16 take as long as
 * 8 bits and lose more. On 104 texts the NLL rises by 7.4 %.
 */
export const SMALL: Recipe = {
  query_key_value: eight,
  attention_output: eight,
  gate: four,
  up: eight,
  down: four,
  head: four,
};

/** Up to here 8 bits cost no time that anyone notices: reading a window takes as long, a token some milliseconds more. */
const MAX_SLOWDOWN = 2;

/** @param slowdown times as long as a product with weights of 4 bits that one of 8 bits takes */
export function recipeFor(slowdown: number): Recipe {
  return slowdown <= MAX_SLOWDOWN ? EXACT : SMALL;
}

/** The kind of a matrix by its name in the graphs. */
export function kindOf(name: string): MatrixKind {
  return name === 'embedding' ? 'head' : (name.slice(name.lastIndexOf('.') + 1) as MatrixKind);
}
