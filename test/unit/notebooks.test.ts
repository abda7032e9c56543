import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, type Cell } from '../../src/server/notebooks';

const cell = (text: string, language = 'python', code = true): Cell => ({ text, language, code });

test('cells above are one text: code as it is, prose and other languages as comments', () => {
  const table: [name: string, cells: Cell[], language: string, text: string][] = [
    ['none', [], 'python', ''],
    ['code', [cell('a = 1'), cell('b = 2\n\n')], 'python', 'a = 1\n\nb = 2\n\n'],
    [
      'prose',
      [cell('# Title\n\ntext', 'markdown', false), cell('a = 1')],
      'python',
      '# # Title\n#\n# text\n\na = 1\n\n',
    ],
    ['prose of a language', [cell('Title', 'markdown', false)], 'typescript', '// Title\n\n'],
    ['another language', [cell('select 1', 'sql')], 'python', '# select 1\n\n'],
    ['raw text of the language', [cell('a = 1', 'python', false)], 'python', '# a = 1\n\n'],
    ['empty cells', [cell(''), cell(' \n'), cell('a')], 'python', 'a\n\n'],
    ['line ends of Windows', [cell('a\r\nb')], 'python', 'a\nb\n\n'],
  ];
  for (const [name, cells, language, text] of table) assert.equal(joined(cells, language), text, name);
});

test('of very many cells the last ones are taken, whole lines of them', () => {
  const text = joined(
    Array.from({ length: 60_000 }, (_, i) => cell(`line${i} = ${i}`)),
    'python',
  );
  assert.ok(text.length <= 1 << 18 && text.length > (1 << 18) - 100);
  assert.match(text, /^(?:line\d+ = \d+)?\n/);
  assert.ok(text.endsWith('line59999 = 59999\n\n'));
});
