import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { IGrammar } from 'vscode-textmate';
import { LANGUAGES } from '../../../src/languages';
import { grammarFor } from '../../../src/scopes/grammars';
import { LineStates } from '../../../src/scopes/lineStates';
import { Scopes, type TextPosition } from '../../../src/scopes/scopes';
import type { Scope } from '../../../src/scopes/scope';
import { FROZEN } from '../../fixtures';
import { PROBES, TAKEN_FOR_CODE } from './probes';
import { processorTime } from '../../../lab/processorTime';

const scopes = new Scopes((line) => assert.fail(line));

/** Asks until it is known: questions themselves do not wait. */
async function scopeAt(document: TextDocument, place: TextPosition): Promise<Scope> {
  for (let asked = 0; asked < 3_000; asked++) {
    const scope = scopes.at(document, place);
    if (scope !== undefined) return scope;
    await sleep(5);
  }
  assert.fail(`nothing is known of ${document.languageId} at line ${place.line}`);
}

function documentOf(languageId: string, text: string): TextDocument {
  return TextDocument.create(`file:///w/a`, languageId, 1, text);
}

function probe(languageId: string, marked: string): Promise<Scope> {
  const [before, after] = marked.split('¦') as [string, string];
  const document = documentOf(languageId, before + after);
  return scopeAt(document, document.positionAt(before.length));
}

describe('where a cursor stands', () => {
  for (const [languageId, probes] of Object.entries(PROBES)) {
    test(languageId, async (t) => {
      for (const [scope, marked] of probes) {
        await t.test(JSON.stringify(marked), async () => assert.equal(await probe(languageId, marked), scope));
      }
    });
  }

  test('what a grammar does not know is code', async () => {
    for (const [languageId, texts] of Object.entries(TAKEN_FOR_CODE)) {
      for (const marked of texts) assert.equal(await probe(languageId, marked), 'code', `${languageId}: ${marked}`);
    }
  });
});

test('every grammar of the table is there, and reads any text', async () => {
  const nasty = `'"\`/*{-<#(*--[[#=<!--\\$\${R"x(@"r#"'''"""\n)x"]]-->=#*/\n`.repeat(20);
  for (const [languageId, { textMate, lineComment }] of Object.entries(LANGUAGES)) {
    assert.equal(textMate === undefined, lineComment !== undefined, `${languageId}: a grammar or a line comment`);
    const document = documentOf(languageId, nasty);
    for (let offset = 0; offset < nasty.length; offset += 97) await scopeAt(document, document.positionAt(offset));
  }
});

test('a language that is not in the table is not known', () => {
  for (const languageId of ['brainfuck', 'constructor']) {
    assert.equal(scopes.at(documentOf(languageId, '// a'), { line: 0, character: 4 }), undefined);
  }
});

test('in real files what begins a statement is code, and what begins a comment is one', async () => {
  for (const name of ['src/server/syntax.ts', 'src/completion/trim.ts', 'src/extension/thoughtView.ts']) {
    const document = documentOf('typescript', readFileSync(join(FROZEN, name), 'utf8'));
    for (const [line, text] of document.getText().split('\n').entries()) {
      const place = { line, character: text.length };
      if (/^(?:export|import|const|function|class|interface) /.test(text)) {
        assert.equal(await scopeAt(document, { line, character: 0 }), 'code', `${name}: ${text}`);
      } else if (/^ *(?:\/\/|\* (?!.*\*\/)) /.test(text)) {
        assert.equal(await scopeAt(document, place), 'comment', `${name}: ${text}`);
      }
    }
  }
});

describe('what a question costs', () => {
  const lines = readFileSync(join(FROZEN, 'src/server/syntax.ts'), 'utf8').split('\n');
  const long = Array.from({ length: 5_000 }, (_, line) => lines[line % lines.length]!);

  /** The lines of a text, and how many of them a grammar has been told to read. */
  async function counted() {
    const grammar = (await grammarFor('typescript'))!;
    let read = 0;
    const counting: IGrammar = {
      tokenizeLine: (...given) => grammar.tokenizeLine(...given),
      tokenizeLine2: (...given) => (read++, grammar.tokenizeLine2(...given)),
    };
    const text = [...long];
    const states = new LineStates(counting);
    const ask = (line: number) => {
      const before = read;
      states.before(
        line,
        (at) => text[at]!,
        () => false,
      );
      return read - before;
    };
    return { text, states, ask };
  }

  test('a file of 5,000 lines is read once; after an edit the lines that it changed', async () => {
    const { text, states, ask } = await counted();
    assert.equal(ask(4_900), 4_900);
    assert.equal(ask(4_900), 0);
    assert.equal(ask(4_950), 50);
    text[2_000] += ' ';
    states.changed(2_000, 2_000, 0);
    assert.equal(ask(4_900), 1);
    text.splice(3_000, 1, 'const a = 1;', 'const b = 2;', 'const c = 3;');
    states.changed(3_000, 3_000, 2);
    assert.equal(ask(4_900), 3);
    text.splice(3_000, 2);
    states.changed(3_000, 3_002, 0);
    assert.equal(ask(4_900), 1);
  });

  test('an edit that changes the lines below it is followed to where they end as they did', async () => {
    const { text, states, ask } = await counted();
    ask(4_900);
    const first = text.indexOf('', 1_000);
    const next = text.findIndex((line, at) => at > first && line.includes('*/'));
    text[first] = '/*';
    states.changed(first, first, 0);
    assert.equal(ask(4_900), next - first + 1);
  });

  test('a letter in a file of 5,000 lines takes less than 2 ms of the processor', async (t) => {
    const document = documentOf('typescript', long.join('\n'));
    await scopeAt(document, { line: 4_900, character: 0 });
    const runs = 300;
    const spent = processorTime();
    for (let run = 0; run < runs; run++) {
      const at = { line: 4_900, character: run % 20 };
      const changes = [{ range: { start: at, end: at }, text: 'x' }];
      TextDocument.update(document, changes, run + 2);
      scopes.changed(document, changes);
      assert.notEqual(scopes.at(document, { line: 4_900, character: at.character + 1 }), undefined);
    }
    const each = spent() / runs;
    t.diagnostic(`${each.toFixed(3)} ms`);
    assert.ok(each < 2, `${each} ms`);
  });

  test('nobody waits while a file is read: nothing is known of it yet', async () => {
    const document = documentOf('typescript', long.join('\n'));
    const place = { line: 4_900, character: 0 };
    assert.equal(scopes.at(document, place), undefined);
    await sleep(20);
    assert.equal(scopes.at(document, place), undefined);
    await scopeAt(document, place);
  });
});

test('a grammar that cannot be read is told once, and its language is not known', async () => {
  const said: string[] = [];
  const failing = new Scopes(
    (line) => said.push(line),
    () => Promise.reject(new Error('no such file')),
  );
  const document = documentOf('typescript', '// a');
  for (let asked = 0; asked < 3; asked++) {
    assert.equal(failing.at(document, { line: 0, character: 4 }), undefined);
    await sleep(5);
  }
  assert.deepEqual(said, ['comments and strings of a document in "typescript" are not known: Error: no such file']);
});
