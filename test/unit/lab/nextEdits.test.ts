import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diff, distance } from '../../../lab/nextEdits/diff';
import { stepsOf, Way } from '../../../lab/nextEdits/steps';
import { EDIT_FEATURES } from '../../../src/edits/confidence';
import type { EditCandidate, Facts } from '../../../src/edits/candidate';
import { outcomeOf, thresholdFor, type Policy } from '../../../lab/nextEdits/policy';
import { inTurn } from '../../../lab/nextEdits/histories';
import { judgeBy, variantList } from '../../../lab/nextEdits/judge';
import { KeptWalks, readWalks } from '../../../lab/nextEdits/kept';
import { agreement, candidateNll, rankedRight } from '../../../lab/nextEdits/report';
import { walk, type Walk } from '../../../lab/nextEdits/walk';
import type { CompletionRequest, Engine, Thought } from '../../../src/completion/engine';

const BEFORE = 'open(file);\nclose(file);\nprint(user.name, 1);\nkeep();\nprint(user.name, 2);\n';
const AFTER = 'open(file, mode);\nclose(file);\nprint(user.title, 1);\nkeep();\nprint(user.title, 2);\n';

describe('the way from one text to another', () => {
  const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });

  it('a diff, applied, gives the other list, and is as short as can be', () => {
    fc.assert(
      fc.property(words, words, (before, after) => {
        const made = [...before];
        for (const { start, end, replacement } of diff(before, after)!.toReversed()) {
          made.splice(start, end - start, ...replacement);
        }
        assert.deepEqual(made, after);
        assert.equal(distance(before, after), before.length + after.length - 2 * common(before, after));
      }),
    );
  });

  it('lists that differ in too much are not compared', () => {
    const other = (name: string) => Array.from({ length: 300 }, (_, i) => name + i);
    assert.equal(diff(other('a'), other('b')), undefined);
  });

  it('its edits, made one after the other, give the text', () => {
    const way = new Way('a.ts', BEFORE, stepsOf({ before: BEFORE, after: AFTER })!);
    assert.equal(way.length, 3);
    const told = Array.from({ length: 3 }, (_, i) => way.make(i));
    assert.equal(way.text, AFTER);
    assert.deepEqual(told[0], { offset: 9, removed: '', inserted: ', mode' });
  });

  it('an edit is on the way if less is left to do after it', () => {
    const way = new Way('a.ts', BEFORE, stepsOf({ before: BEFORE, after: AFTER })!);
    const at = (place: string) => way.text.lastIndexOf(place);
    assert.deepEqual(way.onTheWay({ start: at('name'), oldText: 'name', newText: 'title' }), [2]);
    assert.equal(way.onTheWay({ start: at('name'), oldText: 'name', newText: 'label' }), undefined);
    assert.equal(way.onTheWay({ start: at('keep'), oldText: 'keep', newText: 'hold' }), undefined);
    way.make(2);
    assert.equal(way.onTheWay({ start: at('title'), oldText: 'title', newText: 'name' }), undefined);
  });
});

/** Length of the longest common subsequence, the slow and plain way. */
function common(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  if (a[0] === b[0]) return 1 + common(a.slice(1), b.slice(1));
  return Math.max(common(a.slice(1), b), common(a, b.slice(1)));
}

const none = Object.fromEntries(EDIT_FEATURES.map((name) => [name, 0])) as Record<
  (typeof EDIT_FEATURES)[number],
  number
>;
const fitted = (threshold: number) => ({ bias: 0, weights: { ...none, left: 6 }, threshold });
const policy: Policy = {
  weights: { rename: fitted(0.6), repeat: fitted(0.6) },
  kinds: ['rename', 'repeat'],
};

describe('a commit, edit by edit', () => {
  it('what was edited once is found where it is edited next, and nowhere else is it right', async () => {
    const commit = { owner: 'o', hash: 'h', files: [{ path: 'a.ts', before: BEFORE, after: AFTER }] };
    const walked = (await walk(commit))!;
    const found = walked.moments.map(({ observations }) =>
      observations.map(
        ({ candidate, makes }) => `${candidate.oldText}→${candidate.newText} ${makes?.join() ?? 'wrong'}`,
      ),
    );
    assert.deepEqual(found[1], ['→, mode wrong', 'name→title a.ts#2'].toReversed());
    const { following, offered, right, recalled } = outcomeOf(walked, {
      ...policy,
      weights: { rename: fitted(0.9), repeat: fitted(0.9) },
    });
    assert.deepEqual({ following, offered, right, recalled }, { following: 2, offered: 1, right: 1, recalled: 1 });
  });

  it('a commit of one edit, and one of too many, are left out', async () => {
    const file = (before: string, after: string) => ({
      owner: 'o',
      hash: 'h',
      files: [{ path: 'a.ts', before, after }],
    });
    assert.equal(await walk(file('a;\n', 'b;\n')), undefined);
    const [many, changed] = ['a', 'b'].map((name) => `keep(${name}, x);\nstay();\n`.repeat(100));
    assert.equal(await walk(file(many!, changed!)), undefined);
  });
});

const nothing: Facts = {
  kind: 'repeat',
  left: 0,
  right: 0,
  sameLine: false,
  made: 1,
  oldLength: 0,
  newLength: 0,
  places: 0,
  skipped: 0,
  inserts: false,
  deletes: false,
  wordless: false,
  lines: 0,
  otherFile: false,
  names: false,
  orphaned: false,
  declared: false,
};

describe('what is offered on the way', () => {
  const observed = (left: number, makes: string[] | undefined, newText = 'new') => ({
    candidate: {
      kind: 'repeat',
      source: { uri: 'a', start: 0, oldText: 'old', newText },
      facts: { ...nothing, left },
    } as unknown as EditCandidate,
    makes,
    gains: {},
  });
  const commit: Walk = {
    owner: 'o',
    hash: 'h',
    edits: 4,
    moments: [
      [observed(6, ['1']), observed(5, ['2']), observed(0, undefined)],
      [observed(6, undefined)],
      [],
      [observed(6, undefined), observed(5, undefined)],
    ].map((observations, i) => ({ edit: String(i), observations, finding: 1, judging: [] })),
  };

  it('the surest, one after the other; what was accepted is not edited by hand; what was dismissed does not come back', () => {
    assert.deepEqual(outcomeOf(commit, policy), { owner: 'o', following: 3, offered: 3, right: 2, recalled: 2 });
  });

  it('the threshold is the least with which enough is right', () => {
    assert.equal(thresholdFor([commit], policy, 'repeat', 0.6), 0.3);
    assert.equal(thresholdFor([commit], policy, 'repeat', 0.99), 1);
  });
});

describe('judges', () => {
  const commit = { owner: 'o', hash: 'h', files: [{ path: 'a.ts', before: BEFORE, after: AFTER }] };
  /** An engine whose thoughts are the texts that they were refined on: a gain is how many edits the thought has seen. */
  const engine = {
    prior: { seen: -1 },
    refinement: ({ edited }: CompletionRequest) => refined(edited?.length ?? 0),
    follow: ({ edited }: CompletionRequest) => ({ refinement: refined(edited?.length ?? 0) }),
    thought: (refinement: { seen: number }) => refinement,
    gain: ({ prefix }: { prefix: string }, { seen }: { seen: number } & Thought) => {
      prefixes.push(prefix);
      return Promise.resolve(seen);
    },
  };
  const prefixes: string[] = [];
  const refined = (seen: number) => ({ seen, advance: () => Promise.resolve(false) });
  const judge = judgeBy(engine as unknown as Engine, ['z_0', 'frozen', 'warm'], 1);

  it('are asked under no thought, under the one before all edits, and under the one that follows them', async () => {
    const { moments } = (await walk(commit, judge))!;
    const gains = moments.flatMap(({ observations }) => observations.map((one) => one.gains));
    assert.ok(gains.length > 2);
    for (const { z_0, frozen, warm } of gains) assert.deepEqual([z_0, frozen, Number(warm) > 0], [-1, 0, true]);
    assert.deepEqual(
      moments.map(({ judging, observations }) => judging.length === observations.length),
      [true, true, true],
    );
  });

  it('read less where they are told to, and the line that was edited first', async () => {
    prefixes.length = 0;
    await walk(commit, judgeBy(engine as unknown as Engine, ['z_0'], 0, 4));
    assert.ok(prefixes.includes('print(user.title, 1);\nser.'), prefixes.join('|'));
    assert.ok(
      prefixes.every((prefix) => /^.*\n?.{0,4}$/.test(prefix)),
      prefixes.join('|'),
    );
  });

  it('are named by their thoughts', () => {
    assert.deepEqual(variantList('on'), ['z_0']);
    assert.deepEqual(variantList('warm, z_0,warm'), ['warm', 'z_0']);
    assert.throws(() => variantList('hot'), /--judge hot: use z_0, frozen, warm/);
  });

  const walkOf = (owner: string, gains: readonly number[]): Walk => {
    const facts = { ...nothing, left: 6 };
    const observations = gains.map((z_0, i) => ({
      candidate: { kind: 'repeat', facts } as unknown as EditCandidate,
      gains: { z_0 },
      ...(i === 0 && { makes: ['1'] }),
    }));
    return { owner, hash: 'h', edits: 2, moments: [{ edit: '0', observations, finding: 1, judging: [] }] };
  };

  it('agree where both find the new text likelier, or both the old one', () => {
    const lines = agreement([walkOf('a', [3, -1, 7])], [walkOf('a', [1, 1, 9]), walkOf('b', [1])], 'z_0').split('\n');
    assert.match(lines[0]!, /: 0.500 by this one, 0.250 by the other/);
    assert.match(lines[1]!, /^3 candidates .* 66.7 % by this one, 100.0 % by the other/);
    assert.deepEqual(
      lines.slice(5).map((line) => line.split('|')[2]!.trim()),
      ['3', '2', '1', '0'],
    );
    assert.match(lines[5]!, / 66.7 /);
    assert.match(lines[6]!, / 100.0 /);
  });

  it('tell right from wrong as well as they place the one above the other', () => {
    const of = (...said: [number, boolean][]) => rankedRight(said.map(([said, right]) => ({ said, right })));
    assert.equal(of([2, true], [1, false], [0, false]), 1);
    assert.equal(of([1, true], [1, false], [0, true]), 0.25);
    assert.equal(of([1, true]), 0.5);
  });

  it('know the better, the smaller the NLL of what became of the candidates', () => {
    const trusting = (gain: number): Policy => {
      const weights = { bias: 0, weights: { ...none, gain }, threshold: 1 };
      return { weights: { rename: weights, repeat: weights }, kinds: ['repeat'], judge: 'z_0' };
    };
    const nll = (gain: number) => candidateNll([walkOf('a', [20, -20])], trusting(gain))!.mean;
    assert.ok(Math.abs(nll(0) - Math.LN2) < 1e-9);
    assert.ok(nll(1) < nll(0) && nll(0) < nll(-1));
  });
});

describe('walks', () => {
  it('of repositories take turns, in both sets', () => {
    const commit = (owner: string, hash: string) => ({ owner, hash, files: [] });
    const sets = [
      [commit('a', '1'), commit('a', '2'), commit('b', '3')],
      [commit('c', '4'), commit('c', '5')],
    ];
    assert.deepEqual(
      inTurn(sets).map(({ set, commit: { hash } }) => `${set} ${hash}`),
      ['0 1', '1 4', '0 3', '1 5', '0 2'],
    );
  });

  it('are kept as they are made, and not mixed with others', () => {
    const folder = mkdtempSync(join(tmpdir(), 'walks-'));
    const file = join(folder, 'walks.jsonl');
    const of = { model: 'nano', sha256: 'a', variants: ['z_0'], steps: 0, context: 64 };
    const made: Walk = { owner: 'o', hash: 'h', edits: 2, moments: [] };
    const kept = new KeptWalks(file, of);
    kept.add('o h', made);
    kept.add('o i', undefined);
    appendFileSync(file, '{"key":"o j","wa');
    const again = new KeptWalks(file, of);
    assert.deepEqual(
      [again.get('o h'), again.has('o i'), again.get('o i'), again.has('o j')],
      [made, true, undefined, false],
    );
    again.add('o j', undefined);
    assert.ok(new KeptWalks(file, of).has('o j'), 'behind the line that was broken off');
    assert.throws(() => new KeptWalks(file, { ...of, steps: 2 }), /walks.jsonl: walks of another model/);
    assert.throws(() => readWalks(join(folder, 'none')), /none: no such file/);
    writeFileSync(file, 'x\ny\n');
    assert.throws(() => readWalks(file), /walks.jsonl: not a file of walks/);
    rmSync(folder, { recursive: true });
  });
});
