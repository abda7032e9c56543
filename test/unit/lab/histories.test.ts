import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readFileHistories, readHistories } from '../../../lab/nextEdits/histories';

const line = (i: number) => `export const value${i} = compute(${i});\n`;
const whole = Array.from({ length: 300 }, (_, i) => line(i)).join('');
const versions = [1, 2, 3].map((n) => whole.replace('value7 ', `value7_${n} `));

describe('git histories', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'thoughtline-histories-'));
    const work = join(folder, 'work');
    mkdirSync(work);
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...words], { cwd: work });
    git('init', '--quiet');
    for (const [i, text] of [whole, ...versions].entries()) {
      writeFileSync(join(work, 'long.ts'), text);
      writeFileSync(join(work, 'short.ts'), `f(${i});\n`);
      git('add', '.');
      git('commit', '--quiet', '--message', String(i));
    }
    mkdirSync(join(folder, 'all', 'owner+name'), { recursive: true });
    git('clone', '--quiet', '--bare', '.', join(folder, 'all', 'owner+name', 'repo'));
  });
  after(() => rmSync(folder, { recursive: true }));

  test('commits come with their files before and after, the newest first', () => {
    const commits = readHistories(join(folder, 'all'), 2);
    assert.deepEqual(
      commits.map(({ owner, files }) => [owner, ...files.map(({ path }) => path)]),
      Array.from({ length: 2 }, () => ['owner', 'long.ts', 'short.ts']),
    );
    assert.deepEqual(
      commits.map(({ files }) => files.find(({ path }) => path === 'long.ts')?.after),
      [versions[2], versions[1]],
    );
  });

  test('of a repository the file that was changed most and does not fit a window, from version to version', () => {
    const [history, ...others] = readFileHistories(join(folder, 'all'), 10);
    assert.deepEqual(history, { owner: 'owner', path: 'long.ts', versions: [whole, ...versions] });
    assert.deepEqual(others, []);
    assert.deepEqual(readFileHistories(join(folder, 'all'), 2)[0]?.versions, versions.slice(1));
  });

  test('a folder that is not there is named', () => {
    assert.throws(() => readFileHistories(join(folder, 'none'), 2), /none: no such folder; give one with git/);
  });
});
