import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompletionRequest, Engine, Thought } from '../../../src/completion/engine';
import { UserThoughts } from '../../../src/serve/userThoughts';
import { RequestQueue } from '../../../src/serve/requestQueue';

/** An engine whose thoughts say about which text they are, and after how many runs. */
function engine(runs = 3) {
  const followed: string[] = [];
  let advanced = 0;
  const made = {
    readsThought: true,
    follow: (request: CompletionRequest, before: Thought | undefined) => {
      followed.push(request.prefix);
      if (before && (before as unknown as { about: string }).about === request.prefix) return undefined;
      let left = runs;
      const advance = () => {
        advanced++;
        return Promise.resolve(--left > 0);
      };
      return { refinement: { advance, about: request.prefix }, kind: 'cold' };
    },
    thought: (refinement: { about: string }) => ({ about: refinement.about }),
  };
  return {
    engine: made as unknown as Pick<Engine, 'readsThought' | 'follow' | 'thought'>,
    followed,
    advanced: () => advanced,
  };
}

const about = (prefix: string): CompletionRequest => ({ path: 'a.ts', prefix, suffix: '', related: [] });
const patient = new AbortController().signal;

test('a thought for each key, about its own text; those used longest ago are forgotten', async () => {
  const { engine: made } = engine();
  const thoughts = new UserThoughts(made, new RequestQueue(1), { steps: 4, capacity: 2 });
  for (const key of ['ada', 'ben', 'eve']) {
    thoughts.about(key, about(`text of ${key}`));
    await thoughts.rested();
  }
  assert.equal(thoughts.of('ada'), undefined);
  assert.deepEqual(thoughts.of('ben'), { about: 'text of ben' });
  assert.deepEqual(thoughts.of('eve'), { about: 'text of eve' });
  assert.equal(thoughts.size, 2);
});

test('no run begins while somebody has a turn or waits for one; the newest text is what counts', async () => {
  const { engine: made, followed, advanced } = engine();
  const queue = new RequestQueue(4);
  const thoughts = new UserThoughts(made, queue, { steps: 4, capacity: 2 });
  const release = await queue.take(patient);
  thoughts.about('ada', about('one'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([followed, advanced()], [[], 0]);
  release();
  await thoughts.rested();
  thoughts.about('ada', about('two'));
  await thoughts.rested();
  thoughts.about('ada', about('two'));
  await thoughts.rested();
  assert.deepEqual(followed, ['one', 'two', 'two']);
  assert.equal(advanced(), 6);
  assert.deepEqual(thoughts.of('ada'), { about: 'two' });
});

test('a model that fails at thinking is told of, and the next text is thought about all the same', async () => {
  const { engine: made } = engine();
  const failing = { ...made, follow: () => { throw new Error('no memory'); } }; // prettier-ignore
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const thoughts = new UserThoughts(failing, new RequestQueue(1), { steps: 4, capacity: 2, log });
  for (const text of ['one', 'two']) {
    thoughts.about('ada', about(text));
    await thoughts.rested();
  }
  assert.deepEqual(lines, ['thinking failed: no memory', 'thinking failed: no memory']);
});

test('without steps, or with a decoder that reads no thought, there is none', async () => {
  const { engine: made } = engine();
  const thoughts = new UserThoughts(made, new RequestQueue(1), { steps: 0, capacity: 2 });
  thoughts.about('ada', about('one'));
  await thoughts.rested();
  assert.equal(thoughts.size, 0);
  const blind = new UserThoughts({ ...made, readsThought: false }, new RequestQueue(1), { steps: 4, capacity: 2 });
  blind.about('ada', about('one'));
  assert.equal(blind.size, 0);
});
