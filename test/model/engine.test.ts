import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CompletionRequest } from '../../src/completion/engine';
import { NANO, hasNano, TINY, SOURCES } from '../fixtures';
import { scoreUnderThought } from '../../lab/engineMeasures';
import { BUNDLES, requestIn, think, withEngine } from './bundles';

// Frozen: what is true of one text (a beam that keeps the greedy candidate) need not be of every other.
const FILE = 'src__completion__engine.ts.txt';
const greedy = { steps: 0, maxLines: 1, candidates: 1 };

for (const [name, directory] of BUNDLES) {
  describe(`engine of ${name}`, () => {
    const engine = withEngine(directory);

    test('zero steps equal z_0', async () => {
      const request = await requestIn(FILE, 0.5, SOURCES);
      assert.equal(await think(engine(), request, 0), engine().prior);
      assert.deepEqual(engine().prior.mu, engine().bundle.prior);
      const without = await engine().complete(request, greedy);
      const prior = await engine().complete(request, { ...greedy, steps: 4, thought: engine().prior });
      assert.deepEqual(without.candidates, prior.candidates);
    });

    test('a step lowers the NLL of its evidence', async () => {
      const { trace } = await think(engine(), await requestIn(FILE, 0.5, SOURCES), 1);
      assert.equal(trace.nll.length, 2);
      assert.ok((trace.nll[1] ?? NaN) < (trace.nll[0] ?? NaN), trace.nll.join(' → '));
    });

    test('refinement keeps the best by what is held out', async () => {
      const { trace } = await think(engine(), await requestIn(FILE, 0.5, SOURCES), 8);
      assert.equal(trace.heldOut[trace.best], Math.min(...trace.heldOut));
      assert.ok((trace.heldOut[trace.best] ?? NaN) <= (trace.heldOut[0] ?? NaN));
    });

    test('one advance of a refinement is one run, and decoding may come between', async () => {
      const request = await requestIn(FILE, 0.5, SOURCES);
      const expected = await think(engine(), request, 2);
      const refinement = engine().refinement(request, { steps: 2 });
      while (await refinement.advance()) await engine().complete(request, greedy);
      assert.deepEqual(engine().thought(refinement).mu, expected.mu);
    });

    test('after an edit, only what changed is evaluated again', async () => {
      const request = await requestIn(FILE, 0.7, SOURCES);
      const before = await think(engine(), request, 2);
      const lines = request.prefix.split('\n');
      const above = before.trace.chunks.map((chunk) => chunk.line).filter((line) => line < lines.length);
      const at = above.sort((a, b) => a - b)[above.length >> 1] ?? 0;
      lines[at] += ' // edited';
      const edited = { ...request, prefix: lines.join('\n') };
      const refinement = engine().refinement(edited, { steps: 1, from: before });
      let runs = 0;
      while (await refinement.advance()) runs++;
      const fresh = engine()
        .evidence(edited)
        .chunks.filter((chunk) => !before.gradients.has(chunk.key)).length;
      const validation = [...before.gradients.values()].filter((chunk) => chunk.heldOut).length;
      // Trunk states and a gradient for each new chunk, then one more evaluation of those and of the validation chunks.
      assert.ok(fresh > 0 && fresh <= 3, `${fresh} chunks are new`);
      assert.ok(runs <= 3 * fresh + validation, `${runs} runs`);
    });

    test('following costs the same however far the cursor went', async () => {
      const before = await think(engine(), await requestIn(FILE, 0.3, SOURCES), 2);
      const update = engine().follow(await requestIn(FILE, 0.8, SOURCES), before, 2);
      assert.equal(update?.kind, 'warm');
      let runs = 0;
      while (await update.refinement.advance()) runs++;
      const after = engine().thought(update.refinement);
      const fresh = [...after.gradients.keys()].filter((key) => !before.gradients.has(key)).length;
      const validation = [...after.gradients.values()].filter((chunk) => chunk.heldOut).length;
      assert.ok(fresh > 0 && fresh <= 2, `${fresh} chunks are new`);
      // Four more are read for the kNN cache, each in a run; each new one is read and evaluated, then again at each step.
      assert.ok(runs <= 4 + 2 * fresh + 2 * (fresh + validation), `${runs} runs`);
      assert.equal(after.trace.heldOut[after.trace.best], Math.min(...after.trace.heldOut));
    });

    test('preparing a thought leaves nothing but decoding to do', async () => {
      const request = await requestIn(FILE, 0.5, SOURCES);
      const thought = await think(engine(), request, 1);
      const expected = await engine().complete(request, { ...greedy, thought });
      const preparing = engine().prepare(request, thought);
      while (!(await preparing.next()).done) await engine().complete(request, greedy);
      const result = await engine().complete(request, { ...greedy, thought });
      assert.deepEqual(result.candidates, expected.candidates);
    });

    test('greedy decoding is deterministic, and a beam is at least as probable', async () => {
      const request = await requestIn(FILE, 0.5, SOURCES);
      const first = await engine().complete(request, greedy);
      assert.deepEqual((await engine().complete(request, greedy)).candidates, first.candidates);
      const beam = await engine().complete(request, { ...greedy, candidates: 4 });
      const [one, two] = beam.candidates;
      if (one && two) assert.ok(one.logprob >= two.logprob);
      if (one && first.candidates[0]) assert.ok(one.logprob >= first.candidates[0].logprob - 1e-3);
    });

    test('aborting ends a completion without a suggestion', async () => {
      const request = await requestIn(FILE, 0.5, SOURCES);
      const signal = { aborted: false };
      const pending = engine().complete(request, { ...greedy, maxLines: 8, signal });
      signal.aborted = true;
      const result = await pending;
      assert.equal(result.text, '');
      assert.equal(result.stop, 'aborted');
    });

    test('the score of a target adds up over its parts', async () => {
      const request = await requestIn(FILE, 0.4, SOURCES);
      const target = request.suffix.slice(0, 400);
      const cut = target.indexOf('\n', 150) + 1;
      const whole = await scoreUnderThought(engine(), request, target, engine().prior);
      const first = await scoreUnderThought(engine(), request, target.slice(0, cut), engine().prior);
      const second = await scoreUnderThought(
        engine(),
        { ...request, prefix: request.prefix + target.slice(0, cut) },
        target.slice(cut),
        engine().prior,
      );
      assert.equal(whole.bytes, Buffer.byteLength(target));
      assert.equal(first.bytes + second.bytes, whole.bytes);
      // The window of the second part begins elsewhere: about equal, not exactly.
      assert.ok(Math.abs(first.nats + second.nats - whole.nats) < 0.1 * whole.nats);
    });

    test('the target reaches neither evidence nor caches', async () => {
      const request = await requestIn(FILE, 0.4, SOURCES);
      const before = engine()
        .evidence(request)
        .chunks.map((chunk) => chunk.key);
      const completion = await engine().complete(request, greedy);
      await scoreUnderThought(engine(), request, 'const secret = 42;\n', engine().prior);
      assert.deepEqual(
        engine()
          .evidence(request)
          .chunks.map((chunk) => chunk.key),
        before,
      );
      assert.deepEqual((await engine().complete(request, greedy)).candidates, completion.candidates);
    });
  });
}

describe('odd documents', () => {
  const engine = withEngine(hasNano ? NANO : TINY);
  const table: [name: string, request: Partial<CompletionRequest>][] = [
    ['an empty file', {}],
    ['a file of one newline', { prefix: '\n' }],
    ['only a suffix', { suffix: 'const a = 1;\n' }],
    ['odd Unicode', { prefix: 'const 名前 = "👩‍👩‍👧é\u0301\ud800";\n', suffix: '\n// \u2028\ufeff' }],
    ['tabs and carriage returns', { prefix: 'if (a) {\r\n\tb();\r\n\t', suffix: '\r\n}\r\n' }],
    ['an empty path', { path: '', prefix: 'a' }],
    ['a line of 100 kB', { prefix: `const a = [${'12345, '.repeat(15_000)}`, suffix: '];\n' }],
    [
      'a file of 5 MB',
      { prefix: 'const value = compute(1);\n'.repeat(100_000), suffix: 'const value = compute(2);\n'.repeat(90_000) },
    ],
  ];
  for (const [name, request] of table) {
    test(`${name} is completed or not, but without an error, and soon`, async () => {
      const start = performance.now();
      const whole = { path: 'src/odd.ts', prefix: '', suffix: '', related: [], ...request };
      const result = await engine().complete(whole, { steps: 1, maxLines: 8, candidates: 1 });
      assert.ok(result.text !== '' || result.reason);
      assert.ok(result.replaceSuffix <= whole.suffix.length);
      assert.ok(performance.now() - start < 20_000);
    });
  }

  test('a binary file gets no suggestion, and the reason', async () => {
    const result = await engine().complete({ path: 'a.bin', prefix: '\x7fELF\0\0', suffix: '', related: [] }, greedy);
    assert.deepEqual([result.text, result.reason], ['', 'the file is binary']);
  });

  test('without units a block goes on behind the end of its syntax node', async () => {
    const options = { steps: 0, maxLines: 5, candidates: 1 };
    let longer = 0;
    const { prefix, suffix } = await requestIn(FILE, 0.5, SOURCES);
    const text = prefix + suffix;
    // Behind the beginnings of bodies: what comes next is a statement, and others after it.
    for (const { index } of [...text.matchAll(/ \{\n(?=\s+const )/g)].slice(0, 6)) {
      const [before, after] = [text.slice(0, index + 2), text.slice(index + 2)];
      const request = { path: 'src/engine.ts', prefix: before, suffix: after, related: [] };
      const unit = await engine().complete(request, options);
      const lines = await engine().complete(request, { ...options, units: false });
      assert.ok(lines.text.startsWith(unit.text), JSON.stringify([unit.text, lines.text]));
      longer += Number(lines.text.length > unit.text.length);
    }
    // Random weights write no statements.
    assert.ok(longer > 0 || !hasNano);
  });

  test('a document keeps its carriage returns', async () => {
    const request = await requestIn(FILE, 0.5, SOURCES);
    const crlf = (text: string) => text.replaceAll('\n', '\r\n');
    const options = { steps: 0, maxLines: 8, candidates: 1 };
    const unix = await engine().complete(request, options);
    const windows = await engine().complete(
      { ...request, prefix: crlf(request.prefix), suffix: crlf(request.suffix) },
      options,
    );
    assert.equal(windows.text, crlf(unix.text));
  });
});
