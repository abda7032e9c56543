/** Rows of numbers quantised to 8 bits, [rows, width], with a scale a row: a quarter of the memory of what they stand for. */
export interface QuantisedRows {
  readonly numbers: Int8Array;
  readonly scales: Float32Array;
}

const MAX_NUMBER = 127;

/**
 * Quantises rows of `width` numbers into tables that have memory for them from row `first` on. A row with something that is no
 * finite number in it is none afterwards, either.
 */
export function quantiseInto(
  { numbers, scales }: QuantisedRows,
  first: number,
  rows: Float32Array,
  width: number,
): void {
  const count = rows.length / width;
  for (let row = 0; row < count; row++) {
    const values = rows.subarray(row * width, (row + 1) * width);
    let max = 0;
    for (const value of values) max = Math.max(max, Math.abs(value));
    const scale = max === 0 ? 1 : max / MAX_NUMBER;
    const at = (first + row) * width;
    for (let i = 0; i < width; i++) numbers[at + i] = Math.round((values[i] as number) / scale);
    scales[first + row] = scale;
  }
}

/** @param rows [rows, width] */
export function quantiseRows(rows: Float32Array, width: number): QuantisedRows {
  const tables = { numbers: new Int8Array(rows.length), scales: new Float32Array(rows.length / width) };
  quantiseInto(tables, 0, rows, width);
  return tables;
}
