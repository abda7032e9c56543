/** What is kept of windows that have been read, on a small decoder that fills in: tokens forwarded, and that nothing is stale. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { InferenceSession } from 'onnxruntime-node';
import { adopt } from '../../src/adopt/adopt';
import { Engine, type CompletionRequest } from '../../src/completion/engine';
import { FRESH_TOKENS } from '../../src/model/suffixReuse';
import { loadRuntime, type Runtime } from '../../src/model/runtime';
import { tinyDecoder } from '../tinyDecoder';
import { writeGguf } from '../tinyGguf';
import { scoreUnderThought } from '../../lab/engineMeasures';
import { withScratch } from './bundles';

const PATH = 'src/harbour.ts';
const TARGET = 'registry.appoint(master);';

/** Lines that differ from each other. */
const LINES = Array.from({ length: 400 }, (_, i) => `  const berth${i} = harbour.assign(${i * 7}, "ship ${i % 13}");`);

/** ONNX Runtime as it is, counting the tokens that the lower layers read. */
function counting(runtime: Runtime, counted: { tokens: number }): Runtime {
  const { InferenceSession: sessions } = runtime;
  const create = async (...args: Parameters<typeof sessions.create>): Promise<InferenceSession> => {
    const session = await sessions.create(...args);
    return new Proxy(session, {
      get(target, name) {
        if (name === 'run') {
          return (feeds: InferenceSession.FeedsType, ...others: never[]) => {
            counted.tokens += feeds['tokens']?.size ?? 0;
            return target.run(feeds, ...others);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
  return { ...runtime, InferenceSession: { ...sessions, create } };
}

/** A request behind the first lines of a file. */
function at(lines: readonly string[], line: number, typed = '  '): CompletionRequest {
  const [prefix, suffix] = [lines.slice(0, line), lines.slice(line)];
  return { path: PATH, prefix: `${prefix.join('\n')}\n${typed}`, suffix: `\n${suffix.join('\n')}\n`, related: [] };
}

describe('windows that have been read', () => {
  const scratch = withScratch();
  const counted = { tokens: 0 };
  let directory = '';
  let runtime: Runtime;
  let plain: Engine;
  before(async () => {
    const { entries, tensors } = tinyDecoder('qwen2');
    const path = join(scratch(), 'tiny.gguf');
    await writeGguf(path, entries, tensors);
    directory = join(scratch(), 'tiny');
    await adopt(path, directory);
    runtime = counting(await loadRuntime(), counted);
    plain = await open(1);
  });
  const opened: Engine[] = [];
  const open = async (windows?: number) => {
    const engine = await Engine.open(directory, { device: 'cpu', threads: 1, runtime, windows });
    opened.push(engine);
    return engine;
  };
  after(() => Promise.all(opened.map((engine) => engine.close())));

  /** Tokens that something forwards. */
  const forwarded = async (act: () => Promise<unknown>) => {
    counted.tokens = 0;
    await act();
    return counted.tokens;
  };
  const complete = (engine: Engine, request: CompletionRequest, exact = true) =>
    forwarded(() => engine.complete(request, { steps: 0, maxLines: 1, candidates: 1, exact, timeBudget: 0 }));
  const nats = async (engine: Engine, request: CompletionRequest) =>
    (await scoreUnderThought(engine, request, TARGET, engine.prior)).nats;

  /** That a text is as likely as where nothing was read before, and the tokens of that plain run. */
  const asPlain = async (engine: Engine, request: CompletionRequest) => {
    let [kept, wanted] = [0, 0];
    const read = await forwarded(async () => (kept = await nats(engine, request)));
    // Of a path that nobody has asked about nothing is kept; the window does not tell it.
    const elsewhere = { ...request, path: `${runs++}.ts` };
    const all = await forwarded(async () => (wanted = await nats(plain, elsewhere)));
    assert.ok(Math.abs(kept - wanted) < 0.01 * wanted, `${kept} nats, ${wanted} where nothing was read before`);
    assert.ok(read <= all, `${read} tokens, a plain run has ${all}`);
    return { read, all };
  };
  let runs = 0;

  test('a keystroke in a line costs its own tokens', async () => {
    const engine = await open();
    await complete(engine, at(LINES, 195, '  const '));
    for (const typed of ['  const b', '  const be', '  const ber = ', '  const ber = f']) {
      const tokens = await complete(engine, at(LINES, 195, typed), false);
      assert.ok(tokens <= 4, `${typed}: ${tokens} tokens`);
    }
  });

  test('a new line costs the line and the suffix’s beginning, and all of the suffix where it has to be exact', async () => {
    const engine = await open();
    await complete(engine, at(LINES, 195));
    const grown = [...LINES.slice(0, 195), '  x();', ...LINES.slice(195)];
    const soon = await complete(engine, at(grown, 196), false);
    assert.ok(soon <= FRESH_TOKENS + 12, `${soon} tokens`);
    const { read } = await asPlain(engine, at(grown, 196));
    assert.ok(read > 100 && read < 220, `${read} tokens`);
  });

  test('what follows a block once it is accepted is prefetched, next to the window at hand', async () => {
    const engine = await open();
    await complete(engine, at(LINES, 195, '  const '));
    const accepted = [...LINES.slice(0, 195), '  const berth = 1;', '  const ship = 2;', ...LINES.slice(195)];
    const next = at(accepted, 197);
    const unread = engine.unread(next);
    assert.ok(unread > 8 && unread <= 64, `${unread} tokens`);
    await engine.complete(next, { steps: 0, maxLines: 1, candidates: 1, exact: false, timeBudget: 0, prefetch: true });
    assert.ok((await complete(engine, at(LINES, 195, '  const b'), false)) <= 2);
    assert.ok((await complete(engine, next, false)) <= 1);
  });

  test('a cursor that jumps between far places finds them as they were left', async () => {
    const engine = await open();
    const places = [40, 350, 200].map((line) => at(LINES, line));
    const first: number[] = [];
    for (const place of places) first.push((await asPlain(engine, place)).read);
    assert.ok(first.every((tokens) => tokens > 300));
    for (const place of [...places, ...places.reverse()]) {
      const { read } = await asPlain(engine, place);
      assert.ok(read < 20, `${read} tokens`);
    }
  });

  test('where one window is kept, a jump costs a plain run and no more', async () => {
    const engine = await open(1);
    for (const line of [40, 350, 40, 350]) await asPlain(engine, at(LINES, line));
    assert.ok(engine.windowBytes < 1.3 * (await bytesOfOne(open)));
  });

  test('undo and redo find both texts as they were', async () => {
    const engine = await open();
    const without = at([...LINES.slice(0, 170), ...LINES.slice(180)], 190);
    const storm = [at(LINES, 200), without];
    const counts: number[] = [];
    for (let i = 0; i < 8; i++) counts.push((await asPlain(engine, storm[i % 2]!)).read);
    assert.ok(counts.slice(2).every((tokens) => tokens < 20), counts.join(', ')); // prettier-ignore
  });

  test('a file that changes on disk is read from where it differs', async () => {
    const engine = await open();
    const cursor = 195;
    const { all } = await asPlain(engine, at(LINES, cursor));
    const tokens = (from: number, to: number) =>
      engine.bundle.tokenizer.encode(LINES.slice(from, to).join('\n')).length;
    // Before the cursor all behind the change is read; after it what the window has of the suffix behind it.
    for (const [line, minRead] of [
      [193, tokens(194, cursor) + engine.bundle.manifest.window.suffixTokens],
      [185, tokens(186, cursor) + engine.bundle.manifest.window.suffixTokens],
      [197, engine.bundle.manifest.window.suffixTokens - tokens(cursor, 197)],
    ] as const) {
      const changed = LINES.with(line, '  throw new Error("another text");');
      const { read } = await asPlain(engine, at(changed, cursor));
      assert.ok(
        read >= minRead - 8 && read <= all,
        `line ${line}: ${read} tokens of ${all}, ${minRead} after the change`,
      );
      await asPlain(engine, at(LINES, cursor));
    }
  });

  test('a suffix of 5 MB and a line of 1 MB cost one window', async () => {
    const engine = await open();
    const { tokens } = engine.bundle.manifest.window;
    const long = LINES.map((line) => line.trim()).join('');
    const minified = long.repeat(Math.ceil(2 ** 20 / long.length));
    const huge = `\n${LINES.join('\n')}`.repeat(Math.ceil((5 * 2 ** 20) / LINES.join('\n').length));
    for (const [prefix, suffix] of [
      [`${LINES.slice(0, 200).join('\n')}\n  `, huge],
      [minified, minified],
    ] as const) {
      const request = { path: PATH, prefix, suffix, related: [] };
      const { all } = await asPlain(engine, request);
      assert.ok(all <= tokens, `${all} tokens`);
      const next = await complete(engine, { ...request, prefix: `${prefix}ab` }, false);
      assert.ok(next <= 8, `${next} tokens`);
    }
  });
});

/** Memory that one full window takes. */
async function bytesOfOne(open: () => Promise<Engine>): Promise<number> {
  const engine = await open();
  const runs = engine.prepare(at(LINES, 350), engine.prior);
  while (!(await runs.next()).done);
  return engine.windowBytes;
}
