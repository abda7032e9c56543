import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReadChunk } from '../../../src/model/graphs';
import type { HiddenKeyRows } from '../../../src/model/hiddenKeys';
import { quantiseRows } from '../../../src/model/quantisedRows';
import type { Chunk } from '../../../src/thought/evidence';
import { Refinement, type EvidenceModel } from '../../../src/thought/refine';
import { planUpdate } from '../../../src/thought/store';
import { priorThought, type Thought } from '../../../src/thought/thought';

/** Each chunk wants z at a place of its own: NLL = ½·(z − target)² · tokens. */
function chunk(key: string, heldOut = false, tokens = 10): Chunk {
  return { key, text: key, path: key, line: 1, tokens, heldOut, inputs: [], targets: [], weights: new Float32Array(0) };
}

const NOTHING: ReadChunk = { states: new Float32Array(0), targets: [] };

class Quadratic implements EvidenceModel {
  readonly evaluated: string[] = [];
  constructor(
    readonly targets: Record<string, number>,
    readonly gradient?: (key: string, run: number) => number | undefined,
  ) {}
  remembered() {
    return NOTHING;
  }
  async *read() {
    yield;
    return Promise.resolve(NOTHING);
  }
  hiddenKeys({ key }: Chunk, z: Float32Array): Promise<HiddenKeyRows | undefined> {
    this.evaluated.push(`read ${key} at ${z[0]}`);
    return Promise.resolve(quantiseRows(Float32Array.of(0, 0, 1, 0, 0, 1), 2));
  }
  evaluate({ key, tokens }: Chunk, _read: ReadChunk, z: Float32Array) {
    this.evaluated.push(key);
    const distance = (z[0] ?? 0) - (this.targets[key] ?? 0);
    const gradient = this.gradient?.(key, this.evaluated.length) ?? distance * tokens;
    return Promise.resolve({ nll: 0.5 * distance ** 2 * tokens, gradient: Float32Array.of(gradient) });
  }
}

const constants = {
  features: 1,
  defaultSteps: 1,
  maxSteps: 8,
  stepSize: Array.from({ length: 8 }, () => [0.5]),
  warmStepSize: [0.25],
  priorPull: Array.from({ length: 8 }, () => [0]),
  warmPriorPull: [0],
  priorDeviation: [1],
  posteriorDeviation: [1],
};
const groupEnds = [1];
const prior = priorThought(Float32Array.of(0));

async function refine(model: EvidenceModel, chunks: Chunk[], steps: number, from?: Thought) {
  const refinement = new Refinement(
    model,
    { chunks, coverage: 1, extraChunks: [] },
    { steps, prior, constants, groupEnds, width: 1, from },
  );
  let runs = 0;
  while (await refinement.advance()) runs++;
  return { thought: refinement.result(), runs, refinement };
}

const mu = (thought: Thought) => thought.mu[0];

describe('refinement', () => {
  test('keeps how the evidence was read where its z was, without the headers', async () => {
    class Reader extends Quadratic {
      override async evaluate(one: Chunk, states: ReadChunk, z: Float32Array) {
        const found = await super.evaluate(one, states, z);
        return { ...found, hiddenKeys: Float32Array.of(0, 0, 1, z[0] ?? 0, 0, 1) };
      }
    }
    const read = { targets: [1, 2, 3], weights: Float32Array.of(0, 1, 1) };
    const model = new Reader({ a: 1, 'held out': 1 });
    const { thought } = await refine(
      model,
      [
        { ...chunk('a'), ...read },
        { ...chunk('held out', true), ...read },
      ],
      2,
    );
    assert.deepEqual(
      thought.datastore.map(({ tokens }) => tokens),
      [[2, 3], [2, 3]], // prettier-ignore
    );
    for (const { numbers, scales } of thought.datastore) {
      const rows = [...numbers].map((number, i) => number * scales[i >> 1]!);
      rows.forEach((value, i) => assert.ok(Math.abs(value - [1, mu(thought)!, 0, 1][i]!) < 0.01));
    }
    assert.deepEqual((await refine(model, [{ ...chunk('a'), ...read }], 0)).thought.datastore, []);
  });

  test('reads extra chunks once, before the steps, and after an edit those that are new', async () => {
    const read = { targets: [1, 2, 3], weights: Float32Array.of(0, 1, 1) };
    const think = async (keys: string[], own: string, from?: Thought) => {
      const model = new Quadratic({ a: 1, b: 1 });
      const extraChunks = keys.map((key) => ({ ...chunk(key), ...read }));
      const evidence = { chunks: [chunk(own)], extraChunks, coverage: 1 };
      const refinement = new Refinement(model, evidence, { steps: 1, prior, constants, groupEnds, width: 1, from });
      while (await refinement.advance());
      return { thought: refinement.result(), log: model.evaluated };
    };
    const first = await think(['x', 'y'], 'a');
    assert.deepEqual(first.log, ['read x at 0', 'read y at 0', 'a', 'a']);
    assert.deepEqual(first.thought.datastore, [...first.thought.extraEntries.values()]);
    const second = await think(['y', 'w'], 'b', first.thought);
    assert.deepEqual(second.log, ['read w at 0.5', 'b', 'b']);
    assert.deepEqual([...second.thought.extraEntries.keys()], ['y', 'w']);
  });

  test('a chunk that guided and is only to be read now has been read', async () => {
    class Reader extends Quadratic {
      override async evaluate(one: Chunk, states: ReadChunk, z: Float32Array) {
        return { ...(await super.evaluate(one, states, z)), hiddenKeys: Float32Array.of(0, 1, 1, 0) };
      }
    }
    const read = { targets: [1, 2], weights: Float32Array.of(1, 1) };
    const one = (key: string): Chunk => ({ ...chunk(key), ...read });
    const model = new Reader({ a: 1, b: 1 });
    const before = (await refine(model, [one('a')], 1)).thought;
    model.evaluated.length = 0;
    const evidence = { chunks: [one('b')], extraChunks: [one('a')], coverage: 1 };
    const options = { steps: 1, prior, constants, groupEnds, width: 1, from: before };
    const refinement = new Refinement(model, evidence, options);
    while (await refinement.advance());
    assert.deepEqual(model.evaluated, ['b', 'b']);
    const { extraEntries, datastore, evidence: known } = refinement.result();
    assert.equal(extraEntries.get('a'), before.gradients.get('a')?.entry);
    assert.equal(datastore.length, 2);
    assert.deepEqual(
      known.map(({ key }) => key),
      ['b', 'a'],
    );
  });

  test('what was edited weighs more than what was not', async () => {
    const model = new Quadratic({ a: 1, b: -1, 'held out': 1 });
    const heldOut = chunk('held out', true);
    const { thought } = await refine(model, [{ ...chunk('a'), edited: true }, chunk('b'), heldOut], 1);
    assert.equal(mu(thought), 0.5);
    const even = await refine(model, [chunk('a'), chunk('b'), heldOut], 1);
    assert.equal(mu(even.thought), 0);
  });

  test('zero steps are z_0 itself, without a run', async () => {
    const model = new Quadratic({ a: 1 });
    const { thought } = await refine(model, [chunk('a')], 0);
    assert.equal(thought, prior);
    assert.deepEqual(model.evaluated, []);
  });

  test('no evidence is z_0 itself', async () => {
    assert.equal((await refine(new Quadratic({}), [], 4)).thought, prior);
  });

  test('steps lower the NLL of the evidence, and the trace says so', async () => {
    const { thought } = await refine(new Quadratic({ a: 2 }), [chunk('a')], 3);
    assert.equal(mu(thought), 1.5);
    assert.deepEqual(thought.trace.nll, [2, 1.125, 0.5, 0.125]);
    assert.equal(thought.trace.steps, 3);
    assert.equal(thought.trace.best, 3);
    assert.deepEqual(
      thought.trace.kl,
      [0, 0.125, 0.5, 1.125].map((nats) => nats / 10),
    );
  });

  test('one advance is one run', async () => {
    const { runs, thought } = await refine(new Quadratic({ a: 2, b: 2 }), [chunk('a'), chunk('b', true)], 3);
    assert.deepEqual([runs, thought.trace.runs], [2 * 4, 2 * 4]);
  });

  test('the held-out chunk decides which z is kept, and when to stop', async () => {
    const model = new Quadratic({ a: 10, 'held out': 0.6 });
    const { thought } = await refine(model, [chunk('a'), chunk('held out', true)], 8);
    assert.equal(mu(thought), 0.5);
    assert.equal(thought.trace.best, 1);
    // Steps 2 and 3 were both worse than step 1.
    assert.equal(thought.trace.steps, 3);
  });

  test('z_0 is kept where every step makes the held-out chunk worse', async () => {
    const { thought } = await refine(
      new Quadratic({ a: 10, 'held out': -1 }),
      [chunk('a'), chunk('held out', true)],
      8,
    );
    assert.equal(thought.mu, prior.mu);
    assert.equal(thought.version, prior.version);
    assert.equal(thought.trace.best, 0);
  });

  for (const bad of [NaN, Infinity]) {
    test(`a gradient of ${bad} is not followed: the z before it is kept`, async () => {
      const model = new Quadratic({ a: 10 }, (_, run) => (run === 3 ? bad : undefined));
      const { thought } = await refine(model, [chunk('a')], 8);
      assert.equal(mu(thought), 1);
    });
  }

  test('an NLL of NaN is not believed', async () => {
    const { thought } = await refine(new Quadratic({ a: NaN }), [chunk('a')], 8);
    assert.equal(thought, prior);
  });

  test('a refinement that is cut off gives the best so far', async () => {
    const model = new Quadratic({ a: 10 });
    const refinement = new Refinement(
      model,
      { chunks: [chunk('a')], coverage: 1, extraChunks: [] },
      { steps: 8, prior, constants, groupEnds, width: 1 },
    );
    assert.equal(refinement.result(), prior);
    for (let run = 0; run < 3; run++) await refinement.advance();
    assert.equal(mu(refinement.result()), 0.5);
    assert.equal(refinement.result(), refinement.result());
  });
});

describe('after an edit', () => {
  test('only the chunk that changed is evaluated, and its older self no longer counts', async () => {
    const model = new Quadratic({ a: 4, b: 4, c: 4, new: -4 });
    const before = (await refine(model, [chunk('a'), chunk('b', true), chunk('c')], 2)).thought;
    model.evaluated.length = 0;
    const { thought } = await refine(model, [chunk('a'), chunk('b', true), chunk('new')], 1, before);
    assert.deepEqual(model.evaluated, ['new', 'new', 'b']);
    assert.deepEqual([...thought.gradients.keys()].sort(), ['a', 'b', 'new']);
    assert.equal(thought.trace.nll.length, 2);
  });

  test('a warm step has the length of a warm step', async () => {
    const model = new Quadratic({ a: 4, new: 4 });
    const before = (await refine(model, [chunk('a')], 2)).thought;
    const { thought } = await refine(model, [chunk('a'), chunk('new')], 1, before);
    assert.equal(mu(before), 1);
    assert.equal(mu(thought), 1.25);
  });

  test('the thought before is kept where the held-out chunk says so', async () => {
    const model = new Quadratic({ a: 1, 'held out': 1, new: 9 });
    const before = (await refine(model, [chunk('a'), chunk('held out', true)], 2)).thought;
    assert.equal(mu(before), 1);
    const { thought } = await refine(model, [chunk('a'), chunk('held out', true), chunk('new')], 1, before);
    assert.equal(thought.mu, before.mu);
    assert.equal(thought.version, before.version);
  });

  test('nothing new, nothing to do', async () => {
    const model = new Quadratic({ a: 1, b: 2 });
    const before = (await refine(model, [chunk('a'), chunk('b')], 2)).thought;
    assert.equal((await refine(model, [chunk('b')], 1, before)).thought, before);
  });

  test('a thought without gradients is refined as from the prior', async () => {
    const { thought } = await refine(new Quadratic({ a: 4 }), [chunk('a')], 1, prior);
    assert.equal(mu(thought), 0.5);
  });

  test('how much has changed decides how to follow', async () => {
    const model = new Quadratic({});
    const chunks = ['a', 'b', 'c', 'd'].map((key) => chunk(key));
    const before = (await refine(model, chunks, 1)).thought;
    const follow = (...keys: string[]) => planUpdate(before, { chunks: keys.map((key) => chunk(key)) });
    assert.equal(follow('a', 'b'), 'none');
    assert.equal(follow('a', 'b', 'c', 'new'), 'warm');
    assert.equal(follow('a', 'new', 'newer'), 'cold');
    assert.equal(planUpdate(undefined, { chunks }), 'cold');
    assert.equal(planUpdate(prior, { chunks: [] }), 'none');
  });
});
