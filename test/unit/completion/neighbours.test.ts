import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestFiles } from '../../../src/completion/neighbours';

const paths = [
  '/w/app/src/user/store.ts',
  '/w/app/src/user/view.tsx',
  '/w/app/src/user/api.ts',
  '/w/app/src/index.ts',
  '/w/app/src/order/store.ts',
  '/w/tools/build.ts',
  '/w/README',
  '/w/LICENSE',
];
const none: ReadonlySet<string> = new Set();

const cases: { title: string; path: string; excluded?: string[]; count?: number; expected: string[] }[] = [
  {
    title: 'its own folder first, then by the way between the folders',
    path: '/w/app/src/user/edit.ts',
    expected: [
      '/w/app/src/user/api.ts',
      '/w/app/src/user/store.ts',
      '/w/app/src/index.ts',
      '/w/app/src/order/store.ts',
      '/w/tools/build.ts',
    ],
  },
  { title: 'only so many', path: '/w/app/src/user/edit.ts', count: 1, expected: ['/w/app/src/user/api.ts'] },
  {
    title: 'neither itself nor what is excluded',
    path: '/w/app/src/user/api.ts',
    excluded: ['/w/app/src/user/store.ts'],
    count: 2,
    expected: ['/w/app/src/index.ts', '/w/app/src/order/store.ts'],
  },
  { title: 'of the same kind only', path: '/w/app/src/order/view.TSX', expected: ['/w/app/src/user/view.tsx'] },
  { title: 'files without an ending are of one kind', path: '/w/README', expected: ['/w/LICENSE'] },
  { title: 'no file of its kind', path: '/w/a.py', expected: [] },
];

for (const { title, path, excluded = [], count = 9, expected } of cases) {
  test(`files near another: ${title}`, () => {
    assert.deepEqual(nearestFiles(path, paths, new Set(excluded), count), expected);
    assert.deepEqual(nearestFiles(path, paths.toReversed(), new Set(excluded), count), expected);
  });
}

test('files near another: none in an empty workspace', () => {
  assert.deepEqual(nearestFiles('/w/a.ts', [], none, 4), []);
});
