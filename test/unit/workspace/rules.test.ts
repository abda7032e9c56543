import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endingsOf } from '../../../src/languages';
import {
  expandBraces,
  isExcluded,
  isIgnored,
  isSourceName,
  mayHoldSources,
  patternsOf,
  readExcluded,
  strangeness,
} from '../../../src/workspace/rules';

const endings = new Set(endingsOf(() => true));

test('what may be read of a workspace, by its name', () => {
  const sources = 'a.ts a.d.ts key.ts keyboard.py environment.go tokenizer.rs Secretary.java b.TSX x.vue'.split(' ');
  const others = [
    // No source.
    ...'a a.png package-lock.json notes.txt Makefile a.ts~ data.csv'.split(' '),
    // Secrets.
    ...'.env .env.ts .env.local id_rsa id_rsa.js server.pem server.key.ts secrets.ts my-secret.py db.credentials.js'.split(' '), // prettier-ignore
    ...'credentials.sh private_key.go prod.tfvars passwords.rb .npmrc store.jks'.split(' '),
    // Made by programs, hidden.
    ...'jquery.min.js app.bundle.js x.generated.ts m_pb2.py .eslintrc.js'.split(' '),
  ];
  for (const name of sources) assert.equal(isSourceName(name, endings), true, name);
  for (const name of others) assert.equal(isSourceName(name, endings), false, name);
  for (const name of ['.git', '.venv', 'node_modules', 'dist', 'build', 'Target', '__pycache__']) {
    assert.equal(mayHoldSources(name), false, name);
  }
  for (const name of ['src', 'lib', 'distance', 'builder']) assert.equal(mayHoldSources(name), true, name);
});

test('a language that is off has no sources', () => {
  const some = new Set(endingsOf((language) => language !== 'markdown' && language !== 'python'));
  assert.deepEqual(
    ['md', 'py', 'pyi', 'ts'].map((ending) => some.has(ending)),
    [false, false, false, true],
  );
  assert.ok(endings.has('md'));
});

test('a text is strange if a program made it', () => {
  assert.equal(strangeness('const a = 1;\n'.repeat(10_000)), undefined);
  assert.equal(strangeness(`a\n${'x'.repeat(6_000)}\nb`), 'minified');
  assert.equal(strangeness('x'.repeat(6_000)), 'minified');
  assert.equal(strangeness('a\0b'), 'binary');
  assert.equal(strangeness(''), undefined);
});

describe('.gitignore', () => {
  const root = patternsOf('', '*.log.ts\n/generated/\nlib/\n!keep.log.ts\n');
  const nested = patternsOf('src/', '!lib/\n/local.ts\n*.tmp.ts\n');
  const table: [path: string, ignored: boolean][] = [
    ['a.ts', false],
    ['a.log.ts', true],
    ['keep.log.ts', false],
    ['deep/er/a.log.ts', true],
    ['generated/', true],
    ['src/generated/', false],
    ['lib/', true],
    ['src/lib/', false],
    ['src/local.ts', true],
    ['src/sub/local.ts', false],
    ['src/sub/a.tmp.ts', true],
  ];
  for (const [path, ignored] of table) {
    test(`${path} is ${ignored ? 'ignored' : 'read'}`, () => {
      const patterns = path.startsWith('src/') && path !== 'src/' ? [root, nested] : [root];
      assert.equal(isIgnored(path, patterns), ignored);
    });
  }
});

describe("VS Code's files.exclude", () => {
  const excluded = readExcluded({
    '**/.git': true,
    '**/*.js': { when: '$(basename).ts' },
    out: true,
    'src/**/*.{gen,made}.ts': true,
    shown: false,
    odd: 7,
    none: null,
  });
  const table: [path: string, siblings: string[], hidden: boolean][] = [
    ['a.ts', [], false],
    ['.git/', [], true],
    ['x/.git/', [], true],
    ['out/', [], true],
    ['x/out/', [], false],
    ['a.js', ['a.ts', 'a.js'], true],
    ['x/a.js', ['b.ts'], false],
    ['src/x/a.made.ts', [], true],
    ['x/a.made.ts', [], false],
    ['shown/', [], false],
    ['odd/', [], false],
  ];
  for (const [path, siblings, hidden] of table) {
    test(`${path} is ${hidden ? 'hidden' : 'shown'}`, () => {
      assert.equal(isExcluded(path, excluded, new Set(siblings)), hidden);
    });
  }
  test('what is no object hides nothing', () => {
    for (const given of [undefined, null, 'x', 3, []]) assert.equal(isExcluded('a.ts', readExcluded(given), new Set()), false); // prettier-ignore
  });
  test('braces are written out', () => {
    assert.deepEqual(expandBraces('a{b,c}{d,e}'), ['abd', 'abe', 'acd', 'ace']);
    assert.deepEqual(expandBraces('{unclosed'), ['{unclosed']);
  });
});
