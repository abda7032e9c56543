import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { UsageError } from '../../../src/cli/command';
import { simulatePolicy } from '../../../src/cli/simulatePolicy';
import { estimate, figures, simulate, type Opportunity } from '../../../src/cli/simulation/simulate';
import { acceptance, savedBy, USERS, type User } from '../../../src/cli/simulation/user';
import { UserError } from '../../../src/model/errors';
import { randomFrom } from '../../../src/model/random';

const [usual] = USERS as [User, ...User[]];

/** Suggestions at line ends are right, on empty lines they are wrong, and the model is as sure of both. */
function byPlace(count: number): Opportunity[] {
  const random = randomFrom(11);
  return Array.from({ length: count }, (_, i) => {
    const right = i % 2 === 0;
    return {
      exact: right,
      similarity: right ? 1 : 0.2,
      characters: 20,
      lines: 1,
      logprob: -2 - 4 * random(),
      place: right ? 'end' : 'empty',
      language: '.ts',
    };
  });
}

test('the user takes what is right, seldom what is similar, nothing else but by carelessness', () => {
  const one = { characters: 11, lines: 1 };
  const table: [exact: boolean, similarity: number, p: number, saved: number][] = [
    [true, 1, 0.95 * 0.9 + 0.025, 10],
    [false, 0.8, 0.95 * 0.3 * 0.6 + 0.025, 7.8],
    [false, 0.5, 0.025, 0],
    [false, 0, 0.025, 0],
  ];
  for (const [exact, similarity, p, saved] of table) {
    const suggested = { ...one, exact, similarity };
    assert.ok(Math.abs(acceptance(suggested, usual) - p) < 1e-9, `${similarity}`);
    assert.ok(Math.abs(savedBy(suggested) - saved) < 1e-9, `${similarity}`);
  }
});

test('figures: what is shown with a probability counts by it', () => {
  const [right, wrong] = byPlace(2) as [Opportunity, Opportunity];
  const careful = { ...usual, exact: 1, careless: 0 };
  const { shown, acceptance: rate, saved, net } = figures([right, wrong], careful, (i) => (i === 0 ? 1 : 0.5));
  assert.deepEqual([shown, rate, saved, net], [0.75, 1 / 1.5, 19 / 2, (19 - 2 * 1.5) / 2]);
});

test('where the model’s sureness says nothing, the policy finds what does', () => {
  const { policy, always, equalSaved, equalAcceptance } = simulate(byPlace(200), usual, { decisions: 1500, seed: 1 });
  assert.ok(policy.acceptance > 0.8, `${policy.acceptance}`);
  assert.ok(always.acceptance < 0.6, `${always.acceptance}`);
  assert.ok(policy.net > always.net);
  assert.ok(policy.acceptance > equalSaved.acceptance + 0.2);
  // The rivals are equal in what they are said to be equal in.
  assert.ok(Math.abs(equalSaved.saved - policy.saved) < 1e-6);
  assert.ok(equalAcceptance.shown === 0 || equalAcceptance.acceptance >= policy.acceptance);
});

test('before 200 decisions it is the same as showing everything', () => {
  const { policy, always } = simulate(byPlace(200), usual, { decisions: 199, seed: 1 });
  assert.deepEqual(policy, always);
});

test('the same seed gives the same figures, another seed others', () => {
  const run = (seed: number) => simulate(byPlace(60), usual, { decisions: 400, seed });
  assert.deepEqual(run(3), run(3));
  assert.notDeepEqual(run(3), run(4));
});

test('mean and standard error', () => {
  assert.deepEqual(estimate([1, 2, 3, 4]), { mean: 2.5, error: Math.sqrt(5 / 3 / 4) });
});

describe('thoughtline simulate-policy', () => {
  let folder = '';
  const print = mock.method(console, 'log', () => undefined);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoughtline-simulate-'));
  });
  after(async () => {
    print.mock.restore();
    await rm(folder, { recursive: true });
  });
  const report = async (content: unknown) => {
    const file = join(folder, 'report.json');
    await writeFile(file, JSON.stringify(content));
    return file;
  };
  const measured = byPlace(40).map(({ place, language: _, ...outcome }, i) => ({
    path: `src/${i}.ts`,
    kind: place === 'end' ? 'tail' : 'line',
    outcomes: { 'T=4': outcome, 'T=0': { exact: false, similarity: 0, characters: 0, lines: 0 } },
  }));

  test('has a row for each user', async () => {
    const file = await report({ measured });
    assert.equal(await simulatePolicy.run([file, '--seeds', '2', '--decisions', '300', '--json']), 0);
    const [text] = print.mock.calls.at(-1)!.arguments as unknown as [string];
    const { way, suggestions, users } = JSON.parse(text) as { way: string; suggestions: number; users: unknown[] };
    assert.deepEqual([way, suggestions, users.length], ['T=4', 40, USERS.length]);
    assert.equal(await simulatePolicy.run([file, '--seeds', '2', '--decisions', '300']), 0);
    const [lines] = print.mock.calls.at(-1)!.arguments as unknown as [string];
    assert.equal(lines.match(/^\| /gm)?.length, 2 + USERS.length);
    assert.doesNotMatch(lines, /NaN|undefined|Infinity/);
  });

  test('says what it cannot use', async () => {
    await assert.rejects(simulatePolicy.run([]), UsageError);
    await assert.rejects(simulatePolicy.run([join(folder, 'none.json')]), UserError);
    await assert.rejects(simulatePolicy.run([await report({ rows: [] })]), /no measured items/);
    await assert.rejects(simulatePolicy.run([await report({ measured }), '--way', 'T=9']), /use one of T=4, T=0/);
    await assert.rejects(simulatePolicy.run([await report({ measured }), '--way', 'T=0']), /0 suggestions/);
  });
});
