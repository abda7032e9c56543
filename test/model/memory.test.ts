import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CompletionRequest } from '../../src/completion/engine';
import { hasNano, NANO, TINY } from '../fixtures';
import { mixtureExamples, scoreUnderThought } from '../../lab/engineMeasures';
import { requestIn, withEngine } from './bundles';

/** Names that no text has ever held: made of syllables by a seeded generator. */
function names(seed: number, count: number): string[] {
  const syllables = ['zor', 'blat', 'quux', 'fen', 'wib', 'drel', 'yop', 'kash', 'mun', 'teg'];
  let state = seed;
  const next = () => (state = (state * 48271) % 2147483647) % syllables.length;
  const word = () => `${syllables[next()]}${syllables[next()]}`;
  const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  return Array.from({ length: count }, () => `${word()}${capital(word())}`);
}

/** More text than a window holds. */
const FAR = Array.from({ length: 60 }, (_, i) => `    if (amount > ${i * 10}) log('more than', ${i * 10});\n`).join('');

/** A file that uses a name, and is about to use it again; what stands between may be more than a window holds. */
function fileWith(name: string, between = ''): CompletionRequest {
  const prefix = `import { log } from './log';

/** Counts what is waiting. */
export class Waiting {
  private ${name}: number = 0;

  add(amount: number): void {
    this.${name} += amount;
    log('added', this.${name});
  }

  clear(): void {
    this.${name} = 0;
  }

  remove(amount: number): void {
${between}    this.${name.slice(0, 3)}`;
  return { path: 'src/waiting.ts', prefix, suffix: '\n  }\n}\n', related: [] };
}

const options = { steps: 0, maxLines: 1, candidates: 1 };

if (hasNano) {
  describe('lookup memory of nano', () => {
    const engine = withEngine(NANO);

    test('identifiers never seen in training are far more probable with it from beyond the window', async () => {
      for (const name of names(17, 8)) {
        const request = fileWith(name, FAR);
        const nats = async (memory: boolean) =>
          (await scoreUnderThought(engine(), request, name.slice(3), engine().prior, { memory })).nats;
        const [withIt, without] = [await nats(true), await nats(false)];
        assert.ok(withIt < without / 2, `${name}: ${withIt} nats with it, ${without} without`);
      }
    });

    test('some come out right with it, and none without', async () => {
      let [on, off] = [0, 0];
      for (const name of names(17, 8)) {
        const written = async (memory: boolean) =>
          `${name.slice(0, 3)}${(await engine().complete(fileWith(name, FAR), { ...options, memory })).text}`;
        if (new RegExp(`^${name}\\b`).test(await written(true))) on++;
        if (new RegExp(`^${name}\\b`).test(await written(false))) off++;
      }
      assert.ok(on > 0 && off === 0, `${on} of 8 with it, ${off} without`);
    });

    test('what stands in another open file is found, too', async () => {
      const [name = ''] = names(5, 1);
      const related = [{ path: 'src/other.ts', text: `export function ${name}(value: string): string {\n}\n` }];
      const prefix = `import { ${name.slice(0, 5)}`;
      const request = { path: 'src/a.ts', prefix, suffix: '\n', related };
      const text = await engine().complete(request, { ...options, memory: true });
      assert.ok(`${name.slice(0, 5)}${text.text}`.startsWith(name), text.text);
    });

    test('a string that stands in the target only is never completed', async () => {
      const [canary = ''] = names(23, 1);
      const request = fileWith('amount');
      const target = `${canary}${canary}`;
      // Scored with the memory on, and thought about: neither may keep it.
      // Without drafts, which leave the text as it is and round log p otherwise in the seventh digit.
      const exact = { ...options, drafts: false };
      const before = await engine().complete(request, exact);
      await scoreUnderThought(engine(), request, target, engine().prior, { memory: true });
      await mixtureExamples(engine(), request, target, engine().prior, true);
      const after = await engine().complete(request, exact);
      assert.deepEqual(after.candidates, before.candidates);
      assert.ok(!after.text.includes(canary.slice(0, 6)), after.text);
      // With it in the file, it would be: so the test can fail.
      const given = await engine().complete({ ...request, prefix: `${fileWith(canary).prefix}` }, options);
      assert.ok(`${canary.slice(0, 3)}${given.text}`.includes(canary), given.text);
    });

    test('a target is scored without knowing itself', async () => {
      const request = { ...fileWith('amount'), prefix: 'const first = ', suffix: '\n' };
      const [canary = ''] = names(31, 1);
      const once = await scoreUnderThought(engine(), request, `${canary};\n`, engine().prior, { memory: true });
      const again = await scoreUnderThought(engine(), request, `${canary};\n`, engine().prior, { memory: true });
      const without = await scoreUnderThought(engine(), request, `${canary};\n`, engine().prior);
      assert.equal(again.nats, once.nats);
      assert.ok(Math.abs(once.nats - without.nats) < 0.1 * without.nats, `${once.nats} and ${without.nats}`);
    });

    test('text that repeats the file is more probable with it', async () => {
      const request = await requestIn('src/completion/engine.ts', 0.5);
      const lines = request.suffix.slice(1, 400);
      const off = await scoreUnderThought(engine(), request, lines, engine().prior);
      const on = await scoreUnderThought(engine(), request, lines, engine().prior, { memory: true });
      assert.ok(on.nats < off.nats, `${on.nats} and ${off.nats}`);
    });

    test('without it, what the thought has read still counts, and a text that repeats that is more probable', async () => {
      const request = await requestIn('src/completion/engine.ts', 0.5);
      const refinement = engine().refinement(request, { steps: 1 });
      while (await refinement.advance());
      const thought = engine().thought(refinement);
      const lines = request.suffix.slice(2000, 2600);
      const read = await scoreUnderThought(engine(), { ...request, suffix: '' }, lines, thought);
      const unread = await scoreUnderThought(engine(), { ...request, suffix: '' }, lines, {
        ...thought,
        datastore: [],
      });
      assert.ok(read.nats < 0.9 * unread.nats, `${read.nats} and ${unread.nats}`);
    });

    test('what is completed does not depend on what was completed before', async () => {
      const [one, two] = [fileWith('amount'), await requestIn('src/completion/engine.ts', 0.6)];
      const first = await engine().complete(one, options);
      await engine().complete({ ...two, related: [{ path: one.path, text: one.prefix }] }, options);
      assert.deepEqual((await engine().complete(one, options)).candidates, first.candidates);
    });

    test('texts that are new wait for another time where there is none, and the result says so', async () => {
      const request = await requestIn('src/server/main.ts', 0.5);
      const hurried = await engine().complete(request, { ...options, memoryDeadlineMs: -1 });
      assert.equal(hurried.partial, true);
      const preparing = engine().prepare(request, engine().prior);
      while (!(await preparing.next()).done);
      const whole = await engine().complete(request, { ...options, memoryDeadlineMs: -1 });
      assert.equal(whole.partial, undefined);
    });
  });
}

describe('a bundle without weights for the memory', () => {
  const engine = withEngine(TINY);
  test('completes as if it were switched off', async () => {
    const request = await requestIn('src/completion/engine.ts', 0.5);
    const on = await engine().complete(request, { ...options, memory: true });
    assert.deepEqual(on.candidates, (await engine().complete(request, { ...options, memory: false })).candidates);
  });
});
