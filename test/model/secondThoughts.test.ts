import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BUNDLES, requestIn, think, withEngine } from './bundles';

const PLACES = [0.25, 0.5, 0.7];
const firstLine = (text: string) => text.trimStart().split('\n')[0];

for (const [name, directory] of BUNDLES) {
  describe(`second thoughts of ${name}`, () => {
    const engine = withEngine(directory);
    const options = { steps: 0, maxLines: 5, candidates: 1 };

    test('rethinking never gives what the context’s thought takes to be less probable', async () => {
      for (const share of PLACES) {
        const request = await requestIn('src/completion/engine.ts', share);
        const thought = await think(engine(), request, 2);
        const once = await engine().complete(request, { ...options, thought });
        const twice = await engine().complete(request, { ...options, thought, rethink: 4 });
        const [best = -Infinity] = once.candidates.map(({ logprob }) => logprob);
        assert.ok((twice.candidates[0]?.logprob ?? 0) >= best - 1e-3);
        assert.ok(once.candidates.every(({ text }) => twice.candidates.some((other) => other.text === text)));
      }
    });

    test('a plan keeps the first line', async () => {
      for (const share of PLACES) {
        const request = await requestIn('src/completion/engine.ts', share);
        const thought = await think(engine(), request, 2);
        const once = await engine().complete(request, { ...options, thought });
        const planned = await engine().complete(request, { ...options, thought, plan: 2 });
        assert.equal(firstLine(planned.text), firstLine(once.text));
      }
    });

    test('where there is no thought, there is nothing to go on from', async () => {
      const request = await requestIn('src/completion/engine.ts', 0.5);
      const thought = engine().prior;
      const once = await engine().complete(request, { ...options, thought });
      const twice = await engine().complete(request, { ...options, thought, plan: 2, rethink: 2 });
      assert.deepEqual(twice.candidates, once.candidates);
    });

    test('a prior other than z_0 is where refinement begins, and what it is pulled toward', async () => {
      const request = await requestIn('src/completion/engine.ts', 0.5);
      const prior = await think(engine(), { ...request, path: 'src/other.ts' }, 2);
      const none = engine().refinement(request, { steps: 0, prior });
      assert.equal((await none.advance(), engine().thought(none)).mu, prior.mu);
      const refinement = engine().refinement(request, { steps: 1, prior });
      while (await refinement.advance());
      const { kl } = engine().thought(refinement).trace;
      // It begins at the prior: as near to it as q can be, whose deviation is smaller.
      assert.ok(kl[0] !== undefined && kl[1] !== undefined && kl[0] < kl[1]);
      const cold = engine().refinement(request, { steps: 1 });
      while (await cold.advance());
      assert.notDeepEqual(engine().thought(cold).mu, engine().thought(refinement).mu);
    });
  });
}
