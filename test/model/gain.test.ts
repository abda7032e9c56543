import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { targetsOf } from '../../src/edits/targets';
import { SOURCES } from '../fixtures';
import { scoreUnderThought } from '../../lab/engineMeasures';
import { BUNDLES, requestIn, withEngine } from './bundles';

const TEXT = 'const total = prices.sum;\nconst shown = format(total);\nprint(total, shown);\nreturn total;\n';
const EDIT = { start: TEXT.indexOf('total, shown'), oldText: 'total', newText: 'zqxw' };

for (const [name, directory] of BUNDLES) {
  describe(`how much more likely an edit is, by ${name}`, () => {
    const engine = withEngine(directory);
    const gain = (edit: typeof EDIT, text: string) =>
      engine().gain({ path: 'a.ts', ...targetsOf(edit, text) }, engine().prior);

    test('it is the difference of two scores', async () => {
      const { prefix, suffix, oldTarget, newTarget } = targetsOf(EDIT, TEXT);
      const request = { path: 'a.ts', prefix, suffix, related: [] };
      const before = await scoreUnderThought(engine(), request, oldTarget, engine().prior);
      const after = await scoreUnderThought(engine(), request, newTarget, engine().prior);
      const [own, two] = [await gain(EDIT, TEXT), before.nats - after.nats];
      // Runs of few tokens are computed by another kernel than long ones, with other roundings.
      assert.ok(Math.abs(own - two) < 0.005 * Math.abs(two), `${own} and ${two}`);
    });

    test('an edit and its opposite weigh the same', async () => {
      const edited = TEXT.slice(0, EDIT.start) + EDIT.newText + TEXT.slice(EDIT.start + EDIT.oldText.length);
      const [there, back] = [
        await gain(EDIT, TEXT),
        await gain({ ...EDIT, oldText: EDIT.newText, newText: EDIT.oldText }, edited),
      ];
      assert.ok(Math.abs(there + back) < 0.005 * Math.abs(there), `${there} and ${back}`);
    });

    test('the caches of the suggestion around the cursor stay', async () => {
      const request = await requestIn('src__completion__engine.ts.txt', 0.5, SOURCES);
      const how = { steps: 0, maxLines: 1, candidates: 1, memory: false };
      await engine().complete(request, how);
      const again = await engine().complete(request, how);
      await engine().gain({ path: request.path, ...targetsOf(EDIT, TEXT) }, engine().prior);
      const { read, candidates } = await engine().complete(request, how);
      assert.equal(read, again.read);
      assert.deepEqual(candidates, again.candidates);
    });
  });
}
