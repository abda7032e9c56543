import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { replayFigures } from '../../../lab/benchReplay';
import { thoughtsIn, type Typing } from '../../../lab/serverTyping';
import { typeWith, type Answered, type Assistant } from '../../../lab/typing';
import type { AnswerPath, Status } from '../../../src/protocol';

const answer = (ms: number, path?: AnswerPath, more: Partial<Answered> = {}): Answered => ({
  at: 1,
  ms,
  cut: path === undefined,
  along: path === 'typedAlong',
  suggested: path !== undefined && path !== 'none',
  path,
  ...more,
});

const typing = (answers: Answered[]): Typing => ({
  answers,
  loaded: 0.5,
  statistics: {
    paths: { typedAlong: 0, cache: 0, waited: 0, memory: 0, reuse: 0, cold: 0, none: 0 },
    cancelled: 0,
    accepted: { suggestions: 0, characters: 0 },
    refinementRunsWaited: [3, 1],
    refinementRunsAhead: 0,
    prefetch: { runs: 0, served: 0 },
    respawns: 0,
    memory: { server: 50, inference: 300 },
    cpu: { server: 1, inference: 9 },
  },
  memory: { both: 350, inference: 300 },
  busy: { cpu: 10, seconds: 30 },
  idle: { cpu: 0.03, seconds: 3 },
  thoughts: [{ ms: 900 }, { ms: 100, cut: true }],
  steps: 8,
});

describe('the figures of a replay', () => {
  const thinking = [
    typing([answer(2, 'typedAlong'), answer(100, 'reuse'), answer(40)]),
    typing([answer(4, 'typedAlong'), answer(300, 'cold'), answer(60, 'none')]),
  ];
  const figures = replayFigures(['a.ts', 'b.ts'], 30, thinking, [typing([answer(80, 'reuse')])]);

  test('each way has its share of what was answered, and its own quantiles', () => {
    const { typedAlong, cache, waited, reuse, cold, none } = figures.paths;
    assert.deepEqual(typedAlong, { count: 2, share: 0.4, p50_ms: 2, p90_ms: 4, p99_ms: 4 });
    assert.deepEqual(reuse, { count: 1, share: 0.2, p50_ms: 100, p90_ms: 100, p99_ms: 100 });
    assert.deepEqual([cache.count, waited.count, cold.count, none.count], [0, 0, 1, 1]);
    assert.deepEqual([cold.p50_ms, none.p50_ms], [300, 60]);
  });

  test('superseded requests count as longer than they were seen to last', () => {
    assert.deepEqual([figures.keystrokes, figures.superseded, figures.suggestions], [6, 1, 4]);
    // 2 and 4 ended, 40 was cut: half of all is reached at 60, not at 40.
    assert.deepEqual([figures.p50_ms, figures.p90_ms, figures.p99_ms], [60, 300, 300]);
    assert.deepEqual([figures.p50_no_refine_ms, figures.typed_along, figures.typed_along_p90_ms], [80, 2, 4]);
  });

  test('what was typed before the model was loaded is left out where it is asked for without', () => {
    const early = typing([answer(900, 'cold', { at: 0.2 }), answer(10, 'reuse'), answer(20, 'reuse', { at: 0.5 })]);
    const { loaded_after_s, loaded, p50_ms, p90_ms } = replayFigures(['a.ts'], 30, [early], []);
    assert.deepEqual([p50_ms, p90_ms], [20, 900]);
    assert.deepEqual([loaded_after_s, loaded.p50_ms, loaded.p90_ms], [0.5, 10, 20]);
  });

  test('processor time is for a minute of typing, and a share at rest; refinement has its own', () => {
    assert.deepEqual([figures.cpu_s_per_min, figures.idle_cpu_percent], [20, 1]);
    assert.equal(figures.cpu_s_per_min_no_refine, 20);
    assert.deepEqual(figures.refinement, { steps: 16, thoughts: 4, p50_ms: 900, runs_waited: [6, 2] });
  });
});

test('a thought lasts from its first status to the next that is none of it', () => {
  const statuses = (list: [number, Status['state'], number?][]) =>
    list.map(([at, state, step]) => ({ at, status: { state, ...(step !== undefined && { step, steps: 4 }) } }));
  const table: [string, [number, Status['state'], number?][], { ms: number; cut: boolean }[]][] = [
    ['none', [[0, 'ready']], []],
    ['one', [[0, 'ready'], [10, 'thinking', 0], [20, 'thinking', 1], [90, 'ready']], [{ ms: 80, cut: false }]], // prettier-ignore
    ['superseded', [[10, 'thinking', 0], [20, 'thinking', 2], [30, 'thinking', 0], [70, 'ready']], [{ ms: 20, cut: true }, { ms: 40, cut: false }]], // prettier-ignore
    [
      'still going on',
      [
        [10, 'thinking', 0],
        [20, 'thinking', 1],
      ],
      [],
    ],
    [
      'a process that died',
      [
        [10, 'thinking', 0],
        [50, 'loading'],
      ],
      [{ ms: 40, cut: true }],
    ],
  ];
  for (const [name, list, expected] of table) assert.deepEqual(thoughtsIn(statuses(list)), expected, name);
});

test('whoever types gives up what is not answered at the next keystroke, and types along with what is', async () => {
  const text = `${'// head\n'.repeat(30)}${'const answer = 42;\n'.repeat(30)}${'// tail\n'.repeat(30)}`;
  let now = '';
  let asked = 0;
  const given: boolean[] = [];
  const assistant: Assistant = {
    open: (start) => void (now = start),
    change: (edit, after) => {
      assert.equal(now.slice(0, edit.from) + edit.text + now.slice(edit.to), after);
      now = after;
    },
    suggest: async (cursor, signal) => {
      // Every fourth request takes longer than the pauses of a typist.
      if (++asked % 4 === 0) {
        const late = sleep(800, undefined, { signal }).then(
          () => ({ text: '' }),
          () => undefined,
        );
        if (await late) return { text: '' };
        given.push(true);
        return undefined;
      }
      const line = now.slice(now.lastIndexOf('\n', cursor - 1) + 1, cursor);
      return { text: 'const answer = 42;'.startsWith(line) ? 'const answer = 42;'.slice(line.length) : '' };
    },
  };
  const answers = await typeWith(assistant, { file: { path: 'a.ts', text }, seconds: 4, seed: 1 });
  assert.ok(given.length > 2 && answers.length > 8, `${given.length} of ${answers.length}`);
  assert.ok(answers.filter(({ cut }) => cut).length >= given.length - 1);
  assert.ok(answers.some(({ along }) => along) && answers.some(({ suggested }) => suggested));
});
