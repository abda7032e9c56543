import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compareVersions, isVersion, listPackages, readSource, runsOf, siblingsOf } from '../../../src/cli/releases';
import { UserError } from '../../../src/model/errors';

describe('releases on disk', () => {
  let folder = '';
  const write = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thoughtline-releases-'));
    await write('scope+one/1.9.0/src/a.ts', 'a\r\nb\r\n');
    await write('scope+one/1.10.0/src/a.ts', 'a\nc\n');
    await write('scope+one/1.10.0/src/deep/b.ts', 'b\n');
    await write('scope+one/1.10.0/binary.ts', Buffer.from([1, 0, 2]));
    await write('scope+one/1.10.0/huge.ts', 'x'.repeat(1_000_001));
    await write('scope+one/notes/readme.md', 'no version');
    await write('single/1.0.0/a.ts', 'a\n');
    await symlink(join(folder, 'single'), join(folder, 'linked'));
  });
  after(() => rm(folder, { recursive: true }));

  test('packages with two versions or more, versions in their order, paths with forward slashes', async () => {
    const packages = await listPackages(folder);
    assert.deepEqual(
      packages.map(({ name, releases }) => [name, releases.map(({ version, paths }) => [version, paths])]),
      [
        [
          'scope+one',
          [
            ['1.9.0', ['src/a.ts']],
            ['1.10.0', ['binary.ts', 'huge.ts', 'src/a.ts', 'src/deep/b.ts']],
          ],
        ],
      ],
    );
  });

  test('texts come with "\\n"; binary, huge and missing files do not come', async () => {
    const [old, young] = (await listPackages(folder))[0]?.releases ?? [];
    assert.ok(old && young);
    assert.equal(await readSource(old, 'src/a.ts'), 'a\nb\n');
    for (const path of ['binary.ts', 'huge.ts', 'missing.ts', 'src']) {
      assert.equal(await readSource(young, path), undefined, path);
    }
  });

  test('bad input: one line that names the folder and the remedy', async () => {
    await assert.rejects(listPackages(join(folder, 'none')), {
      name: 'UserError',
      message: /none: no such folder; give one that holds PACKAGE\/VERSION/,
    });
    await assert.rejects(listPackages(join(folder, 'single')), (error) => {
      assert.ok(error instanceof UserError);
      return /single: no package with two releases/.test(error.message) && !error.message.includes('\n');
    });
    await assert.rejects(listPackages(join(folder, 'single/1.0.0/a.ts')), /no such folder/);
  });
});

test('versions', () => {
  assert.deepEqual(['1.2.3', '0.0.0-rc.1', '1.2', 'v1.2.3', 'src'].map(isVersion), [true, true, false, false, false]);
  const ordered = ['0.9.9', '1.0.0-alpha', '1.0.0-alpha.2', '1.0.0-alpha.10', '1.0.0-beta', '1.0.0', '1.2.0', '1.10.0'];
  assert.deepEqual([...ordered].reverse().sort(compareVersions), ordered);
});

test('a session runs through successive releases that hold the file', () => {
  const release = (version: string, ...paths: string[]) => ({ version, folder: '', paths });
  const releases = [
    release('1', 'a'),
    release('2', 'a', 'b'),
    release('3', 'b'),
    release('4', 'a', 'b'),
    release('5', 'a'),
  ];
  const runs = (path: string) => runsOf(releases, path).map((run) => run.map(({ version }) => version).join(''));
  assert.deepEqual(runs('a'), ['12', '45']);
  assert.deepEqual(runs('b'), ['234']);
  assert.deepEqual(runs('c'), []);
});

test('siblings: of the same folder first, the nearest by name first', () => {
  const paths = ['a/x.ts', 'b/1.ts', 'b/2.ts', 'b/3.ts', 'b/4.ts', 'c/y.ts'];
  assert.deepEqual(siblingsOf(paths, 'b/2.ts', 4), ['b/1.ts', 'b/3.ts', 'b/4.ts', 'a/x.ts']);
  assert.deepEqual(siblingsOf(paths, 'c/y.ts', 2), ['b/4.ts', 'b/3.ts']);
  assert.deepEqual(siblingsOf(['a.ts'], 'a.ts', 3), []);
});
