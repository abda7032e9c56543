import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { confidence as confidenceOf, energy, featuresOf } from '../../../src/completion/energy';
import { bestOfEach, calibrationError, fitEnergy, thresholdFor, type Example } from '../../../src/completion/energyFit';
import { Presenter, rank, type Ranked } from '../../../src/completion/present';
import { logMeanExp, type AgreedCandidate } from '../../../src/completion/samples';
import { randomFrom } from '../../../src/model/random';

const evidence = {
  nats: 2,
  tokens: 4,
  characters: 12,
  behind: 0,
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

describe('energy', () => {
  const model = fitEnergy(examples(4000));

  it('is lower for what is more probable, and for what parses', () => {
    const of = (change: Partial<typeof evidence>) => energy(featuresOf({ ...evidence, ...change }), model);
    assert.ok(of({ nats: 1 }) < of({ nats: 6 }));
    assert.ok(of({ parses: true }) < of({ parses: false }));
  });

  it('is the log-odds of being wrong: confidence is calibrated', () => {
    const shown = examples(4000).map(({ features, right }) => ({
      confidence: confidenceOf(energy(features, model)),
      right,
    }));
    assert.ok(calibrationError(shown) < 0.03, `${calibrationError(shown)}`);
  });

  it('takes what cannot be said as neither for nor against', () => {
    assert.deepEqual(featuresOf({ ...evidence, parses: undefined }), featuresOf(evidence));
  });

  it('loses no more of the right ones below its threshold than it was told', () => {
    const all = examples(4000);
    for (const lost of [0.05, 0.2]) {
      const shown = bestOfEach(all, model);
      const threshold = thresholdFor(shown, lost);
      const below = (right: boolean) => {
        const some = shown.filter((one) => one.right === right);
        return some.filter(({ confidence }) => confidence < threshold).length / some.length;
      };
      assert.ok(below(true) <= lost);
      // Of the wrong ones, more than of the right ones is withheld: else the threshold would be of no use.
      assert.ok(below(false) > 2 * lost, `${below(false)}`);
    }
  });

  it('calls a confidence wrong by how far it is off', () => {
    const sure = Array.from({ length: 10 }, (_, i) => ({ confidence: 0.9, right: i < 5 }));
    assert.ok(Math.abs(calibrationError(sure) - 0.4) < 1e-9);
  });
});

describe('ranking', () => {
  const candidate = (text: string, change: Partial<Ranked>): Ranked => ({
    text,
    tokens: [],
    logprob: -1,
    stop: 'newline',
    agreement: 1,
    replaceSuffix: 0,
    verdict: { parses: true, undeclared: [] },
    ...change,
  });
  const texts = (ranked: Ranked[]) => ranked.map(({ text }) => text).join(' ');

  it('leaves the order of likelihood without energy and solver', () => {
    const given = [candidate('a', { energy: 3 }), candidate('b', { energy: 1 })];
    assert.equal(texts(rank(given, { energy: false, solver: false })), 'a b');
    assert.equal(texts(rank(given, { energy: true, solver: false })), 'b a');
  });

  it('puts what parses, then what is declared, first; what is unknown counts as allowed', () => {
    const given = [
      candidate('broken', { verdict: { parses: false, undeclared: [] } }),
      candidate('undeclared', { verdict: { parses: true, undeclared: ['x'] } }),
      candidate('unknown', { verdict: { parses: undefined, undeclared: [] } }),
      candidate('good', {}),
    ];
    assert.equal(texts(rank(given, { energy: false, solver: true })), 'unknown good undeclared broken');
  });
});

describe('a suggestion that is not sure enough', () => {
  const none = { nats: 0, perToken: 0, length: 0, behind: 0, broken: 0, undeclared: 0, agreement: 0, covers: 0 };
  // Log-odds of 2 less one a nat.
  const weights = { bias: 2, weights: { ...none, nats: -10 }, threshold: { usual: 0.2, strict: 0.6 } };
  const presenter = new Presenter({ energy: weights as never }, { of: () => Promise.resolve(undefined) } as never);
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
    presenter.present({ path: 'a.ts', prefix: 'x = ', suffix, related: [] }, [candidate], {
      steps: 0,
      maxLines: 8,
      candidates: 1,
      confidence,
    });

  it('is shown as far as it is right more often than not', async () => {
    const call = written(['größe', -0.1], ['(', -0.2], ['al', -0.4], ['pha', -1.5], [', beta)', -5]);
    const { text, stop, candidates } = await present(call);
    assert.deepEqual([text, stop], ['größe(alpha', 'doubt']);
    assert.deepEqual(
      candidates.map((one) => [one.text, one.confidence!.toFixed(2)]),
      [
        ['größe(alpha', '0.62'],
        ['größe(alpha, beta)', '0.05'],
      ],
    );
    assert.equal((await present(call, 'off')).text, 'größe(alpha, beta)');
  });

  it('is never cut within a word, and never to a single character', async () => {
    const word = written(['(', -0.1], ['comp', -0.5], ['ute', -4], ['()', -9]);
    assert.equal((await present(word)).text, '');
    assert.match((await present(word)).reason!, /not sure enough \(0 % of 20 % needed\)/);
    const lines = written(['if (a)', -0.2], [' {\n', -0.4], ['  b();', -3], ['\n}', -6]);
    assert.equal((await present(lines)).text, 'if (a) {');
  });

  it('stays whole where it is sure, and is withheld where not even its beginning is', async () => {
    assert.equal((await present(written(['ab', -1], ['(c)', -2.5]))).text, 'ab(c)');
    assert.equal((await present(written(['ab', -3], ['(c)', -6]))).text, '');
    const { text, candidates } = await present(written(['ab', -1], ['(c)', -2.5]), 'strict');
    assert.deepEqual([text, candidates.length], ['ab', 2]);
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
