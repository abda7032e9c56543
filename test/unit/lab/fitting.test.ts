import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsageError } from '../../../src/cli/command';
import { fitArguments, fitItems, fiveDigits } from '../../../lab/fitting';

describe('what a fit rests on', () => {
  test('texts cut out of the folders of a folder, the same for the same seed', async () => {
    const items = async (seed: string) => {
      const { source } = fitArguments('fit', ['--each', 'src', '--items', '12', '--seed', seed]);
      return (await fitItems(source)).items;
    };
    const chosen = await items('3');
    assert.equal(chosen.length, 12);
    assert.equal(new Set(chosen.map(({ id }) => id)).size, 12);
    assert.ok(new Set(chosen.map(({ id }) => String(id).split(' ')[0])).size > 3);
    for (const { prefix, suffix, target, related } of chosen) {
      assert.ok(target.length > 0);
      assert.ok(related.every(({ text }) => !`${prefix}${suffix}`.includes(text)));
    }
    assert.deepEqual(await items('3'), chosen);
    assert.notDeepEqual(await items('4'), chosen);
  });

  for (const args of [
    [],
    ['--each', 'src', '--jsonl', 'in'],
    ['--each', 'src', 'more'],
    ['--each', 'src', '--items', '0'],
  ]) {
    test(`refused: ${args.join(' ')}`, () => assert.throws(() => fitArguments('fit', args), UsageError));
  }

  test('five digits are kept, in every depth', () => {
    assert.deepEqual(fiveDigits({ a: 1.23456789, b: [{ c: -0.000123456789 }], d: 'as it is' }), {
      a: 1.2346,
      b: [{ c: -0.00012346 }],
      d: 'as it is',
    });
  });
});
