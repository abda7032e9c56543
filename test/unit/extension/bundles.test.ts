import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bundleFacts, describeBundle, ownBundles } from '../../../src/extension/bundles';

const models = mkdtempSync(join(tmpdir(), 'thoughtline-bundles-'));
after(() => rmSync(models, { recursive: true, force: true }));

function bundle(name: string, files: Record<string, string>): string {
  const folder = join(models, 'bundles', name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}
const manifest = JSON.stringify({ name: 'mine', version: 'adopted-6' });

test('a bundle is known by its manifest, its files, its card and what was measured', () => {
  const card = '---\nlicense: "mit"\nlibrary_name: "onnx"\n---\n# Mine\nlicense: other\n';
  const folder = bundle('own-1-6', { 'manifest.json': manifest, 'README.md': card, 'weights.bin': 'x'.repeat(3e6) });
  const speeds = { 'own-1-6, 0.2.0, auto': 90, 'own-1-6, 0.3.0, auto': 70, 'own-12-6, 0.3.0, auto': 5 };
  writeFileSync(join(models, 'speeds.json'), JSON.stringify(speeds));
  const facts = bundleFacts(folder, models);
  assert.deepEqual(
    { ...facts, bytes: 0 },
    { folder, name: 'mine', version: 'adopted-6', bytes: 0, licence: 'mit', milliseconds: 70 },
  );
  assert.equal(describeBundle(facts!), '3 MB, licence mit, 70 ms for a suggestion here');
  assert.deepEqual(ownBundles(models), [folder]);
});

test('what is missing is not made up', () => {
  const bare = bundle('own-2-6', { 'manifest.json': manifest });
  assert.equal(describeBundle(bundleFacts(bare, join(models, 'none'))!), '0 MB, not measured here yet');
  const table: Record<string, string>[] = [{}, { 'manifest.json': '{' }, { 'manifest.json': '{"name": 7}' }];
  for (const [i, files] of table.entries()) {
    assert.equal(bundleFacts(bundle(`other-${i}`, files), models), undefined, JSON.stringify(files));
  }
  assert.equal(bundleFacts(join(models, 'nowhere'), models), undefined);
  assert.deepEqual(ownBundles(join(models, 'nowhere')), []);
});
