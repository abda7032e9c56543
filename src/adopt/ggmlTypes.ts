/** How ggml stores numbers: `block` values of a row lie together in `bytes` bytes. */
export interface GgmlType {
  readonly name: GgmlName;
  readonly block: number;
  readonly bytes: number;
}

export type GgmlName = 'F32' | 'F16' | 'BF16' | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q4_K' | 'Q5_K' | 'Q6_K';

const TYPES = new Map<number, GgmlType>(
  (
    [
      [0, 'F32', 1, 4],
      [1, 'F16', 1, 2],
      [2, 'Q4_0', 32, 18],
      [3, 'Q4_1', 32, 20],
      [6, 'Q5_0', 32, 22],
      [7, 'Q5_1', 32, 24],
      [8, 'Q8_0', 32, 34],
      [12, 'Q4_K', 256, 144],
      [13, 'Q5_K', 256, 176],
      [14, 'Q6_K', 256, 210],
      [30, 'BF16', 1, 2],
    ] as const
  ).map(([id, name, block, bytes]) => [id, { name, block, bytes }]),
);

/** Types that users may meet and that are not read, to be called by their names. */
const OTHERS: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The type with ggml's number; undefined if it is none that is read. */
export function ggmlType(id: number): GgmlType | undefined {
  return TYPES.get(id);
}

/** ggml's number of a type. */
export function ggmlId(name: GgmlName): number {
  for (const [id, type] of TYPES) if (type.name === name) return id;
  throw new RangeError(name);
}

/** What a type is called in a message. */
export function ggmlLabel(id: number): string {
  return TYPES.get(id)?.name ?? OTHERS[id] ?? `number ${id}`;
}

export const READABLE: readonly GgmlName[] = [...TYPES.values()].map(({ name }) => name);
