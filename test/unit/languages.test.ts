import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endingsOf, languageOf, languageOfPath, LANGUAGES } from '../../src/languages';

test('no two languages have the same ending', () => {
  const endings = Object.values(LANGUAGES).flatMap((language) => language.endings ?? []);
  assert.deepEqual(
    endings.filter((ending, at) => endings.indexOf(ending) !== at),
    [],
  );
});

test('a language is found by its identifier and by the ending of a path', () => {
  assert.equal(languageOf('constructor'), undefined);
  const table: [path: string, id: string | undefined][] = [
    ['/w/a.ts', 'typescript'],
    ['C:\\w\\A.MTS', 'typescript'],
    ['a.d.ts', 'typescript'],
    ['a.tsx', 'typescriptreact'],
    ['.ts', 'typescript'],
    ['a.ts/b', undefined],
    ['ts', undefined],
    ['a.constructor', undefined],
  ];
  for (const [path, id] of table) assert.equal(languageOfPath(path), id && languageOf(id), path);
});

test('data is completed, and no source of the workspace', () => {
  const read = endingsOf(() => true);
  assert.deepEqual(
    ['ts', 'py', 'json', 'yaml'].map((ending) => read.includes(ending)),
    [true, true, false, false],
  );
});
