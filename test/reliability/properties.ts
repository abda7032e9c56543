import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { completionItem, readItems } from '../../src/cli/jsonl';
import { isBoundary, splitsGrapheme, splitsWord } from '../../src/completion/boundary';
import { cutUnfinished, stopAt, cursorContext, restOfLine } from '../../src/completion/stop';
import { trim } from '../../src/completion/trim';
import { cutWindow, RESERVE } from '../../src/completion/window';
import { memorySources } from '../../src/completion/lookupMemory';
import { readStatistics, totals } from '../../src/extension/statistics';
import { isFromInference } from '../../src/inference/messages';
import { ContextMemory } from '../../src/memory/context';
import { EncodedText } from '../../src/memory/encoded';
import { NgramCache } from '../../src/memory/ngramCache';
import { KeyValueCache, Rows } from '../../src/model/cache';
import { rowsAt, runOver, type CacheRow } from '../caches';
import { UserError } from '../../src/model/errors';
import { filesOf, parseManifest, type Manifest } from '../../src/model/manifest';
import { grammarFor } from '../../src/scopes/grammars';
import { LineStates } from '../../src/scopes/lineStates';
import { cut, pathFor, Refusal, replaceRange } from '../../src/server/documents';
import { Refusals } from '../../src/server/refusals';
import { normaliseNewlines } from '../../src/text';
import { accepted, continuation, couldServe, mayServe } from '../../src/server/continuation';
import { SuggestionCache } from '../../src/server/suggestionCache';
import { readSettings } from '../../src/server/settings';
import { isSubsequence } from '../../src/syntax/edit';
import { forOthers } from '../../src/workspace/secrets';
import { TINY, tinyTokenizer } from '../fixtures';
import { piecesAfter, piecesOf, places, textOf as piecesText, unbalanced } from './balanced';

/** A property, and the share of all cases that it gets. */
export interface Property {
  readonly name: string;
  readonly weight: number;
  /** Whether a case that failed cannot be tried again: what it was tried on is not what it was. */
  readonly once?: boolean;
  readonly property: () => fc.IAsyncProperty<unknown> | fc.IProperty<unknown>;
}

/** What text is made of: every kind of line end, pairs and halves of pairs, combining marks, BOM, brackets, NUL. */
const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ...['a', 'b', ' ', '  ', '\t', '\n', '\r\n', '\r', 'é', 'e\u0301', '\uFEFF', '👍🏽', '𝒳', '中', '\u200D', '\u2028'],
      ...['(', ')', '{', '}', '[', ']', '"', "'", '`', ';', ',', '\\', '//', '/*', '*/', '${', '<', '=> ', '#', '='],
      ...['const x = 1;', 'return', 'if (a) {', 'foo(a, b)', '  }', '\uD83D', '\uDC4D', '\0'],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const text = (maxLength = 24) => fc.array(piece, { maxLength, size: 'max' }).map((parts) => parts.join(''));
/** Text as it is once a document has been cut: line ends are "\n". */
const unixText = (maxLength?: number) => text(maxLength).map(normaliseNewlines);
const anything = fc.anything({ withNullPrototype: true, withBigInt: false, maxDepth: 3 });
const number = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 6 }) },
  { weight: 8, arbitrary: fc.nat({ max: 30 }) },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.constantFrom(NaN, Infinity, -1, 2 ** 31)) },
);

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;

const positions: Property = {
  name: 'positions: what is cut is the document, at no half of a pair',
  weight: 3,
  property: () =>
    fc.property(text(), number, number, (content, line, character) => {
      const document = TextDocument.create('file:///a.ts', 'typescript', 1, content);
      const at = cut(document, { line, character });
      if (at instanceof Refusal) {
        assert.match(at.reason, /out of range|binary/);
        assert.doesNotMatch(at.reason, /\n/);
        return;
      }
      const offset = document.offsetAt(at.position);
      assert.deepEqual(
        [at.prefix, at.suffix],
        [normaliseNewlines(content.slice(0, offset)), normaliseNewlines(content.slice(offset))],
      );
      assert.ok(!(isHigh(content.charCodeAt(offset - 1)) && isLow(content.charCodeAt(offset))), 'half of a pair');
      assert.equal(at.position.line, line);
      const range = replaceRange(at, at.lineRest + 7);
      assert.ok(document.offsetAt(range.end) <= content.length);
      assert.doesNotMatch(document.getText(range), /[\n\r]/);
    }),
};

const edits: Property = {
  name: 'edits: a document changed piece by piece is the text changed by offsets',
  weight: 2,
  property: () =>
    fc.property(
      text(),
      fc.array(fc.record({ from: fc.nat(), length: fc.nat({ max: 9 }), text: text(6) }), { maxLength: 8 }),
      (start, changes) => {
        let expected = start;
        const document = TextDocument.create('file:///a.ts', 'typescript', 1, start);
        changes.forEach(({ from, length, text: inserted }, i) => {
          const begin = document.positionAt(from % (expected.length + 1));
          const end = document.positionAt(document.offsetAt(begin) + length);
          const [a, b] = [document.offsetAt(begin), document.offsetAt(end)];
          expected = expected.slice(0, a) + inserted + expected.slice(b);
          TextDocument.update(document, [{ range: { start: begin, end }, text: inserted }], i + 2);
          assert.equal(document.getText(), expected);
        });
      },
    ),
};

const squeezed = (content: string) => content.replace(/\s+/g, '');

const trimming: Property = {
  name: 'trimming: what is kept is the beginning of what was written, and covers only the rest of the line',
  weight: 3,
  property: () =>
    fc.property(unixText(), unixText(), unixText(), (written, prefix, suffix) => {
      const { text: kept, replaceSuffix, reason } = trim(written, prefix, suffix);
      assert.equal(kept === '', reason !== undefined);
      assert.ok(Number.isInteger(replaceSuffix) && replaceSuffix >= 0 && replaceSuffix <= restOfLine(suffix).length);
      assert.ok(squeezed(written).startsWith(squeezed(kept)), JSON.stringify(kept));
      // Taken, it changes the document.
      if (kept !== '') assert.notEqual(prefix + kept + suffix.slice(replaceSuffix), prefix + suffix);
    }),
};

const fitting: Property = {
  name: 'overlap: a line stays balanced, loses nothing right of the cursor, and gets nothing twice, in eleven languages',
  weight: 12,
  property: () =>
    fc.property(places, fc.boolean(), ({ path, before, after, written }, enclosed) => {
      const [line, rest, text] = [piecesText(before), piecesText(after), piecesText(written)];
      const [above, below] = enclosed ? ['call(\n', '\n)\n'] : ['', ''];
      const { text: kept, replaceSuffix } = trim(text, above + line, rest + below, path);
      if (kept === '') return;
      const [covered, end] = [rest.slice(0, replaceSuffix), rest.slice(replaceSuffix)];
      const shown = `${path}: ${line}¦${rest} + ${text} → ${line}${kept}${end}${below}`;
      assert.ok(isSubsequence(covered, kept), `lost: ${shown}`);
      assert.ok(!splitsGrapheme(rest, replaceSuffix), `half a character: ${shown}`);
      const follows = rest.trimStart().startsWith(kept.trim()) && !splitsWord(rest.trimStart(), kept.trim().length);
      assert.ok(!follows, `follows already: ${shown}`);
      const pieces = piecesOf(written, kept);
      assert.ok(pieces, `half a word: ${shown}`);
      const left = piecesAfter(after, covered);
      assert.ok(left, `half a word is replaced: ${shown}`);
      assert.equal(unbalanced(before, after, pieces, left.length, enclosed ? ')' : undefined), undefined, shown);
      const again = trim(text, above + line, `${rest}\n${line}${kept}${end}\n`, path);
      assert.notEqual(again.text, kept, `the next line over again: ${shown}`);
    }),
};

const cutting: Property = {
  name: 'stop rules: no text ends within a word, a character or an escape, wherever it is cut off',
  weight: 3,
  property: () =>
    fc.property(places, fc.nat(), fc.boolean(), ({ written }, at, looped) => {
      const text = piecesText(written).repeat(looped ? 4 : 1);
      const place = cursorContext('', '', 1);
      const end = at % (text.length + 1);
      const cutOff = cutUnfinished(text.slice(0, end), place);
      assert.ok(isBoundary(text, cutOff.length), `${text.slice(0, end)} → ${cutOff}`);
      const stopped = stopAt(text, place);
      if (stopped) assert.ok(isBoundary(text, stopped.text.length), `${text} → ${stopped.text}`);
    }),
};

const stopping: Property = {
  name: 'stop rules: what is kept is a beginning of what was written',
  weight: 2,
  property: () =>
    fc.property(
      unixText(),
      unixText(),
      unixText(),
      fc.integer({ min: 1, max: 9 }),
      (written, prefix, suffix, lines) => {
        const stopped = stopAt(written, cursorContext(prefix, suffix, lines));
        if (stopped) assert.ok(written.startsWith(stopped.text), JSON.stringify(stopped));
      },
    ),
};

const suggestion = fc.record({
  prefix: unixText(),
  suffix: unixText(),
  text: unixText(12).filter((content) => content !== ''),
  replace: fc.nat(),
});

/** Where the user is later: typed along or something else, with brackets that the editor closed, or less behind it. */
const later = fc.record({
  typed: fc.nat(),
  other: fc.option(unixText(4)),
  closed: fc.constantFrom('', '', '', ')', '")', '}', ' '),
  gone: fc.constantFrom(0, 0, 0, 1, 2),
});

const typingAlong: Property = {
  name: 'cache: what is left after typing along gives the very text that was suggested',
  weight: 3,
  property: () =>
    fc.property(suggestion, later, ({ prefix, suffix, text: written, replace }, { typed, other, closed, gone }) => {
      const replaceSuffix = replace % (restOfLine(suffix).length + 1);
      const made = { prefix, suffix, text: written, replaceSuffix };
      const along = other ?? written.slice(0, typed % written.length);
      const at = { prefix: prefix + along, suffix: closed + suffix.slice(gone) };
      const left = continuation(made, at);
      if (left) {
        const whole = accepted(made, made);
        const now = accepted(at, left);
        assert.equal(now.prefix + now.suffix, whole.prefix + whole.suffix);
        assert.ok(left.replaceSuffix <= restOfLine(at.suffix).length);
      }
      if (other === null && closed === '' && gone === 0 && replaceSuffix === 0) {
        assert.equal(left?.text, written.slice(along.length));
      }
      if (mayServe(made, at, 1000))
        assert.ok(couldServe(made, at.prefix + at.suffix, 1000), 'it may serve and could not');
      const memory = new SuggestionCache();
      memory.add({ ...made, thought: 0 });
      assert.deepEqual(memory.find(at, 0)?.left, left);
    }),
};

const rows: Property = {
  name: 'cache: rows of keys and values are what was appended and not truncated',
  weight: 1,
  property: () =>
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.oneof(fc.record({ add: fc.nat({ max: 9 }) }), fc.record({ keep: fc.nat({ max: 40 }) })), {
        maxLength: 20,
      }),
      fc.array(fc.nat({ max: 2 }), { minLength: 3, maxLength: 3 }),
      (width, operations, parents) => {
        const table = new Rows(width, 2);
        const cache = new KeyValueCache({ layers: 1, kvHeads: 2, headWidth: width }, 1, 2);
        // Keys as they are and values the other sign, the second head's a half more.
        const at = ({ table, head }: CacheRow, row: number[]) => row.map((x) => (table === 0 ? x : -x) + head / 2);
        let expected: number[][] = [];
        let next = 1;
        for (const operation of operations) {
          if ('add' in operation) {
            const added = Array.from({ length: operation.add }, () => Array.from({ length: width }, () => next++));
            expected.push(...added);
            table.append(Float32Array.from(added.flat()));
            runOver(cache, added.length, (place, token) => at(place, added[token]!));
          } else {
            expected = expected.slice(0, operation.keep);
            table.truncate(operation.keep);
            cache.truncate(operation.keep);
          }
          assert.equal(table.length, expected.length);
        }
        assert.deepEqual([...table.slice()], expected.flat());
        assert.equal(cache.length, expected.length);
        const places = [0, 1].flatMap((kind) => [0, 1].map((head) => ({ table: kind, entry: 0, head })));
        for (const place of places) {
          assert.deepEqual(
            rowsAt(cache, place),
            expected.flatMap((row) => at(place, row)),
          );
        }
        // Three hypotheses that share the past, and continue what others were.
        const branches = cache.repeated(3, 4);
        const own = (entry: number) => Array.from({ length: width }, (_, i) => 1000 + 10 * entry + i);
        runOver(branches, 1, (place) => at(place, own(place.entry)));
        branches.reorder(parents, cache.length);
        for (const [entry, parent] of parents.entries()) {
          for (const place of places) {
            const wanted = [...expected, own(parent)].flatMap((row) => at(place, row));
            assert.deepEqual(rowsAt(branches, { ...place, entry }), wanted);
          }
        }
      },
    ),
};

const lookups: Property = {
  name: 'lookup memory: what is found is what looking everywhere finds',
  weight: 2,
  property: () =>
    fc.property(
      fc.array(
        fc.record({
          key: fc.constantFrom('a', 'b', 'c'),
          tokens: fc.array(fc.nat({ max: 5 }), { maxLength: 12 }),
          forget: fc.boolean(),
        }),
        { maxLength: 8 },
      ),
      fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 8 }),
      (operations, context) => {
        const memory = new NgramCache({ vocabulary: 6, capacity: 1000 });
        const documents = new Map<string, number[]>();
        for (const { key, tokens, forget } of operations) {
          documents.delete(key);
          if (forget) memory.delete(key);
          else {
            memory.put(key, tokens);
            documents.set(key, tokens);
          }
        }
        const everywhere: string[] = [];
        for (const document of documents.values()) {
          document.forEach((token, position) => {
            let length = 0;
            while (
              length < context.length &&
              length < position &&
              document[position - 1 - length] === context.at(-1 - length)
            )
              length++;
            if (length > 0) everywhere.push(`${token} after ${length}`);
          });
        }
        const found = memory.matches(context).map(({ token, length }) => `${token} after ${length}`);
        assert.deepEqual(found.sort(), everywhere.sort());
        assert.equal(
          memory.live,
          [...documents.values()].reduce((sum, tokens) => sum + tokens.length, 0),
        );
      },
    ),
};

const context: Property = {
  name: 'lookup memory: what it holds follows from what it is shown, not from what it was shown before',
  weight: 1,
  property: () => {
    const tokenizer = tinyTokenizer();
    const vocabulary = tokenizer.size;
    const request = fc.record({
      prefix: unixText(12),
      suffix: unixText(8),
      related: fc.array(fc.record({ path: fc.constantFrom('/b', '/c'), text: unixText(8) }), { maxLength: 2 }),
    });
    return fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), fc.nat({ max: 2 }), (requests, taken) => {
      const grown = new ContextMemory(tokenizer, vocabulary);
      const sources = requests.map((one) => memorySources({ path: '/a', ...one }));
      for (const shown of sources) assert.ok(grown.show(shown, taken));
      const fresh = new ContextMemory(tokenizer, vocabulary);
      const last = sources.at(-1)!;
      fresh.show(last, taken);
      const asked = tokenizer.encode(last.at(-1)!.text).slice(-6);
      const strip = (memory: ContextMemory) =>
        memory
          .lookUp(asked)
          .map(({ token, length, own }) => `${token} ${length} ${own}`)
          .sort();
      assert.deepEqual(strip(grown), strip(fresh));
    });
  },
};

const encoding: Property = {
  name: 'tokenizer: text comes back from its tokens, and an edited text is encoded as a new one',
  weight: 2,
  property: () => {
    const tokenizer = tinyTokenizer();
    return fc.property(fc.array(unixText(), { minLength: 1, maxLength: 3 }), (versions) => {
      const encoded = new EncodedText();
      for (const version of versions) {
        assert.ok(encoded.update(version, tokenizer));
        assert.equal(tokenizer.decode(encoded.tokens), version.toWellFormed());
        assert.deepEqual(encoded.tokens, tokenizer.encode(version));
      }
    });
  },
};

const windows: Property = {
  name: 'window: it ends at the cursor, begins where it says, and is not too long',
  weight: 1,
  property: () => {
    const tokenizer = tinyTokenizer();
    const manifest = { ...tinyManifest(), window: { tokens: 128, suffixTokens: 16, hop: 8 } };
    return fc.property(fc.array(unixText(), { maxLength: 8 }), unixText(), fc.string(), (parts, suffix, path) => {
      const prefix = parts.join('');
      const window = cutWindow({ path, prefix, suffix }, tokenizer, manifest);
      assert.ok(window.head.length + window.prefix.length <= 128 - RESERVE || window.prefix.length <= 1);
      const shown = tokenizer.decode(window.prefix);
      assert.ok(prefix.toWellFormed().endsWith(shown.replace(/^\uFFFD+/, '')), JSON.stringify(shown));
      assert.ok(window.prefixStart >= 0 && window.prefixStart <= prefix.length);
      assert.ok(window.suffixEnd >= 0 && window.suffixEnd <= suffix.length);
    });
  },
};

/** The line states of a text after edits, and of what it has become, read from the beginning. */
const scopes: Property = {
  name: 'scopes: after any edits the grammar is in the state at every line that reading from the beginning gives',
  weight: 1,
  property: () =>
    fc.asyncProperty(
      fc.constantFrom('typescript', 'python', 'rust', 'html', 'shellscript'),
      unixText(60),
      fc.array(fc.tuple(fc.nat(), fc.nat(), unixText(6), fc.nat()), { maxLength: 6 }),
      async (language, content, edits) => {
        const grammar = await grammarFor(language);
        assert.ok(grammar);
        const states = new LineStates(grammar);
        let now = content;
        const stateAt = (kept: LineStates, line: number) =>
          kept.before(
            line,
            (at) => now.split('\n')[at]!,
            () => false,
          );
        for (const [first, second, inserted, asked] of edits) {
          stateAt(states, asked % now.split('\n').length);
          const [from, to] = [first % (now.length + 1), second % (now.length + 1)].sort((a, b) => a - b) as [
            number,
            number,
          ];
          const lineAt = (offset: number) => now.slice(0, offset).split('\n').length - 1;
          states.changed(lineAt(from), lineAt(to), inserted.split('\n').length - 1);
          now = now.slice(0, from) + inserted + now.slice(to);
        }
        const fresh = new LineStates(grammar);
        for (let line = 0; line < now.split('\n').length; line++) {
          const [kept, wanted] = [stateAt(states, line), stateAt(fresh, line)];
          assert.ok(kept === wanted || kept?.equals(wanted!), `${line}: ${JSON.stringify(now)}`);
        }
      },
    ),
};

const settings: Property = {
  name: 'settings: whatever is given, each one is acceptable in the end, and each problem is one line',
  weight: 1,
  property: () => {
    const names = Object.keys(readSettings({}).settings);
    const given = fc.oneof(anything, fc.dictionary(fc.constantFrom(...names), anything));
    return fc.property(given, (value) => {
      const { settings: read, problems } = readSettings(value);
      assert.deepEqual(readSettings(read), { settings: read, problems: [] });
      for (const problem of problems) assert.doesNotMatch(problem, /[\n\r]/);
    });
  },
};

let manifest: Manifest | undefined;
function tinyManifest(): Manifest {
  return (manifest ??= parseManifest(readFileSync(join(TINY, 'manifest.json'), 'utf8'), 'manifest.json'));
}

/** All ways that lead to a value inside of another. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>;
  if (rest.length === 0 && by === undefined) delete copy[key];
  else copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const manifests: Property = {
  name: 'manifest: what is not right is refused in one line that names the file',
  weight: 1,
  property: () => {
    const good = tinyManifest();
    const broken = fc
      .tuple(fc.constantFrom(...pathsOf(good)), fc.oneof(fc.jsonValue(), fc.constant(undefined)))
      .map(([path, by]) => JSON.stringify(replaced(good, path, by)) ?? '');
    const cutShort = fc.nat().map((end) => JSON.stringify(good).slice(0, end % 4000));
    return fc.property(fc.oneof({ weight: 8, arbitrary: broken }, cutShort, text()), (content) => {
      try {
        const read = parseManifest(content, 'm/manifest.json');
        for (const [, { path }] of filesOf(read)) assert.ok(!path.split(/[\\/]/).includes('..'));
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, /^m\/manifest\.json: [^\n]+$/);
      }
    });
  },
};

const jsonl: Property = {
  name: 'JSONL: each line is an item or is named with its number',
  weight: 1,
  property: () => {
    const item = fc.record({
      id: fc.oneof(fc.string(), fc.nat()),
      path: fc.constant('a.ts'),
      prefix: text(),
      suffix: text(),
    });
    const line = fc.oneof(
      item.map((value) => ({ good: true, content: JSON.stringify(value) })),
      fc.jsonValue().map((value) => ({ good: false, content: JSON.stringify(value) })),
      text().map((content) => ({ good: false, content: content.replace(/[\n\r\u2028\u2029]/g, '') })),
    );
    return fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const folder = mkdtempSync(join(tmpdir(), 'thoughtline-jsonl-'));
      try {
        const file = join(folder, 'items.jsonl');
        writeFileSync(file, lines.map(({ content }) => content).join('\n'));
        const problems: string[] = [];
        let read = 0;
        for await (const { id } of readItems(file, completionItem, (problem) => problems.push(problem))) {
          assert.ok(['string', 'number'].includes(typeof id));
          read++;
        }
        assert.equal(read, lines.filter(({ good }) => good).length);
        const blank = lines.filter(({ content }) => content.trim() === '').length;
        assert.equal(read + problems.length + blank, lines.length, problems.join('\n'));
        for (const problem of problems) assert.match(problem, /items\.jsonl:\d+: [^\n]+; line skipped$/);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  },
};

const stored: Property = {
  name: 'statistics: whatever was stored, the totals are numbers',
  weight: 1,
  property: () => {
    const day = fc.record(
      {
        day: fc.oneof(fc.constant('2026-11-22'), anything),
        ...Object.fromEntries(
          ['shown', 'accepted', 'partly', 'dismissed', 'keystrokesSaved'].map((name) => [
            name,
            fc.oneof(fc.nat(), anything),
          ]),
        ),
        checked: fc.oneof(fc.dictionary(fc.string(), fc.nat()), anything),
        kept: fc.oneof(fc.dictionary(fc.string(), fc.nat()), anything),
        latencies: fc.oneof(fc.dictionary(fc.nat().map(String), fc.nat()), anything),
      },
      { requiredKeys: [] },
    );
    const value = fc.oneof(
      anything,
      fc.record({
        format: fc.constantFrom(0, 1, 2),
        days: fc.oneof(fc.array(fc.oneof(day, anything), { maxLength: 3 }), anything),
      }),
    );
    return fc.property(value, (given) => {
      const all = totals(readStatistics(given).statistics);
      for (const count of Object.values(all)) {
        const counts = typeof count === 'number' ? [count] : Object.values(count as Record<string, number>);
        assert.ok(counts.every(Number.isFinite), JSON.stringify(all));
      }
    });
  },
};

const replies: Property = {
  name: 'messages: whatever the inference process says, it is taken for a message or not, and nothing is thrown',
  weight: 1,
  property: () => {
    const types = ['loading', 'ready', 'refused', 'completed', 'declined', 'thinking', 'thought', 'memory', 'log', 'x'];
    const message = fc.record({ type: fc.constantFrom(...types), id: anything, result: anything, reason: anything });
    return fc.property(fc.oneof(anything, message), (value) => {
      assert.equal(typeof isFromInference(value), 'boolean');
    });
  },
};

const paths: Property = {
  name: 'paths: every address gives a path, and nothing is thrown',
  weight: 1,
  property: () =>
    fc.property(
      fc.oneof(
        fc.webUrl(),
        fc.string(),
        text(),
        text().map((name) => `file:///${name}`),
        text().map((name) => `vscode-notebook-cell:/${name}#x`),
      ),
      fc.oneof(fc.constantFrom('typescript', 'constructor'), fc.string()),
      (uri, languageId) => {
        assert.equal(typeof pathFor({ uri, languageId }), 'string');
      },
    ),
};

/** Everything that needs no process. */
// Put together here, so that no scanner of repositories takes them for real ones.
const credentials = fc.constantFrom(
  "const password = 'Winter2024!';",
  'PAYMENT_TOKEN=q8Zk2Lw9XtPm4Rv7',
  `// ghp_${'aB3dE5fG7hJ9'.repeat(3)}`,
  'url = postgres://me:hunter2@db/app',
  ['-----BEGIN ', 'PRIVATE KEY-----'].join(''),
);

const secrets: Property = {
  name: 'secrets: a credential anywhere in a text is not in what others may know, and the lines that stay are found again',
  weight: 1,
  property: () =>
    fc.property(unixText(), credentials, unixText(), (before, credential, after) => {
      const whole = `${before}\n${credential}\n${after}`;
      const known = forOthers(whole);
      assert.ok(!known.text.includes(credential));
      const left = known.text.split('\n');
      const places = whole.split('\n').map((line, i) => {
        const place = known.lineOf(i);
        if (place !== undefined) assert.equal(left[place], line);
        return place;
      });
      const kept = places.filter((place) => place !== undefined);
      assert.equal(kept.map((place) => left[place]).join('\n'), known.text);
    }),
};

const refused: Property = {
  name: 'refusals: what is written and taken back is refused there, and its first letters bring it back',
  weight: 1,
  property: () =>
    fc.property(unixText(), unixText(6), unixText(), (prefix, written, suffix) => {
      fc.pre(written.trim() !== '');
      const refusals = new Refusals();
      const offset = prefix.length;
      refusals.changed({ offset, removed: '', inserted: written }, prefix + written + suffix);
      refusals.changed({ offset, removed: written, inserted: '' }, prefix + suffix);
      assert.ok(refusals.refuses({ prefix, suffix }, written));
      assert.ok(refusals.refuses({ prefix, suffix }, `${written}more`));
      assert.ok(
        !refusals.refuses({ prefix: `${prefix}${written[0]}`, suffix }, written.slice(1)) || /^\s/.test(written),
      );
      refusals.wanted({ prefix, suffix });
      assert.ok(!refusals.refuses({ prefix, suffix }, written));
    }),
};

export const properties: readonly Property[] = [
  positions, edits, trimming, fitting, cutting, stopping, typingAlong, rows, lookups, context, encoding, windows, scopes, settings, manifests, jsonl, stored, replies, paths, secrets, refused,
]; // prettier-ignore
