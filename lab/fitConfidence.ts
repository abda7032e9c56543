import { candidateFeatures } from '../src/completion/postprocess';
import type { CompletionOptions } from '../src/completion/engine';
import { bestOfEach, calibrationError, fitConfidence as fit, type Example } from './confidenceFit';
import { storedWeights, type ConfidenceWeights } from '../src/model/manifest';
import type { Command } from '../src/cli/command';
import { annotatedCandidates } from './engineMeasures';
import { exactMatch } from './evaluation/metrics';
import { fitArguments, fitItems, FIT_USAGE, fiveDigits, underThoughts } from './fitting';
import { openEngine } from '../src/cli/model';
import { ProgressBar } from '../src/cli/progress';
import { writeIntoManifest } from './manifest';

/** Where the candidates to learn from come from: greedy decoding under a thought, a beam, and several thoughts. */
const POOLS: readonly Pick<CompletionOptions, 'candidates' | 'samples'>[] = [
  { candidates: 1, samples: 1 },
  { candidates: 4, samples: 1 },
  { candidates: 4, samples: 4 },
];

const USAGE = `npm run lab -- fit-confidence --each DIR [options]
  Fits how a model's candidates are ranked, and how sure it is of them: a logistic regression of whether a candidate is
  what stood there. The memory is used, as in the editor.
${FIT_USAGE}`;

export const fitConfidence: Command = {
  summary: 'fit how a model ranks its candidates, and how sure it is of them',
  usage: USAGE,
  async run(args) {
    const { values, steps, source } = fitArguments('fit-confidence', args);
    const { items, bad } = await fitItems(source);
    const engine = await openEngine(values, { trainedChunks: true });
    const bar = new ProgressBar('completing', items.length);
    const examples: Example[] = [];
    let done = 0;
    for await (const { item, thought } of underThoughts(engine, items, steps)) {
      const { id, target, ...request } = item;
      const maxLines = target.split('\n').length;
      // Without a thought all samples write the same.
      const pools = POOLS.filter(({ samples }) => engine.readsThought || samples === 1);
      for (const [pool, options] of pools.entries()) {
        const candidates = await annotatedCandidates(engine, request, {
          ...options,
          steps: 0,
          maxLines,
          memory: true,
          thought,
        });
        const bestNats = Math.min(...candidates.map(({ logprob }) => -logprob));
        for (const candidate of candidates) {
          const right = exactMatch(candidate.text.split('\n').slice(0, maxLines).join('\n'), target);
          examples.push({ place: `${pool} ${id}`, features: candidateFeatures(candidate, bestNats), right });
        }
      }
      bar.update(++done);
    }
    bar.clear();
    const { weights, figures } = learn(examples);
    const fitted = { items: items.length, candidates: examples.length, steps, ...figures };
    const confidence: ConfidenceWeights = fiveDigits({
      ...weights,
      fitted: { ...fitted, ...(values.note !== undefined && { note: values.note }) },
    });
    console.log(JSON.stringify(storedWeights(confidence), null, 1));
    if (values.write) await writeIntoManifest(engine.bundle.directory, { energy: confidence });
    await engine.close();
    return bad > 0 ? 1 : 0;
  },
};

/**
 * Weights from all places; how good they are is found by fitting on one half of the places and asking the other: which share
 * is right, and how far confidence is from it.
 */
function learn(examples: readonly Example[]): {
  weights: Omit<ConfidenceWeights, 'fitted'>;
  figures: Record<string, unknown>;
} {
  const half = (number: number) => examples.filter(({ place }) => hash(place) % 2 === number);
  const asked = [0, 1].flatMap((which) => bestOfEach(half(which), fit(half(1 - which))));
  const likeliest = bestOfEach(examples, { bias: 0, weights: { ...ZERO, gapToBest: -1 } });
  // What the editor shows by itself is greedy.
  const greedy = examples.filter(({ place }) => place.startsWith('0 '));
  return {
    weights: fit(examples),
    figures: {
      exact: { likelihood: share(likeliest), confidence: share(asked) },
      calibrationError: calibrationError(asked),
      right: greedy.filter(({ right }) => right).length,
    },
  };
}

const ZERO = {
  nats: 0,
  perToken: 0,
  length: 0,
  gapToBest: 0,
  syntaxError: 0,
  undeclared: 0,
  agreement: 0,
  overlapsSuffix: 0,
};

function share(shown: readonly { right: boolean }[]): number {
  return shown.filter(({ right }) => right).length / Math.max(1, shown.length);
}

/** A number that has nothing to do with the order of the places; all pools of one place have the same. */
function hash(place: string): number {
  let sum = 0;
  for (const character of place.slice(place.indexOf(' '))) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return sum >>> 4;
}
