/** What the server makes of changes on disk, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Workspace } from '../../../src/server/workspace';
import { mayMatter } from '../../../src/workspace/rules';

const endings = new Set(['ts', 'py']);
const table: [inside: string, changed: boolean, deleted: boolean][] = [
  ['a.ts', true, true],
  ['src/deep/a.py', true, true],
  ['src/.gitignore', true, true],
  ['src', false, true],
  ['src/a.png', false, true],
  ['node_modules/a/b.ts', false, false],
  ['node_modules', false, false],
  ['dist/a.ts', false, false],
  ['.git/index.lock', false, false],
  ['.env', false, false],
  ['src/.env.ts', false, false],
  ['src/secrets/a.ts', false, false],
  ['src/x.min.ts', false, true],
  ['node_modules/.gitignore', false, false],
];
test('which changes may matter, by the name alone', () => {
  for (const [inside, changed, deleted] of table) {
    assert.equal(mayMatter(inside, false, endings), changed, `${inside} changed`);
    assert.equal(mayMatter(inside, true, endings), deleted, `${inside} deleted`);
  }
});

function workspace(context: TestContext) {
  let clock = 0;
  context.mock.timers.enable({ apis: ['setTimeout'] });
  context.mock.method(performance, 'now', () => clock);
  const told: (readonly string[])[] = [];
  const log: string[] = [];
  const folders = new Workspace({
    wanted: () => ({ languages: () => true }),
    excluded: () => Promise.reject(new Error('not known')),
    tell: () => undefined,
    changed: (paths) => void told.push(paths),
    watch: () => Promise.reject(new Error('not known')),
    log: (line) => void log.push(line),
  });
  folders.open([{ uri: 'file:///ws', name: 'ws' }], undefined);
  const pass = (milliseconds: number) => {
    clock += milliseconds;
    context.mock.timers.tick(milliseconds);
  };
  return { folders, told, log, pass };
}
const changed = (path: string) => ({ uri: `file:///ws/${path}`, deleted: false });

test('20,000 changes below ignored folders are told to nobody', (context) => {
  const { folders, told, pass } = workspace(context);
  for (let i = 0; i < 200; i++) {
    folders.touched(Array.from({ length: 100 }, (_, j) => changed(`node_modules/p${i}/${j}.ts`)));
  }
  folders.touched([{ uri: 'file:///elsewhere/a.ts', deleted: true }]);
  pass(60_000);
  assert.deepEqual(told, []);
});

test('changes are told together when there is quiet, and after a while where there is none', (context) => {
  const { folders, told, pass } = workspace(context);
  for (const path of ['a.ts', 'b.ts', 'a.ts']) {
    folders.touched([changed(path)]);
    pass(100);
  }
  assert.deepEqual(told, []);
  pass(500);
  assert.deepEqual(told, [['/ws/a.ts', '/ws/b.ts']]);
  for (let i = 0; i < 100; i++) {
    folders.touched([changed(`${i}.ts`)]);
    pass(100);
  }
  assert.equal(told.length, 2 + 1);
  assert.equal(new Set(told.flat()).size, 2 + 100);
});

test('folders whose address says no place on this machine are left out, each with one line', async (context) => {
  const { folders, log } = workspace(context);
  for (let i = 0; i < 2; i++) {
    folders.folders({ added: [{ uri: 'file:///tmp/sale-50%', name: 'x' }, { uri: 'file:///a%2Fb', name: 'y' }], removed: [] }); // prettier-ignore
    await folders.apply();
  }
  assert.deepEqual(log.map((line) => line.split(' is left out')[0]), ['file:///tmp/sale-50%', 'file:///a%2Fb']); // prettier-ignore
});
