import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../../src/settings';
import { excludedBy } from '../../../src/workspace/excluded';

test('files are excluded by globs from the folder of the workspace', () => {
  const globs = { 'docs/**': true, '**/*.{gen,min}.ts': true, '**/vendor': true, 'a.ts': false };
  const table: [path: string, glob: string | undefined][] = [
    ['docs/a.ts', 'docs/**'],
    ['src/docs/a.ts', undefined],
    ['x.gen.ts', '**/*.{gen,min}.ts'],
    ['deep/er/x.min.ts', '**/*.{gen,min}.ts'],
    ['deep/vendor/x.ts', '**/vendor'],
    ['a.ts', undefined],
    ['/w/docs/x.min.ts', '**/*.{gen,min}.ts'],
    ['', undefined],
    ['/', undefined],
    ['../up.ts', undefined],
    ['c:/w/x.gen.ts', '**/*.{gen,min}.ts'],
  ];
  for (const [path, glob] of table) assert.equal(excludedBy(path, globs), glob, path);
});

test('by default files that are secret by their names are', () => {
  const secret = ['.env', '.env.local', 'app/.env', 'a/server.pem', 'id.key', 'prod.tfvars', 'config/secrets.yaml'];
  for (const path of secret) assert.ok(excludedBy(path, defaultSettings.exclude), path);
  for (const path of ['environment.ts', 'src/secrets.ts', 'keys.ts', 'env.d.ts']) {
    assert.equal(excludedBy(path, defaultSettings.exclude), undefined, path);
  }
});
