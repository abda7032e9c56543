/**
 * Does thinking help on text that the model never saw? The text is this repository's own source, frozen in
 * test/fixtures/sources. If z is zeroed, taken from another repository, or refinement does nothing, the tests named so
 * fail.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import type { CompletionRequest, Engine, Thought } from '../../src/completion/engine';
import { hasNano, NANO, ROOT, SOURCES } from '../fixtures';
import { think, withEngine } from './bundles';

interface Item extends CompletionRequest {
  readonly target: string;
}

const STEPS = 4;
const TARGET_CHARACTERS = 400;
const LINES_PER_FILE = 8;

/** Share of a line that has been typed when it is completed. */
const TYPED = 0.6;
/** Where in a file its targets lie, and how many lines are completed at each of these places. */
const PLACES = [0.45, 0.2, 0.7];
const ITEMS_PER_PLACE = 200;
const ITEMS = ITEMS_PER_PLACE * PLACES.length;

/** Source files with text outside the window: this repository's own as they once were, so that the items stay the same. */
function sourceFiles(): { path: string; text: string }[] {
  return readdirSync(SOURCES)
    .sort()
    .map((name) => ({
      path: name.replaceAll('__', '/').replace(/\.txt$/, ''),
      text: readFileSync(join(SOURCES, name), 'utf8').replaceAll('\r\n', '\n'),
    }));
}

/** A target within a file, cut out of what the request shows. */
function itemIn({ path, text }: { path: string; text: string }, place: number): Item {
  const from = text.indexOf('\n', text.length * place) + 1;
  const to = text.indexOf('\n', from + TARGET_CHARACTERS) + 1;
  return { path, prefix: text.slice(0, from), suffix: text.slice(to), target: text.slice(from, to), related: [] };
}

/** Cursors within the lines of an item's target, each with the rest of its line as a target of its own. */
function lineItems({ path, text }: { path: string; text: string }, item: Item): Item[] {
  const items: Item[] = [];
  let from = item.prefix.length;
  for (const line of item.target.split('\n').slice(0, -1)) {
    const indent = line.length - line.trimStart().length;
    const cut = from + indent + Math.floor((line.length - indent) * TYPED);
    const end = from + line.length;
    if (line.trim().length > 8) {
      items.push({
        path,
        prefix: text.slice(0, cut),
        suffix: text.slice(end),
        target: text.slice(cut, end),
        related: [],
      });
    }
    from = end + 1;
  }
  return items.slice(0, LINES_PER_FILE);
}

/** Asserts that the mean of paired differences is below zero by more than two standard errors. */
function assertBelowZero(context: TestContext, differences: readonly number[], what: string): void {
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (differences.length - 1);
  const error = Math.sqrt(variance / differences.length);
  const text = `${what}: ${mean.toFixed(4)} ± ${error.toFixed(4)} nats a byte over ${differences.length} files`;
  context.diagnostic(text);
  assert.ok(mean + 2 * error < 0, text);
}

test('the trained bundle is there', () => assert.ok(hasNano, 'models/nano/manifest.json is missing'));

describe('thinking about unseen text', { skip: !hasNano }, () => {
  const engine = withEngine(NANO);
  const nll = new Map<string, number[]>();
  const lines = { count: 0, changed: 0, exactBefore: 0, exactAfter: 0 };

  before(async () => {
    const prior = engine().prior;
    const zero: Thought = { ...prior, version: -1, mu: new Float32Array(prior.mu.length) };
    const shuffled = await think(engine(), foreignRequest(), STEPS);
    for (const place of PLACES) {
      let room = ITEMS_PER_PLACE;
      for (const file of sourceFiles()) {
        if (room === 0) break;
        const item = itemIn(file, place);
        // The target is cut out of the file: no thought about it has seen it.
        const context = await think(engine(), item, STEPS);
        // One target a file: those of the same file are not independent.
        if (place === PLACES[0]) {
          for (const [name, thought] of Object.entries({ context, prior, zero, shuffled })) {
            const { nats, bytes } = await engine().score(item, item.target, thought);
            nll.set(name, [...(nll.get(name) ?? []), nats / bytes]);
          }
        }
        for (const line of lineItems(file, item).slice(0, room)) {
          const without = await complete(engine(), line, prior);
          const after = await complete(engine(), line, context);
          room--;
          lines.count++;
          if (without !== after) lines.changed++;
          if (without === line.target) lines.exactBefore++;
          if (after === line.target) lines.exactAfter++;
        }
      }
    }
  });

  const against = (name: string) => nll.get('context')?.map((value, i) => value - (nll.get(name)?.[i] ?? NaN)) ?? [];

  test('lowers its NLL (fails if refinement does nothing)', (context) =>
    assertBelowZero(context, against('prior'), 'context − z_0'));
  test('is worth more than no thought (fails if z is zeroed)', (context) =>
    assertBelowZero(context, against('zero'), 'context − 0'));
  test('is worth more than a thought about another repository (fails if z is shuffled)', (context) => {
    assertBelowZero(context, against('shuffled'), 'context − shuffled');
  });
  test(`changes at least a tenth of ${ITEMS} completions, and exact match does not fall`, (context) => {
    const { count, changed, exactBefore, exactAfter } = lines;
    context.diagnostic(`${changed} of ${count} changed, ${exactBefore} → ${exactAfter} exact`);
    assert.equal(count, ITEMS);
    assert.ok(changed >= ITEMS / 10, `${changed} of ${count} completions changed`);
    assert.ok(exactAfter >= exactBefore, `exact match fell from ${exactBefore} to ${exactAfter}`);
  });
});

/** By the decoder alone: what the lookup memory adds is tested apart, and would hide what the thought does. */
async function complete(engine: Engine, item: Item, thought: Thought): Promise<string> {
  const { text } = await engine.complete(item, { steps: 0, maxLines: 1, candidates: 1, memory: false, thought });
  return text;
}

/** A place in a file of another repository. */
function foreignRequest(): CompletionRequest {
  const path = 'node_modules/semver/classes/range.js';
  const text = readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');
  const at = text.indexOf('\n', text.length / 2) + 1;
  return { path, prefix: text.slice(0, at), suffix: text.slice(at), related: [] };
}
