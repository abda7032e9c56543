import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyValueCache, Rows } from '../../../src/model/cache';
import { LruMap } from '../../../src/model/lru';
import { Serial } from '../../../src/model/serial';

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
  test('a batch shares its past, and entries change places after it', () => {
    const cache = new KeyValueCache(1, 2);
    cache.append({ k: rows(1, 2), v: rows(10, 20) });
    const batch = cache.repeated(2, 2);
    batch.append({ k: rows(3, 4), v: rows(30, 40) });
    batch.reorder([1, 1], 2);
    assert.deepEqual([...batch.past().k], [1, 1, 2, 2, 4, 4]);
    assert.deepEqual([...batch.past().v], [10, 10, 20, 20, 40, 40]);
    assert.equal(batch.length, 3);
    assert.deepEqual([...cache.past().k], [1, 2]);
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
