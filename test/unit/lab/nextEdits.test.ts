import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { diff, distance } from '../../../lab/nextEdits/diff';
import { stepsOf, Way } from '../../../lab/nextEdits/steps';
import { EDIT_FEATURES } from '../../../src/edits/confidence';
import type { EditCandidate, Facts } from '../../../src/edits/candidate';
import { outcomeOf, thresholdFor, type Policy } from '../../../lab/nextEdits/policy';
import { candidateNll } from '../../../lab/nextEdits/report';
import { walk, type Walk } from '../../../lab/nextEdits/walk';

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
    ].map((observations, i) => ({ edit: String(i), observations, finding: 1 })),
  };

  it('the surest, one after the other; what was accepted is not edited by hand; what was dismissed does not come back', () => {
    assert.deepEqual(outcomeOf(commit, policy), { owner: 'o', following: 3, offered: 3, right: 2, recalled: 2 });
  });

  it('the threshold is the least with which enough is right', () => {
    assert.equal(thresholdFor([commit], policy, 'repeat', 0.6), 0.3);
    assert.equal(thresholdFor([commit], policy, 'repeat', 0.99), 1);
  });
});

describe('how well candidates are known', () => {
  it('is the better, the smaller the NLL of what became of them', () => {
    const candidate = (left: number, makes?: string[]) => ({
      candidate: { kind: 'repeat', facts: { ...nothing, left } } as unknown as EditCandidate,
      makes,
    });
    const observations = [candidate(6, ['1']), candidate(-6)];
    const walked: Walk = { owner: 'a', hash: 'h', edits: 2, moments: [{ edit: '0', observations, finding: 1 }] };
    const trusting = (left: number): Policy => {
      const weights = { bias: 0, weights: { ...none, left }, threshold: 1 };
      return { weights: { rename: weights, repeat: weights }, kinds: ['repeat'] };
    };
    const nll = (left: number) => candidateNll([walked], trusting(left))!.mean;
    assert.ok(Math.abs(nll(0) - Math.LN2) < 1e-9);
    assert.ok(nll(1) < nll(0) && nll(0) < nll(-1));
  });
});
