import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { choose, WorkQueue, type Lane, type Work } from '../../src/inference/queue';

/** Work of `runs` runs that writes what it does into `log`. */
function work(lane: Lane, key: string, runs: number, log: string[], during?: (run: number) => void): Work {
  let done = 0;
  return {
    lane,
    key,
    advance: () => {
      log.push(`${key}${done}`);
      during?.(done);
      return Promise.resolve(++done < runs);
    },
    dropped: (error) => log.push(error instanceof Error ? `${key} failed: ${error.message}` : `${key} dropped`),
  };
}

test('the queue takes decoding before refinement, and the newest of a lane first', () => {
  const entries = (text: string) =>
    text
      .split(' ')
      .filter(Boolean)
      .map((word) => work(word.startsWith('d') ? 'decode' : 'refine', word, 1, []));
  const table: [string, string | undefined][] = [
    ['', undefined],
    ['r1', 'r1'],
    ['r1 r2', 'r2'],
    ['r1 d1 r2', 'd1'],
    ['d1 r1 d2', 'd2'],
  ];
  for (const [waiting, expected] of table) assert.equal(choose(entries(waiting))?.key, expected, waiting);
});

test('a decoding waits for at most the refinement run going on', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  queue.push(
    work('refine', 'r', 6, log, (run) => {
      // A keystroke arrives while runs 1, 2 and 4 go on.
      if (run === 1 || run === 2 || run === 4) queue.push(work('decode', 'd', 1, log));
    }),
  );
  await queue.idle();
  assert.deepEqual(log, ['r0', 'r1', 'd0', 'r2', 'd0', 'r3', 'r4', 'd0', 'r5']);
});

test('newer work about the same document supersedes older between its runs', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  queue.push(
    work('refine', 'a', 5, log, (run) => {
      if (run === 1) queue.push(work('refine', 'a', 2, log));
    }),
  );
  queue.push(work('refine', 'b', 1, log));
  await queue.idle();
  assert.deepEqual(log, ['a0', 'b0', 'a1', 'a dropped', 'a0', 'a1']);
  assert.equal(queue.size, 0);
});

test('a run that throws drops its own work with the error and no other', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  const bad: Work = {
    ...work('decode', 'bad', 1, log),
    advance: () => Promise.reject(new Error('out of memory')),
  };
  queue.push(work('refine', 'r', 2, log));
  queue.push(bad);
  await queue.idle();
  assert.ok(log.includes('bad failed: out of memory'));
  assert.ok(log.includes('r1'));
});

test('dropped work does no further run, and the queue works on after having been idle', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  queue.push(
    work('refine', 'r', 9, log, (run) => {
      if (run === 0) queue.drop('refine', 'r');
    }),
  );
  await queue.idle();
  queue.push(work('decode', 'd', 1, log));
  await queue.idle();
  assert.deepEqual(log, ['r0', 'r dropped', 'd0']);
});

test('a lane that is held waits, others go on, and what is released goes on at once', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  queue.hold('refine', 60_000);
  queue.push(work('refine', 'r', 2, log));
  queue.push(work('index', 'i', 2, log));
  await turns();
  assert.deepEqual(log, ['i0', 'i1']);
  queue.push(work('decode', 'd', 1, log));
  await turns();
  assert.deepEqual(log, ['i0', 'i1', 'd0']);
  queue.hold('refine', 0);
  await queue.idle();
  assert.deepEqual(log, ['i0', 'i1', 'd0', 'r0', 'r1']);
});

test('what is held begins by itself when its time has come, and can be dropped before', async () => {
  const log: string[] = [];
  const queue = new WorkQueue();
  queue.hold('refine', 50);
  const begun = performance.now();
  queue.push(work('refine', 'r', 1, log));
  await queue.idle();
  assert.ok(performance.now() - begun > 40);
  assert.deepEqual(log, ['r0']);
  queue.hold('refine', 60_000);
  queue.push(work('refine', 's', 1, log));
  await turns();
  queue.drop('refine', 's');
  await queue.idle();
  assert.deepEqual(log, ['r0', 's dropped']);
});

/** Lets everything run that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await nextTurn();
}
