/** What the user notices of the server's decisions beyond a single answer: reuse, prefetching, snooze, comments. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InlineCompletionItem, Position } from 'vscode-languageserver-protocol/node';
import { hasNano, NANO } from '../fixtures';
import { LspClient, frozen, runs } from './client';

const text = readFileSync(join(frozen, 'src/thought/refine.ts'), 'utf8');
const lines = text.split('\n');

let client: LspClient;
before(async () => {
  client = await LspClient.start({ settings: { inferenceSteps: 0 } });
});
after(() => client.stop());

let copies = 0;
let opened: string[] = [];
async function copy(to = client, content = text): Promise<string> {
  const uri = `file:///behaviour/${copies++}/src/refine.ts`;
  if (to === client) opened.push(uri);
  await to.open(uri, content);
  return uri;
}
// Who has the same text open beside it is suggested what follows anyway, which is nothing: the search below would be long.
afterEach(async () => {
  for (const uri of opened) await client.close(uri);
  opened = [];
});

/** The first suggestion at the end of a line that satisfies `accept`, and nothing asked after it. */
async function suggestion(
  uri: string,
  accept: (text: string) => boolean = () => true,
): Promise<Position & { text: string }> {
  for (let line = 20; line < lines.length; line++) {
    const character = lines[line]!.length;
    const [item] = await client.complete(uri, { line, character });
    if (item && accept(item.insertText as string)) return { line, character, text: item.insertText as string };
  }
  throw new Error('the model suggests nothing of the kind');
}

/** The cursor after some text. */
function behind({ line, character }: Position, typed: string): Position {
  const typedLines = typed.split('\n');
  if (typedLines.length === 1) return { line, character: character + typed.length };
  return { line: line + typedLines.length - 1, character: typedLines.at(-1)!.length };
}

test('a word, then a line of a suggestion is accepted: the rest stays, without a run', async () => {
  const uri = await copy();
  const whole = await suggestion(uri, (found) => /^\s*\S+\s+\S+\s+\S/.test(found));
  const word = /^\s*\S+\s*/.exec(whole.text)![0];
  const line = /^[^\n]*\n?/.exec(whole.text.slice(word.length))![0];
  const before = await client.statistics();
  let cursor: Position = whole;
  let left = whole.text;
  for (const part of [word, line.slice(0, -1)]) {
    await client.type(uri, cursor, part);
    cursor = behind(cursor, part);
    left = left.slice(part.length);
    const [rest] = await client.complete(uri, cursor);
    assert.equal(rest?.insertText, left);
  }
  const now = await client.statistics();
  assert.equal(runs(now), runs(before));
  assert.equal(now.paths.typedAlong, before.paths.typedAlong + 2);
});

test(
  'triggered manually once more, there are others to choose from, and the one chosen goes on',
  { timeout: 240_000 },
  async () => {
    const uri = await copy();
    for (let line = 20; line < lines.length; line += 3) {
      const at = { line, character: lines[line]!.length };
      const once = await client.complete(uri, at, { invoked: true });
      if (once.length === 0) continue;
      assert.equal(once.length, 1);
      const items = await client.complete(uri, at, { invoked: true });
      const texts = items.map(({ insertText }) => insertText as string);
      assert.equal(texts[0], once[0]!.insertText);
      assert.equal(new Set(texts).size, texts.length);
      const other = texts.find((found) => found[0] !== texts[0]![0] && found.length > 1);
      if (other === undefined) continue;
      const before = await client.statistics();
      assert.deepEqual(await client.complete(uri, at), items, 'they stay while nothing is typed');
      await client.type(uri, at, other[0]!);
      const [rest] = await client.complete(uri, behind(at, other[0]!));
      assert.equal(rest?.insertText, other.slice(1));
      assert.equal(runs(await client.statistics()), runs(before));
      return;
    }
    assert.fail('there was never anything to choose from');
  },
);

test(
  'what follows an accepted suggestion has been made before it is accepted',
  { timeout: 120_000 },
  async (context) => {
    // A server of its own: what it prefetches is about this file. Lines, since the small model seldom knows what comes after
    // a block.
    const reading = await LspClient.start({ settings: { inferenceSteps: 0, maxLines: 1 } });
    context.after(() => reading.stop());
    // A file that fits into the window, which therefore need not move.
    const short = lines.slice(0, 26);
    const uri = await copy(reading, short.join('\n'));
    let line = short.length - 1;
    let end = short[line]!.length;
    for (const begun of ['export interface Chunk {', 'export const limit = ', 'export function add(', 'const a = ']) {
      await reading.type(uri, { line, character: end }, `\n\n${begun}`);
      line += 2;
      end = begun.length;
      const at = { line, character: end };
      const { prefetch } = await reading.statistics();
      const [first] = await reading.complete(uri, at);
      if (!first) continue;
      // The user reads it.
      while ((await reading.statistics()).prefetch.runs === prefetch.runs) await sleep(20);
      const before = await reading.statistics();
      const accepted = first.insertText as string;
      await reading.type(uri, at, accepted);
      const [next] = await reading.complete(uri, behind(at, accepted));
      const now = await reading.statistics();
      ({ line, character: end } = behind(at, accepted));
      if (!next) continue;
      assert.equal(now.prefetch.served, before.prefetch.served + 1);
      assert.equal(runs(now), runs(before));
      return;
    }
    assert.fail('nothing ever followed a suggestion');
  },
);

test('a run that cannot fit the text any more is stopped, and the reason is told', async () => {
  const uri = await copy();
  const at = { line: 30, character: lines[30]!.length };
  let early: Promise<InlineCompletionItem[]> | undefined;
  await client.atOnce(() => {
    early = client.complete(uri, at);
    return client.change(uri, { text: `// ${text}` });
  });
  assert.deepEqual(await early, []);
  const { details } = await client.why(uri, at);
  assert.match(details.join('\n'), /the editor went on|text changed|superseded/);
});

test('in comments and strings nothing is suggested automatically when that is off; triggered manually it is', async () => {
  await client.configure({ inferenceSteps: 0, trigger: 'code' });
  const code = await copy();
  await suggestion(code);
  await client.close(code);
  const uri = await copy();
  const comment = lines.findIndex((line) => /^ {2}(?:\/\*\*|\/\/) \w/.test(line));
  const inside = { line: comment, character: lines[comment]!.replace(/ \*\/$/, '').length };
  await client.change(uri, {
    range: { start: inside, end: { ...inside, character: lines[comment]!.length } },
    text: ' ',
  });
  const asked = { line: comment, character: inside.character + 1 };
  // Until the grammar has been loaded everything counts as code.
  while (!/in a comment/.test((await client.why(uri, asked)).reason)) await sleep(20);
  assert.deepEqual(await client.complete(uri, asked), []);
  assert.match((await client.why(uri, asked)).reason, /in a comment \(thoughtline\.trigger\)/);
  await client.complete(uri, asked, { invoked: true });
  assert.doesNotMatch((await client.why(uri, asked)).details[0]!, /thoughtline\.trigger/);
  await client.configure({ inferenceSteps: 0 });
  await client.complete(uri, asked);
  assert.doesNotMatch((await client.why(uri, asked)).details[0]!, /thoughtline\.trigger/);
});

test('snoozed, nothing is suggested automatically and nothing is thought; triggered manually it is', async () => {
  const snoozing = await LspClient.start({ settings: { inferenceSteps: 2 } });
  await snoozing.ready();
  await snoozing.connection.sendNotification('thoughtline/snooze', { on: true, until: '14:05' });
  const uri = await copy(snoozing);
  let items: InlineCompletionItem[] = [];
  for (let line = 20; line < 30; line++) items.push(...(await snoozing.complete(uri, { line, character: 99 })));
  assert.deepEqual(items, []);
  assert.equal((await snoozing.why(uri, { line: 20, character: 0 })).reason, 'suggestions are snoozed until 14:05');
  await sleep(600);
  assert.ok(!snoozing.statuses.some(({ state }) => state === 'thinking'));
  for (let line = 20; line < 40 && items.length === 0; line++) {
    items = await snoozing.complete(uri, { line, character: lines[line]!.length }, { invoked: true });
  }
  assert.equal(items.length, 1);
  await snoozing.connection.sendNotification('thoughtline/snooze', { on: false });
  await snoozing.thought(uri);
  assert.equal(await snoozing.stop(), 0);
});

test(
  'what the model is not sure of is withheld and the reason told; triggered manually it is shown',
  { skip: !hasNano },
  async () => {
    const careful = await LspClient.start({ bundle: NANO, settings: { inferenceSteps: 0, confidence: 'usual' } });
    const uri = await copy(careful);
    let [shown, withheld] = [0, 0];
    for (let line = 20; line < lines.length && (shown === 0 || withheld === 0); line++) {
      const at = { line, character: lines[line]!.length };
      const items = await careful.complete(uri, at);
      const { reason } = await careful.why(uri, at);
      if (items.length > 0) shown++;
      if (!/not sure enough/.test(reason)) continue;
      withheld++;
      assert.deepEqual(items, []);
      assert.equal((await careful.complete(uri, at, { invoked: true })).length, 1);
    }
    assert.ok(shown > 0 && withheld > 0, `${shown} shown, ${withheld} withheld`);
    assert.equal(await careful.stop(), 0);
  },
);

test('when the time budget is over, what has been written is shown; triggered manually, all of it', async () => {
  const hasty = await LspClient.start({ settings: { inferenceSteps: 0, timeBudget: 1 } });
  const uri = await copy();
  const same = await copy(hasty);
  const whole = await suggestion(uri, (found) => found.length > 40);
  const [cut] = await hasty.complete(same, whole);
  const begun = (cut?.insertText as string | undefined) ?? '';
  assert.ok(whole.text.startsWith(begun) && begun.length < whole.text.length, `${begun} of ${whole.text}`);
  const [all] = await hasty.complete(same, whole, { invoked: true });
  assert.equal(all?.insertText, whole.text);
  assert.equal(await hasty.stop(), 0);
});

test('a client that tells the settings of each document is asked for them', async () => {
  const scoped = await LspClient.start({
    settings: { inferenceSteps: 0 },
    capabilities: { workspace: { configuration: true } },
    configuration: (uri) => ({ device: 'cpu', inferenceSteps: 0, ...(uri.endsWith('.md') && { maxLines: 'many' }) }),
  });
  const uri = await copy(scoped);
  let found = 0;
  for (let line = 20; line < 40 && found === 0; line++) {
    found = (await scoped.complete(uri, { line, character: lines[line]!.length })).length;
  }
  assert.equal(found, 1);
  const off = 'file:///behaviour/off/src/refine.ts';
  scoped.configuration = () => ({ languages: { typescript: false } });
  await scoped.open(off, text);
  assert.deepEqual(await scoped.complete(off, { line: 20, character: 99 }, { invoked: true }), []);
  assert.match((await scoped.why(off, { line: 20, character: 0 })).reason, /off for the language "typescript"/);
  // The document before keeps its own until settings change.
  assert.doesNotMatch((await scoped.why(uri, { line: 20, character: 0 })).reason, /off for the language/);
  await scoped.configure({ inferenceSteps: 0 });
  await scoped.complete(uri, { line: 20, character: 0 });
  assert.match((await scoped.why(uri, { line: 20, character: 0 })).reason, /off for the language/);
  assert.equal(await scoped.stop(), 0);
});
