import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  importLanguage,
  importsIn,
  insertionOf,
  newNames,
  usualImport,
  type Import,
  type ImportLanguage,
} from '../../../src/extension/imports';

test('languages whose imports are known', () => {
  for (const id of ['typescript', 'typescriptreact', 'javascript', 'javascriptreact']) {
    assert.equal(importLanguage(id), 'script', id);
  }
  assert.equal(importLanguage('python'), 'python');
  for (const id of ['go', 'rust', 'vue', 'json']) assert.equal(importLanguage(id), undefined, id);
});

describe('names that an accepted text uses and that stand nowhere else', () => {
  // `«…»` is the accepted text.
  const table: [name: string, language: ImportLanguage, text: string, names: string[]][] = [
    ['a call', 'script', 'const a = «readFile(path)»;\nlet path;', ['readFile']],
    ['in the order of use', 'script', '«join(root, name)»', ['join', 'root', 'name']],
    ['members are none', 'script', 'x = «fs.readFile().then»', ['fs']],
    ['a member that goes on', 'script', 'fs.«readFile(other)»', ['other']],
    ['spread', 'script', 'f(«...rest»)', ['rest']],
    ['keys of objects', 'script', '«{ key: value }»', ['value']],
    ['what it declares', 'script', '«const sum = 1; function add() {} sum; add»', []],
    ['strings and comments', 'script', `«f('a b', "c", \`d\`); // e /* f */»`, []],
    ['what stands elsewhere', 'script', 'import { join } from "path";\n«join(other)»', ['other']],
    ['the end of a word', 'script', 'const value = read«File(path)»', ['readFile', 'path']],
    ['the beginning of a word', 'script', '«f(Pro»mise)', ['Promise']],
    ['signs of names', 'script', '«$el + _private + größe»', ['$el', '_private', 'größe']],
    ['python', 'python', 'x = «np.array(values)»', ['np', 'values']],
    ['python: named arguments', 'python', '«f2(key=value, a == b2)»', ['f2', 'value', 'b2']],
    ['python: declared', 'python', '«for item in items: pass»', ['items']],
    ['python: strings', 'python', `«f2('''a''', "b") # c»`, ['f2']],
  ];
  for (const [name, language, marked, names] of table) {
    test(name, () => {
      const [start, end] = [marked.indexOf('«'), marked.indexOf('»') - 1];
      assert.deepEqual(newNames(marked.replace(/[«»]/g, ''), { start, end }, language), names);
    });
  }
});

const one = (name: string, imported: string, from: string, type = false): Import => ({ name, imported, from, type });

describe('what a file imports', () => {
  const table: [language: ImportLanguage, text: string, imports: Import[]][] = [
    ['script', `import { a, b as c } from 'x';`, [one('a', 'a', 'x'), one('c', 'b', 'x')]],
    ['script', `import {\n  a,\n  b,\n} from "./x.js"\n`, [one('a', 'a', './x.js'), one('b', 'b', './x.js')]],
    ['script', `import D, { type T, a } from 'x';`, [one('T', 'T', 'x', true), one('a', 'a', 'x'), one('D', 'default', 'x')]],
    ['script', `import * as ns from 'x';`, [one('ns', '*', 'x')]],
    ['script', `import type { T } from 'x';`, [one('T', 'T', 'x', true)]],
    ['script', `import 'x';\nimport.meta.url;\nconst from = 'y';`, []],
    ['script', `const { a, b: c } = require('x');\nconst d = require("y");`, [one('a', 'a', 'x'), one('c', 'b', 'x'), one('d', 'default', 'y')]],
    ['script', `  import { a } from 'x'; // not at the top level`, []],
    ['python', 'from x.y import a, b as c\n', [one('a', 'a', 'x.y'), one('c', 'b', 'x.y')]],
    ['python', 'from .x import (\n    a,  # one\n    b,\n)\n', [one('a', 'a', '.x'), one('b', 'b', '.x')]],
    ['python', 'import os, numpy as np\nimport a.b\n', [one('os', '*', 'os'), one('np', '*', 'numpy')]],
    ['python', 'from x import *\n', []],
  ]; // prettier-ignore
  for (const [language, text, imports] of table) {
    test(JSON.stringify(text), () => assert.deepEqual(importsIn(text, language), imports));
  }
});

describe('how the files of a workspace import a name', () => {
  const at = '/w/src/a/here.ts';
  const table: [name: string, sources: Record<string, string>, found: Import | undefined][] = [
    ['none does', { '/w/b.ts': `import { other } from 'x';` }, undefined],
    ['a package', { '/w/b.ts': `import { it } from 'x';` }, one('it', 'it', 'x')],
    ['a path', { '/w/src/b.ts': `import { it } from './lib/x.js';` }, one('it', 'it', '../lib/x.js')],
    ['a path beside', { '/w/src/b.ts': `import { it } from './a/x';` }, one('it', 'it', './x')],
    [
      'all agree',
      { '/w/src/b.ts': `import { it } from './x';`, '/w/src/a/c.ts': `import { it } from '../x';` },
      one('it', 'it', '../x'),
    ],
    ['they do not agree', { '/w/b.ts': `import { it } from 'x';`, '/w/c.ts': `import { it } from 'y';` }, undefined],
    ['other kinds', { '/w/b.ts': `import it from 'x';`, '/w/c.ts': `import { it } from 'x';` }, undefined],
    ['the file itself', { '/w/src/b.ts': `import { it } from './a/here';` }, undefined],
    ['types', { '/w/b.ts': `import type { it } from 'x';` }, one('it', 'it', 'x', true)],
    [
      'types, and not only',
      { '/w/b.ts': `import type { it } from 'x';`, '/w/c.ts': `import { it } from 'x';` },
      one('it', 'it', 'x'),
    ],
  ];
  for (const [name, sources, found] of table) {
    test(name, () => {
      const given = Object.entries(sources).map(([path, text]) => ({ path, text }));
      assert.deepEqual(usualImport('it', at, given, 'script'), found);
    });
  }

  test('relative ones of Python only from the same folder', () => {
    const source = [{ path: '/w/p/b.py', text: 'from .x import it\n' }];
    assert.deepEqual(usualImport('it', '/w/p/a.py', source, 'python'), one('it', 'it', '.x'));
    assert.equal(usualImport('it', '/w/q/a.py', source, 'python'), undefined);
  });
});

describe('where an import goes', () => {
  const table: [name: string, language: ImportLanguage, text: string, wanted: Import, after: string][] = [
    ['an empty file', 'script', 'it();\n', one('it', 'it', 'x'), `import { it } from 'x';\n\nit();\n`],
    ['behind the last', 'script', `import a from "a"\nit()\n`, one('it', 'it', 'x'), `import a from "a"\nimport { it } from "x"\nit()\n`],
    ['into braces', 'script', `import { a } from 'x';\n`, one('it', 'it', 'x'), `import { a, it } from 'x';\n`],
    ['into lines', 'script', `import {\n  a,\n} from 'x';\n`, one('it', 'b', 'x'), `import {\n  a, b as it,\n} from 'x';\n`],
    ['not into types', 'script', `import type { a } from 'x';\n`, one('it', 'it', 'x'), `import type { a } from 'x';\nimport { it } from 'x';\n`],
    ['a type into types', 'script', `import type { a } from 'x';\n`, one('it', 'it', 'x', true), `import type { a, it } from 'x';\n`],
    ['a type among values', 'script', `import { a } from 'x';\n`, one('it', 'it', 'x', true), `import { a, type it } from 'x';\n`],
    ['default', 'script', `import { a } from 'x';\n`, one('it', 'default', 'x'), `import { a } from 'x';\nimport it from 'x';\n`],
    ['a namespace', 'script', '', one('it', '*', 'x'), `import * as it from 'x';\n\n`],
    ['required', 'script', `const a = require('a');\n`, one('it', 'b', 'x'), `const a = require('a');\nconst { b: it } = require('x');\n`],
    ['the head of a file', 'script', `#!/usr/bin/env node\n// Licence\n'use strict';\n\nit();\n`, one('it', 'it', 'x'), `#!/usr/bin/env node\n// Licence\n'use strict';\n\nimport { it } from 'x';\n\nit();\n`],
    ['line ends of Windows', 'script', `import a from 'a';\r\nit();\r\n`, one('it', 'it', 'x'), `import a from 'a';\r\nimport { it } from 'x';\r\nit();\r\n`],
    ['a last line', 'script', `import a from 'a';`, one('it', 'it', 'x'), `import a from 'a';\nimport { it } from 'x';`],
    ['python, from', 'python', 'import os\n\nit()\n', one('it', 'it', 'x'), 'import os\nfrom x import it\n\nit()\n'],
    ['python, into a list', 'python', 'from x import a\nit()\n', one('it', 'b', 'x'), 'from x import a, b as it\nit()\n'],
    ['python, not into brackets', 'python', 'from x import (\n    a,\n)\n', one('it', 'it', 'x'), 'from x import (\n    a,\n)\nfrom x import it\n'],
    ['python, a module', 'python', '"""Docs."""\n\nnp.x\n', one('np', '*', 'numpy'), '"""Docs."""\n\nimport numpy as np\n\nnp.x\n'],
    ['python, a plain module', 'python', '# -*- coding\nos.x\n', one('os', '*', 'os'), '# -*- coding\nimport os\n\nos.x\n'],
  ]; // prettier-ignore
  for (const [name, language, text, wanted, after] of table) {
    test(name, () => {
      const { offset, text: inserted } = insertionOf(text, wanted, language);
      assert.equal(text.slice(0, offset) + inserted + text.slice(offset), after);
    });
  }
});
