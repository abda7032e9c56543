import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scoreUnderThought } from '../../lab/engineMeasures';
import { BUNDLES, requestIn, think, withEngine } from './bundles';

const FILE = 'src/completion/engine.ts';
const PLACES = [0.2, 0.45, 0.7];

for (const [name, directory] of BUNDLES) {
  describe(`several thoughts of ${name}`, () => {
    const engine = withEngine(directory);

    test('one sample is the thought itself', async () => {
      for (const share of PLACES) {
        const request = await requestIn(FILE, share);
        const thought = await think(engine(), request, 2);
        const options = { steps: 0, maxLines: 1, candidates: 1, thought };
        const [one, none] = [
          await engine().complete(request, { ...options, samples: 1 }),
          await engine().complete(request, options),
        ];
        assert.deepEqual(one.candidates, none.candidates);
      }
    });

    test('candidates are ranked by the mean of their probabilities under all thoughts', async () => {
      for (const share of PLACES) {
        const request = await requestIn(FILE, share);
        const thought = await think(engine(), request, 2);
        for (const memory of [false, true]) {
          const options = { steps: 0, maxLines: 1, candidates: 1, memory, thought };
          const { candidates } = await engine().complete(request, { ...options, samples: 4 });
          const logprobs = candidates.map(({ logprob }) => logprob);
          assert.deepEqual(
            logprobs,
            logprobs.toSorted((a, b) => b - a),
          );
          // The thought's own candidate is among them, since the first sample is the thought.
          const own = await engine().complete(request, options);
          assert.ok(own.text === '' || candidates.some(({ text }) => text === own.text), own.text);
        }
      }
    });

    test('alternatives are distinct and include the default', async () => {
      let maxTexts = 0;
      // Where the memory is sure of all that comes there is no choice; how often it is depends on the text.
      for (const share of [...PLACES, 0.1, 0.15, 0.3, 0.35, 0.4, 0.6, 0.8, 0.9]) {
        if (maxTexts > 1 && !PLACES.includes(share)) break;
        const request = await requestIn(FILE, share);
        const thought = await think(engine(), request, 1);
        const options = { steps: 0, maxLines: 1, candidates: 1, thought };
        const own = await engine().complete(request, options);
        const { candidates } = await engine().complete(request, { ...options, alternatives: 4 });
        const texts = candidates.map(({ text }) => text);
        assert.equal(new Set(texts).size, texts.length);
        assert.ok(own.text === '' || texts.includes(own.text), own.text);
        assert.ok(candidates.every(({ logprobs }) => logprobs?.length === 4));
        maxTexts = Math.max(maxTexts, texts.length);
      }
      assert.ok(maxTexts > 1, 'somewhere there is something to choose from');
    });

    test('… and what stands word for word elsewhere, first or second', async () => {
      const known = 'const zorblat = makeZorblat(quixotic, 42, nebula);\n';
      const request = {
        path: 'a.ts',
        prefix: `${known}${known}const other = 1;\nconst zorblat = `,
        suffix: '\nmore();\n',
        related: [],
      };
      const options = { steps: 0, maxLines: 1, candidates: 1, alternatives: 4 };
      const { candidates } = await engine().complete(request, options);
      if (!engine().hasMemoryWeights) return;
      const at = candidates.findIndex(({ text }) => known.endsWith(`${text}\n`) && text.startsWith('makeZorblat'));
      assert.ok(at === 0 || at === 1, JSON.stringify(candidates.map(({ text }) => text)));
      assert.ok(Number.isFinite(candidates[at]?.logprob));
    });

    test('a target is scored by the mean of its probabilities under all thoughts', async () => {
      const request = await requestIn(FILE, 0.5);
      const thought = await think(engine(), request, 2);
      const target = '\n    return value;';
      const several = await scoreUnderThought(engine(), request, target, thought, { samples: 6 });
      const one = await scoreUnderThought(engine(), request, target, thought);
      assert.notEqual(several.nats, one.nats);
      // σ is a tenth of the prior's: the mean stays near.
      assert.ok(Math.abs(several.nats - one.nats) < 0.1 * one.nats, `${several.nats} ${one.nats}`);
    });
  });
}
