import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tables, withTables, type Report } from '../../../scripts/families';
import { footprint } from '../../../lab/evaluation/footprint';
import type { Measured, Outcome } from '../../../lab/evaluation/measure';
import { families, summarise } from '../../../lab/evaluation/summary';
import { familyVariants } from '../../../lab/evaluation/variants';

const outcome = (exact: boolean, nats?: number): Outcome => ({
  exact,
  within: true,
  logprob: Math.log(0.75),
  similarity: exact ? 1 : 0.5,
  milliseconds: 20,
  megabytes: 3,
  ...(nats !== undefined && { nats }),
});
const measured: Measured[] = ['one', 'two'].flatMap((repository) =>
  (['tail', 'line', 'block'] as const).map((kind) => ({
    repository,
    path: 'a.ts',
    kind,
    place: 'syntax' as const,
    bytes: 8,
    coverage: 1,
    outcomes: {
      z0: outcome(false, 16 * Math.LN2),
      z: outcome(false, 8 * Math.LN2),
      'z+memory': outcome(true, 4 * Math.LN2),
      'z+confidence': outcome(true),
    },
  })),
);
const summary = summarise(measured, familyVariants(), { prior: 'z0', defaultSteps: 'z' });
const report: Report = {
  ...summary,
  model: { name: 'nano', version: '1.0.0' },
  seed: 1,
  measured,
  rows: families(summary),
};

describe('the page of the families', () => {
  const written = tables(report, 'npm run lab -- evaluate DIR --families');
  /** The cells of the rows of a family in the tables, one after the other. */
  const lineOf = (start: string) => {
    const rows = written.split('\n').filter((line) => line.startsWith(`| ${start} |`));
    return rows.length === 0 ? undefined : [start, ...rows.flatMap((line) => line.slice(2, -2).split(' | ').slice(1))];
  };

  test('has a row for each family that was measured, and no likelihood where there is none', () => {
    assert.deepEqual(lineOf('z0')?.slice(1, 5), ['2.000', '0.0 (0.0–0.0)', '0.0 (0.0–0.0)', '100.0 (100.0–100.0)']);
    assert.deepEqual([lineOf('z0')?.at(-3), lineOf('z+memory')?.at(-3)], ['0.750', '0.250']);
    assert.deepEqual(lineOf('z+confidence')?.slice(1, 3), ['–', '100.0 (100.0–100.0)']);
    assert.deepEqual(lineOf('z+memory')?.slice(-2), ['20', '3.0']);
    assert.equal(lineOf('z+syntax check'), undefined);
  });

  test('compares families on the same items', () => {
    assert.equal(lineOf('z against z0')?.[1], '−1.000 (−1.000 to −1.000)');
    const [, bits, , suffixes] = lineOf('z+memory against z') ?? [];
    assert.deepEqual([bits, suffixes], ['−0.500 (−0.500 to −0.500)', '+100.0 (+100.0 to +100.0)']);
    assert.deepEqual(lineOf('z+confidence against z')?.slice(1), [
      '–',
      '+50.0 (+50.0 to +50.0)',
      '+100.0 (+100.0 to +100.0)',
      '+100.0 (+100.0 to +100.0)',
    ]);
    assert.equal(lineOf('all against z0'), undefined);
  });

  test('no line of it but a row of a table is longer than 120 columns', () => {
    const long = tables(report, `npm run lab -- evaluate ${'--option VALUE '.repeat(12)}`.trim());
    const lines = long.split('\n').filter((line) => !line.startsWith('|'));
    assert.deepEqual(
      lines.filter((line) => line.length > 120),
      [],
    );
    assert.match(lines.join('\n'), /VALUE \\\n {2}--option/);
  });

  test('keeps what stands around the tables, and is the same when they are rewritten', () => {
    const page = 'before\n<!-- tables: written by scripts/families.ts -->\nold\n<!-- end of the tables -->\nafter\n';
    const next = withTables(page, written);
    assert.ok(
      next.startsWith('before\n') && next.endsWith('\nafter\n') && next.includes(written) && !next.includes('old'),
    );
    assert.equal(withTables(next, written), next);
    assert.throws(() => withTables('no marks', written), /lacks/);
  });
});

test('what a variant keeps for a place: caches of the window, of each thought, of what is written side by side, the evidence', () => {
  const architecture = {
    vocabulary: 100,
    width: 10,
    layers: 3,
    trunkLayers: 1,
    heads: 2,
    kvHeads: 1,
    headWidth: 5,
  };
  const manifest = { architecture, window: { tokens: 100, suffixTokens: 10, hop: 5 }, chunk: { tokens: 20 } };
  const none: Parameters<typeof footprint>[2] = { datastore: [], gradients: new Map() };
  const bytes = (options: Partial<ReturnType<typeof familyVariants>[number]['options']>, thought = none) =>
    footprint(manifest, { options: { candidates: 1, ...options } }, thought, 5000);
  const window = 100 * (10 + 10 + 20) * 4;
  assert.equal(bytes({}), window);
  assert.equal(bytes({ memory: true }), window + 5000);
  assert.equal(bytes({ candidates: 4 }), window + 4 * 164 * 30 * 4);
  assert.equal(bytes({ samples: 4 }), window + 3 * 100 * 20 * 4 + 4 * 164 * 30 * 4);
  // Numbers of a byte, and a scale for each ten of them.
  const rows = { numbers: new Int8Array(40), scales: new Float32Array(4) };
  const gradients = new Map([['a', { gradient: rows, nll: 1, tokens: 20, heldOut: false }]]);
  assert.equal(bytes({}, { datastore: [], gradients }), window + 20 * 10 * 4 + 40 + 16);
  const datastore = [{ ...rows, tokens: [1, 2, 3, 4] }];
  assert.equal(bytes({}, { datastore, gradients }), window + 20 * 10 * 4 + 2 * (40 + 16));
});
