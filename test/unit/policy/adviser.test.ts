import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { learn, noExperience } from '../../../src/policy/policy';
import { readState, writeState } from '../../../src/policy/state';
import { POLICY_FILE } from '../../../src/protocol';
import { Adviser, sizesOf, type Candidate } from '../../../src/server/adviser';

const uri = 'file:///a.ts';
const text = 'return first + second;';
const candidate = (more: Partial<Candidate> = {}): Candidate => ({
  uri,
  odds: { logprob: -3, characters: text.length },
  typed: 0,
  text,
  offered: text,
  place: 'end',
  language: 'typescript',
  divisible: true,
  sinceKeystroke: 400,
  ...more,
});

/** Somebody who takes nothing. */
const refusing = () => {
  let state = noExperience;
  const features = noExperience.posterior.mean.map((_, i) => (i === 0 ? 1 : 0));
  for (let i = 0; i < 300; i++) state = learn(state, { features, language: 'typescript' }, 0);
  return writeState(state);
};

test('a suggestion can be cut where a line ends, and not where only blank lines came before', () => {
  assert.deepEqual(sizesOf({ text: '\n  a();\n\n  b();\n}', divisible: true }), [
    { characters: 7, lines: 1 },
    { characters: 8, lines: 1 },
    { characters: 15, lines: 2 },
  ]);
  assert.deepEqual(sizesOf({ text: 'a();\nb();', divisible: false }), []);
});

describe('adviser', () => {
  let folder = '';
  let file = '';
  let log: string[] = [];
  let adviser: Adviser;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoughtline-adviser-'));
    file = join(folder, 'workspace', POLICY_FILE);
  });
  after(() => rm(folder, { recursive: true }));
  const open = async (stored?: string) => {
    log = [];
    await rm(join(folder, 'workspace'), { recursive: true, force: true });
    if (stored !== undefined) {
      adviser = new Adviser({ log: () => undefined, random: () => 0.99 });
      adviser.open(join(folder, 'workspace'));
      adviser.advise(candidate());
      adviser.learn({ uri, text, share: 1, kept: true });
      await adviser.store();
      await writeFile(file, stored);
    }
    adviser = new Adviser({ log: (line) => log.push(line), random: () => 0.99 });
    adviser.open(join(folder, 'workspace'));
    await adviser.store();
  };
  beforeEach(() => open());
  const stored = async () => readState(await readFile(file, 'utf8')).state;

  test('what becomes of a suggestion is learned once, and only of what was decided', async () => {
    assert.deepEqual(adviser.advise(candidate()), { until: text.length });
    adviser.learn({ uri: 'file:///b.ts', text, share: 1, kept: true });
    adviser.learn({ uri, text: 'something else', share: 1, kept: true });
    adviser.learn({ uri, text, share: 7, kept: true });
    adviser.learn({ uri, text, share: 0.5, kept: true });
    adviser.learn({ uri, text, share: 0, kept: true });
    adviser.advise(candidate({ text: 'second', offered: 'second', odds: { logprob: -1, characters: 6 } }));
    adviser.learn({ uri, text: 'second', share: 1, kept: false });
    await adviser.store();
    const { decisions, recent, languages } = await stored();
    assert.deepEqual([decisions, recent, languages], [2, [0.5, 0], ['typescript']]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.ok(!(await readFile(file, 'utf8')).includes('first'), 'no text is kept');
  });

  test('of an answer that came too late the rest is recognised', async () => {
    adviser.advise(candidate());
    adviser.learn({ uri, text: text.slice(2), share: 1, kept: true });
    adviser.learn({ uri, text: '', share: 1, kept: true });
    await adviser.store();
    assert.equal((await stored()).decisions, 1);
  });

  test('who takes nothing is shown nothing, is told why, and still gets what is asked for by hand', async () => {
    await open(refusing());
    const one = candidate();
    const { until, reason } = adviser.advise(one);
    assert.equal(until, 0);
    assert.match(reason ?? '', /would probably not take it \(\d+ %.*thoughtline\.adaptive/);
    // While they type along, it does not come after all; once they ask for it, it stays.
    assert.equal(adviser.advise({ ...one, typed: 3, text: text.slice(3), offered: text.slice(3) }).until, 0);
    assert.deepEqual(adviser.show(one.odds), { until: Infinity });
    assert.deepEqual(adviser.advise({ ...one, typed: 4, text: text.slice(4), offered: text.slice(4) }), {
      until: Infinity,
    });
    adviser.adaptive = false;
    assert.deepEqual(adviser.advise(candidate()), { until: Infinity });
    assert.deepEqual(log, []);
  });

  test('switched off, it learns nothing', async () => {
    adviser.advise(candidate());
    adviser.adaptive = false;
    adviser.learn({ uri, text, share: 1, kept: true });
    await adviser.store();
    await assert.rejects(stat(file), /ENOENT/);
  });

  test('forgets, on disk, too', async () => {
    await open(refusing());
    assert.equal(adviser.advise(candidate()).until, 0);
    await adviser.forget();
    assert.equal(adviser.advise(candidate()).until, text.length);
    await assert.rejects(stat(file), /ENOENT/);
  });

  test('what is damaged on disk is dropped with one line', async () => {
    await open('{"format":1,');
    assert.deepEqual(log, ['what was learned from suggestions taken is dropped: it is no JSON']);
    assert.equal(adviser.advise(candidate()).until, text.length);
  });
});
