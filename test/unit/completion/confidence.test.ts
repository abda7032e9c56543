import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { confidence as confidenceOf, logOdds, featuresOf, minLogprob } from '../../../src/completion/confidence';
import { calibrationError, fitConfidence, type Example } from '../../../lab/confidenceFit';
import { Postprocessor, rank, type AnnotatedCandidate } from '../../../src/completion/postprocess';
import type { AgreedCandidate } from '../../../src/completion/hypothesis';
import { logMeanExp } from '../../../src/completion/samples';
import { CONFIDENCE_THRESHOLDS } from '../../../src/completion/options';
import { randomFrom } from '../../../src/model/random';

const evidence = {
  nats: 2,
  tokens: 4,
  characters: 12,
  gapToBest: 0,
  parses: true,
  undeclared: 0,
  agreement: 1,
  replaceSuffix: 0,
};

/** Candidates whose chance of being right falls with their nats, and that never are if they do not parse. */
function examples(count: number): Example[] {
  const random = randomFrom(3);
  return Array.from({ length: count }, (_, i) => {
    const nats = random() * 12;
    const parses = random() < 0.8;
    const right = parses && random() < 1 / (1 + Math.exp(nats - 4));
    return { place: `${Math.floor(i / 2)}`, features: featuresOf({ ...evidence, nats, parses }), right };
  });
}

describe('confidence', () => {
  const model = fitConfidence(examples(4000));

  it('is higher for what is more probable, and for what parses', () => {
    const of = (change: Partial<typeof evidence>) => logOdds(featuresOf({ ...evidence, ...change }), model);
    assert.ok(of({ nats: 1 }) > of({ nats: 6 }));
    assert.ok(of({ parses: true }) > of({ parses: false }));
  });

  it('is calibrated', () => {
    const shown = examples(4000).map(({ features, right }) => ({
      confidence: confidenceOf(logOdds(features, model)),
      right,
    }));
    assert.ok(calibrationError(shown) < 0.03, `${calibrationError(shown)}`);
  });

  it('takes what cannot be said as neither for nor against', () => {
    assert.deepEqual(featuresOf({ ...evidence, parses: undefined }), featuresOf(evidence));
  });

  it('tells below which log p no text has a confidence, whatever follows', () => {
    const bound = minLogprob(0.5, model);
    assert.ok(bound < 0 && bound > -60, `${bound}`);
    fc.assert(
      fc.property(
        fc.record({
          nats: fc.double({ min: -bound, max: 80, noNaN: true }),
          tokens: fc.integer({ min: 1, max: 64 }),
          characters: fc.integer({ min: 0, max: 2000 }),
          parses: fc.option(fc.boolean(), { nil: undefined }),
          undeclared: fc.nat(3),
          replaceSuffix: fc.nat(3),
        }),
        (found) => confidenceOf(logOdds(featuresOf({ ...evidence, ...found }), model)) <= 0.5 + 1e-9,
      ),
    );
    // Log-odds of 1 less one a nat.
    const zeros = {
      perToken: 0,
      length: 0,
      gapToBest: 0,
      syntaxError: 0,
      undeclared: 0,
      agreement: 0,
      overlapsSuffix: 0,
    };
    assert.equal(minLogprob(0.5, { bias: 1, weights: { ...zeros, nats: -10 } }), -1);
    assert.equal(minLogprob(0, model), -Infinity);
    assert.equal(minLogprob(0.5, { ...model, weights: { ...model.weights, nats: 0 } }), -Infinity);
  });

  it('calls a confidence wrong by how far it is off', () => {
    const sure = Array.from({ length: 10 }, (_, i) => ({ confidence: 0.9, right: i < 5 }));
    assert.ok(Math.abs(calibrationError(sure) - 0.4) < 1e-9);
  });
});

describe('ranking', () => {
  const candidate = (text: string, change: Partial<AnnotatedCandidate>): AnnotatedCandidate => ({
    text,
    tokens: [],
    logprob: -1,
    stop: 'newline',
    agreement: 1,
    replaceSuffix: 0,
    syntax: { parses: true, undeclared: [] },
    ...change,
  });
  const texts = (ranked: AnnotatedCandidate[]) => ranked.map(({ text }) => text).join(' ');

  it('leaves the order of likelihood without confidence and syntax check', () => {
    const given = [candidate('a', { logOdds: 1 }), candidate('b', { logOdds: 3 })];
    assert.equal(texts(rank(given, { rankByConfidence: false, syntaxCheck: false })), 'a b');
    assert.equal(texts(rank(given, { rankByConfidence: true, syntaxCheck: false })), 'b a');
  });

  it('puts what parses, then what is declared, first; what is unknown counts as allowed', () => {
    const given = [
      candidate('broken', { syntax: { parses: false, undeclared: [] } }),
      candidate('undeclared', { syntax: { parses: true, undeclared: ['x'] } }),
      candidate('unknown', { syntax: { parses: undefined, undeclared: [] } }),
      candidate('good', {}),
    ];
    assert.equal(texts(rank(given, { rankByConfidence: false, syntaxCheck: true })), 'unknown good undeclared broken');
  });
});

describe('a suggestion that is not sure enough', () => {
  const none = {
    nats: 0,
    perToken: 0,
    length: 0,
    gapToBest: 0,
    syntaxError: 0,
    undeclared: 0,
    agreement: 0,
    overlapsSuffix: 0,
  };
  // Log-odds of 2 less one a nat.
  const weights = { bias: 2, weights: { ...none, nats: -10 } };
  /** log p at which a text is right with a probability. */
  const at = (p: number) => Math.log(p / (1 - p)) - 2;
  const { usual, strict } = CONFIDENCE_THRESHOLDS;
  const postprocessor = new Postprocessor({ confidence: weights as never }, {
    of: () => Promise.resolve(undefined),
  } as never);
  /** @param pieces text of each token, and log p of the text up to it */
  const written = (...pieces: [string, number][]): AgreedCandidate => {
    const ends = pieces.map((_, i) =>
      pieces
        .slice(0, i + 1)
        .map(([text]) => text)
        .join(''),
    );
    const marks = pieces.map(([, logprob], i) => ({ bytes: Buffer.byteLength(ends[i]!), logprob }));
    const tokens = pieces.map((_, i) => i);
    return { text: ends.at(-1)!, tokens, marks, logprob: pieces.at(-1)![1], stop: 'newline', agreement: 1 };
  };
  const present = (candidate: AgreedCandidate, confidence: 'off' | 'usual' | 'strict' = 'usual', suffix = '\n') =>
    postprocessor.postprocess({ path: 'a.ts', prefix: 'x = ', suffix, related: [] }, [candidate], {
      steps: 0,
      maxLines: 8,
      candidates: 1,
      confidence,
    });

  it('is shown as far as it is sure', async () => {
    const call = written(['größe', at(0.86)], ['(', at(0.84)], ['al', at(0.8)], ['pha', at(usual + 0.01)], [', b)', at(0.05)]); // prettier-ignore
    const { text, stop, candidates } = await present(call);
    assert.deepEqual([text, stop], ['größe(alpha', 'lowConfidence']);
    assert.deepEqual(
      candidates.map((one) => [one.text, one.confidence!.toFixed(2)]),
      [
        ['größe(alpha', (usual + 0.01).toFixed(2)],
        ['größe(alpha, b)', '0.05'],
      ],
    );
    assert.equal((await present(call, 'off')).text, 'größe(alpha, b)');
  });

  it('is never cut within a word, and never to a single character', async () => {
    const word = written(['(', at(0.86)], ['comp', at(0.8)], ['ute', at(0.1)], ['()', at(0.001)]);
    assert.equal((await present(word)).text, '');
    const needed = Math.round(100 * usual);
    assert.equal((await present(word)).reason, `the model is not sure enough (0 % of ${needed} % needed)`);
    const lines = written(['if (a)', at(0.85)], [' {\n', at(0.8)], ['  b();', at(0.2)], ['\n}', at(0.05)]);
    assert.equal((await present(lines)).text, 'if (a) {');
  });

  it('is never cut within what is seen as one character, nor within an escape', async () => {
    const flags = written(["f('🇩🇪', '", at(0.9)], ['🇫', at(0.8)], ["🇷')", at(0.01)]);
    assert.equal((await present(flags)).text, "f('🇩🇪', '");
    const family = written(["f('", at(0.9)], ['👩', at(0.85)], ['\u200D', at(0.8)], ["👧')", at(0.01)]);
    assert.equal((await present(family)).text, "f('");
    const escape = written(['f("a', at(0.9)], ['\\', at(0.85)], ['n")', at(0.01)]);
    assert.equal((await present(escape)).text, 'f("a');
  });

  it('stays whole where it is sure as a whole', async () => {
    const call = written(['ab', at(0.8)], ['(c)', at(usual + 0.01)]);
    assert.deepEqual([(await present(call)).text, (await present(call)).candidates.length], ['ab(c)', 1]);
    assert.equal((await present(call, 'strict')).text, 'ab');
  });

  it('is withheld where not even its beginning is sure, with strict earlier than usually', async () => {
    const vague = written(['ab', at((usual + strict) / 2)], ['(c)', at(0.1)]);
    assert.equal((await present(vague)).text, 'ab');
    assert.equal((await present(vague, 'strict')).text, '');
    assert.equal((await present(written(['ab', at(usual - 0.01)], ['(c)', at(0.1)]))).text, '');
  });

  it('is written on for as long as more of it might be shown', () => {
    const options = { steps: 0, maxLines: 8, candidates: 1 };
    for (const confidence of ['usual', 'strict'] as const) {
      const bound = postprocessor.minLogprob({ ...options, confidence });
      assert.ok(Math.abs(bound - at(CONFIDENCE_THRESHOLDS[confidence])) < 1e-9, `${bound}`);
    }
    assert.equal(postprocessor.minLogprob(options), -Infinity);
    assert.equal(postprocessor.minLogprob({ ...options, confidence: 'usual', syntaxCheck: true }), -Infinity);
  });

  it('has a beginning only where its tokens are known one by one', async () => {
    const judged = { ...written(['ab', -0.1], ['(c)', -6]), marks: undefined };
    assert.equal((await present(judged)).text, '');
  });
});

describe('the posterior predictive', () => {
  it('is the mean of probabilities, not of logarithms', () => {
    assert.ok(Math.abs(logMeanExp([Math.log(0.5), Math.log(0.1)]) - Math.log(0.3)) < 1e-12);
    assert.equal(logMeanExp([-Infinity, -Infinity]), -Infinity);
  });
});
