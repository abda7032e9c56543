import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyValueCache, Rows } from '../../../src/model/cache';
import { LruMap } from '../../../src/model/lru';
import { Serial } from '../../../src/model/serial';
import { rowsAt, runOver, type CacheRow } from '../../caches';

const rows = (...values: number[]) => Float32Array.from(values);

describe('rows', () => {
  test('grow beyond their capacity', () => {
    const table = new Rows(2, 1);
    table.append(rows(1, 2));
    table.append(rows(3, 4, 5, 6));
    assert.equal(table.length, 3);
    assert.deepEqual([...table.slice()], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([...table.slice(1, 2)], [3, 4]);
  });

  test('truncating forgets the end, and only the end', () => {
    const table = new Rows(1, 4);
    table.append(rows(1, 2, 3));
    table.truncate(1);
    table.append(rows(9));
    assert.deepEqual([...table.slice()], [1, 9]);
    table.truncate(5);
    assert.equal(table.length, 2);
  });
});

describe('key/value cache', () => {
  const shape = { layers: 2, kvHeads: 2, headWidth: 1 };
  /** Another number for each place, and 100 apart for each token. */
  const mark = ({ table, entry, head }: CacheRow) => table + 10 * head + 1000 * entry;
  const marked = (first: number) => (place: CacheRow, token: number) => [mark(place) + 100 * (first + token)];
  const keys = (cache: KeyValueCache, entry = 0, head = 0) => rowsAt(cache, { table: 0, entry, head });

  test('grows, and keeps what it holds', () => {
    const cache = new KeyValueCache(shape, 1, 1);
    runOver(cache, 1, marked(1));
    runOver(cache, 3, marked(2));
    assert.ok(cache.capacity >= 4 && cache.length === 4);
    for (const table of [0, 1, 2, 3]) {
      for (const head of [0, 1]) {
        const place = { table, entry: 0, head };
        assert.deepEqual(
          rowsAt(cache, place),
          [1, 2, 3, 4].map((token) => mark(place) + 100 * token),
        );
      }
    }
  });

  test('truncating forgets the end, and only the end', () => {
    const cache = new KeyValueCache(shape, 1, 4);
    runOver(cache, 3, marked(1));
    cache.truncate(1);
    runOver(cache, 1, marked(9));
    cache.truncate(5);
    assert.deepEqual(keys(cache), [100, 900]);
  });

  test('a batch shares its past, and entries change places after it', () => {
    const cache = new KeyValueCache(shape, 1, 2);
    runOver(cache, 2, marked(1));
    const batch = cache.repeated(2, 1);
    runOver(batch, 1, marked(3));
    batch.reorder([1, 1], 2);
    assert.deepEqual(keys(batch, 0), [100, 200, 1300]);
    assert.deepEqual(keys(batch, 1), [100, 200, 1300]);
    assert.deepEqual(keys(batch, 0, 1), [110, 210, 1310]);
    assert.deepEqual([batch.length, cache.length], [3, 2]);
    assert.deepEqual(keys(cache), [100, 200]);
  });

  test('caches side by side are the entries of a batch; of different lengths they cannot be', () => {
    const [one, two] = [new KeyValueCache(shape, 1, 2), new KeyValueCache(shape, 1, 8)];
    runOver(one, 1, marked(1));
    runOver(two, 1, marked(5));
    const both = KeyValueCache.side([one, two], 3);
    assert.deepEqual([keys(both, 0, 1), keys(both, 1, 1)], [[110], [510]]);
    runOver(two, 1, marked(6));
    assert.throws(() => KeyValueCache.side([one, two], 3), RangeError);
  });

  test('what a run left is looked at before it is kept, the new rows alone; tables elsewhere take the place of its own', () => {
    const cache = new KeyValueCache(shape, 1, 4);
    runOver(cache, 2, marked(1));
    const elsewhere = cache.tables.map((table) => table.map((value) => value + 7));
    const seen: number[] = [];
    const refuse = (rows: Float32Array) => {
      seen.push(rows.length);
      throw new Error('not finite');
    };
    assert.throws(() => cache.advance(1, elsewhere, refuse), /not finite/);
    assert.deepEqual([cache.length, keys(cache)], [2, [100, 200]]);
    cache.advance(1, elsewhere, (rows) => seen.push(rows.length));
    assert.deepEqual(keys(cache), [107, 207, 7]);
    assert.deepEqual(new Set(seen), new Set([1]));
  });
});

describe('least recently used map', () => {
  test('forgets what was used longest ago', () => {
    const map = new LruMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3]);
  });
});

describe('serial tasks', () => {
  test('run one after the other, failures included', async () => {
    const serial = new Serial();
    const order: number[] = [];
    const task = (id: number, ms: number) => async () => {
      order.push(id);
      await new Promise((done) => setTimeout(done, ms));
      order.push(id);
      if (id === 1) throw new Error('one');
      return id;
    };
    const results = await Promise.allSettled([serial.run(task(1, 5)), serial.run(task(2, 1)), serial.run(task(3, 0))]);
    assert.deepEqual(order, [1, 1, 2, 2, 3, 3]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['rejected', 'fulfilled', 'fulfilled'],
    );
  });
});
