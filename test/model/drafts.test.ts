import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { decode } from '../../src/completion/decode';
import type { DecodeOptions } from '../../src/completion/decodeOptions';
import type { Mix } from '../../src/completion/lookupMemory';
import type { Draft } from '../../src/completion/draft';
import type { CompletionRequest } from '../../src/completion/engine';
import { heal } from '../../src/completion/heal';
import { cursorContext } from '../../src/completion/stop';
import { cutWindow } from '../../src/completion/window';
import { openBundle, type Bundle } from '../../src/model/bundle';
import { Decoder } from '../../src/model/decoder';
import type { Graphs } from '../../src/model/graphs';
import { endTokens } from '../../src/model/manifest';
import { loadRuntime } from '../../src/model/runtime';
import { openGraphs } from '../../src/model/sessions';
import { hasNano, NANO, SOURCES } from '../fixtures';
import { BUNDLES, requestIn, withEngine } from './bundles';

/** Places all over frozen sources, some of them within a line. */
async function places(count: number): Promise<CompletionRequest[]> {
  const files = (await readdir(SOURCES)).sort();
  const requests: CompletionRequest[] = [];
  for (let i = 0; i < count; i++) {
    const file = files[(i * 7) % files.length] as string;
    const other = files[(i * 7 + 3) % files.length] as string;
    const { prefix, suffix } = await requestIn(file, 0.1 + (0.8 * i) / count, SOURCES);
    const cut = prefix.length - ((i * 11) % 40);
    const { prefix: start, suffix: end } = await requestIn(other, 0.5, SOURCES);
    const related = [{ path: other, text: start + end }];
    requests.push({ path: file, prefix: prefix.slice(0, cut), suffix: prefix.slice(cut) + suffix, related });
  }
  return requests;
}

for (const [name, directory] of BUNDLES) {
  describe(`drafts verified by ${name}`, () => {
    let bundle: Bundle;
    let graphs: Graphs;
    before(async () => {
      bundle = await openBundle(directory);
      graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 2 });
    });

    /** What is written at a place, the tokens of it, and how many runs that took. */
    async function write(decoder: Decoder, request: CompletionRequest, options: Partial<DecodeOptions> = {}) {
      const { tokenizer, manifest } = bundle;
      const window = cutWindow(request, tokenizer, manifest);
      const healed = heal(window.prefix, tokenizer);
      let runs = 0;
      const counting = {
        logits: (...all: Parameters<Decoder['logits']>) => (runs++, decoder.logits(...all)),
      } as unknown as Decoder;
      let tokens: readonly number[] = [];
      const mix: Mix = (logits, context) => ((tokens = context.tokens.slice(healed.tokens.length)), logits);
      const thought = { version: 0, mu: bundle.prior };
      const prepared = { decoder: counting, tokenizer, thought, head: window.head, healed, mix };
      const candidates = await decode(prepared, {
        cursor: cursorContext(request.prefix, request.suffix, 8),
        width: 1,
        maxTokens: 24,
        endTokens: endTokens(manifest),
        ...options,
      });
      const texts = candidates?.map(({ text, stop }) => ({ text, stop }));
      return { texts, logprob: candidates?.[0]?.logprob, tokens, before: healed.tokens.length, runs };
    }

    test('the text is that of writing token by token, whatever of a draft holds', async () => {
      let [saved, whole] = [0, 0];
      for (const [i, request] of (await places(12)).entries()) {
        const kept = new Decoder(graphs, bundle.manifest);
        const plain = await write(new Decoder(graphs, bundle.manifest), request);
        const wanted: Draft = (context, count) =>
          plain.tokens.slice(context.tokens.length - plain.before).slice(0, count);
        // Right from beginning to end; wrong from the third token on; all wrong. On caches that are kept in between.
        for (const held of [Infinity, 2, 0]) {
          const draft: Draft = (context, count) => {
            const right = [...wanted(context, count), ...Array<number>(count).fill(300 + i)].slice(0, count);
            return right.map((token, at) => (at < held ? token : (token % 4000) + 300));
          };
          const drafted = await write(kept, request, { draft });
          assert.deepEqual(drafted.texts, plain.texts);
          assert.ok(Math.abs(drafted.logprob! - plain.logprob!) < 1e-3, `${drafted.logprob} and ${plain.logprob}`);
          assert.ok(drafted.runs <= plain.runs);
          if (held === Infinity) [saved, whole] = [saved + plain.runs - drafted.runs, whole + plain.runs];
        }
      }
      assert.ok(saved > whole / 2, `${saved} of ${whole} runs saved`);
    });

    test('writing that is given up leaves nothing of a draft behind', async () => {
      const [request] = (await places(3)).slice(1) as [CompletionRequest];
      const decoder = new Decoder(graphs, bundle.manifest);
      const draft: Draft = (_, count) => Array<number>(count).fill(301);
      for (let after = 0; after < 4; after++) {
        let looks = 0;
        const signal = { get aborted() { return looks++ >= after; } }; // prettier-ignore
        assert.equal((await write(decoder, request, { draft, signal })).texts, undefined);
      }
      const fresh = await write(new Decoder(graphs, bundle.manifest), request);
      assert.deepEqual((await write(decoder, request)).texts, fresh.texts);
    });
  });
}

if (hasNano) {
  describe('drafts from the lookup memory of nano', () => {
    const engine = withEngine(NANO);
    test('the same suggestions with them and without, in fewer runs', async (t) => {
      const runs = t.mock.method(Decoder.prototype, 'logits').mock;
      const taken = { on: 0, off: 0 };
      for (const [i, request] of (await places(40)).entries()) {
        const options = { steps: 0, maxLines: i % 2 ? 1 : 8, candidates: 1, thought: engine().prior };
        const write = async (drafts: boolean) => {
          const before = runs.callCount();
          const { text, stop } = await engine().complete(request, { ...options, drafts });
          taken[drafts ? 'on' : 'off'] += runs.callCount() - before;
          return [text, stop];
        };
        assert.deepEqual(await write(true), await write(false));
      }
      assert.ok(taken.on < 0.75 * taken.off, `${taken.on} runs with drafts, ${taken.off} without`);
    });
  });
}
