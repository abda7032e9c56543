import type { KeyValueCache } from '../src/model/cache';

/** One head of one entry of the batch in one layer's keys or values. */
export interface CacheRow {
  readonly table: number;
  readonly entry: number;
  readonly head: number;
}

/** Adds tokens to a cache as a run of a graph does, which writes in place. @param row of the token at a place */
export function runOver(cache: KeyValueCache, tokens: number, row: (place: CacheRow, token: number) => number[]): void {
  cache.reserve(tokens);
  const { kvHeads, headWidth } = cache.shape;
  cache.tables.forEach((data, table) => {
    for (let entry = 0; entry < cache.batch; entry++) {
      for (let head = 0; head < kvHeads; head++) {
        for (let token = 0; token < tokens; token++) {
          const at = (entry * kvHeads + head) * cache.capacity + cache.length + token;
          data.set(row({ table, entry, head }, token), at * headWidth);
        }
      }
    }
  });
  cache.advance(tokens, cache.tables, () => undefined);
}

/** What a cache holds at a place, row after row. */
export function rowsAt(cache: KeyValueCache, { table, entry, head }: CacheRow): number[] {
  const { kvHeads, headWidth } = cache.shape;
  const start = (entry * kvHeads + head) * cache.capacity;
  return [...cache.tables[table]!.subarray(start * headWidth, (start + cache.length) * headWidth)];
}
