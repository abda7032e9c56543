import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Engine, type CompletionRequest } from '../../src/completion/engine';
import { NumericalError, UserError } from '../../src/model/errors';
import { loadRuntime, type Runtime } from '../../src/model/runtime';
import { hasNano, NANO, TINY, SOURCES } from '../fixtures';
import { scoreUnderThought } from '../../lab/engineMeasures';
import { copyOfTiny, editFile, editManifest, requestIn, withScratch } from './bundles';

const FILE = 'src__completion__engine.ts.txt';
const options = { steps: 0, maxLines: 4, candidates: 1 };

/** A run of a graph on the device: `alter` may change each of its float outputs. */
type Alter = (data: Float32Array, output: string, run: number) => void;

/**
 * ONNX Runtime with a device that is not there: what it computes is what the CPU computes, altered. `dml` stands for it,
 * which no system but Windows has.
 */
async function deviceThat(alter: Alter): Promise<Runtime> {
  const real = await loadRuntime();
  let run = 0;
  const create = async (path: string, session: { executionProviders: string[] }) => {
    const onDevice = session.executionProviders.includes('dml');
    const opened = await real.InferenceSession.create(path, { ...session, executionProviders: ['cpu'] });
    if (!onDevice) return opened;
    return {
      inputNames: opened.inputNames,
      outputNames: opened.outputNames,
      run: async (feeds: Parameters<typeof opened.run>[0]) => {
        const outputs = await opened.run(feeds);
        run++;
        for (const [name, { data }] of Object.entries(outputs)) alter(data as Float32Array, name, run);
        return outputs;
      },
      endProfiling: () => opened.endProfiling(),
      release: () => opened.release(),
    };
  };
  return {
    ...real,
    listSupportedBackends: () => [...real.listSupportedBackends(), { name: 'dml', bundled: true }],
    InferenceSession: { create } as unknown as Runtime['InferenceSession'],
  };
}

async function engineOn(alter: Alter, context: TestContext): Promise<Engine> {
  const engine = await Engine.open(TINY, { device: 'dml', runtime: await deviceThat(alter), threads: 1 });
  context.after(() => engine.close());
  return engine;
}

async function engineOnCpu(context: TestContext, bundle = TINY): Promise<Engine> {
  const engine = await Engine.open(bundle, { device: 'cpu', threads: 1 });
  context.after(() => engine.close());
  return engine;
}

/** Rounds to so many bits of a float's mantissa. */
function rounded(data: Float32Array, bits: number): void {
  data.forEach((value, i) => {
    if (value === 0) return;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - bits);
    data[i] = Math.round(value / unit) * unit;
  });
}

describe('weights that are no numbers: the bundle is refused with one line', () => {
  const scratch = withScratch();
  const table: [name: string, half: number][] = [
    ['NaN', 0x7e00],
    ['infinite', 0x7c00],
  ];
  for (const [name, half] of table) {
    test(name, async () => {
      const directory = await copyOfTiny(scratch(), name);
      await editFile(directory, 'weights', (bytes) => {
        for (let at = 0; at + 1 < bytes.length; at += 2) bytes.writeUInt16LE(half, at);
        return bytes;
      });
      for (const device of ['cpu', 'auto'] as const) {
        await assert.rejects(Engine.open(directory, { device }), (error: Error) => {
          assert.ok(error instanceof UserError, error.stack);
          assert.match(error.message, /: the model's \w+ are not all finite numbers: .*; install the model again$/);
          return true;
        });
      }
    });
  }
});

describe('a device', () => {
  const probes: [name: string, alter: Alter, reason: RegExp][] = [
    ['that answers NaN', (data, output) => void (output === 'logits' && (data[5] = NaN)), /logits are not all finite/],
    [
      'whose gradient overflows',
      (data, output) => void (output === 'grad' && (data[0] = Infinity)),
      /gradient are not/,
    ],
    ['that answers something else', (data) => data.reverse(), /its outputs differ from the CPU's by \d+ %/],
    [
      'that is wrong by 3 %',
      (data) => data.forEach((value, i) => (data[i] = 1.03 * value)),
      /its outputs differ from the CPU.s by \d %/,
    ],
    ['of four bits of mantissa', (data) => rounded(data, 4), /its outputs differ from the CPU's by \d %/],
  ];
  for (const [name, alter, reason] of probes) {
    test(`${name} is not taken: the CPU is, and says why`, async (context) => {
      const engine = await engineOn(alter, context);
      assert.equal(engine.device.device, 'cpu');
      assert.match(engine.device.reason, reason);
      assert.equal(await engine.verify(), undefined);
    });
  }

  for (const [name, bits] of [
    ['half precision', 10],
    ['bfloat16', 7],
  ] as const) {
    test(`of ${name} is taken, and scores what the CPU scores to one percent`, async (context) => {
      const engine = await engineOn((data) => rounded(data, bits), context);
      assert.equal(engine.device.device, 'dml');
      assert.equal(await engine.verify(), undefined);
      const request = await requestIn(FILE, 0.5, SOURCES);
      const target = request.suffix.slice(0, 200);
      const cpu = await engineOnCpu(context);
      const nats = async (on: Engine) =>
        (await scoreUnderThought(on, { ...request, suffix: '' }, target, on.prior)).nats;
      const [expected, found] = [await nats(cpu), await nats(engine)];
      assert.ok(Math.abs(found / expected - 1) < 0.01, `${found} nats instead of ${expected}`);
    });
  }

  test('that is right in short runs only is taken, and given none but those', async (context) => {
    const width = 32;
    const engine = await engineOn((data, output) => {
      if (output === 'states' && data.length > 16 * width) data[3] = (data[3] as number) + 9;
    }, context);
    assert.equal(engine.device.device, 'dml');
    assert.equal(engine.device.candidates[0]?.runTokens, 16);
    assert.equal(await engine.verify(), undefined);
    const request = await requestIn(FILE, 0.5, SOURCES);
    const cpu = await engineOnCpu(context);
    const text = async (on: Engine) => (await on.complete(request, options)).text;
    assert.equal(await text(engine), await text(cpu));
  });

  test('that goes wrong later is found out', async (context) => {
    let wrong = false;
    const engine = await engineOn((data, output) => {
      if (wrong && output === 'logits') data.forEach((value, i) => (data[i] = value + (i % 7)));
    }, context);
    assert.equal(engine.device.device, 'dml');
    assert.equal(await engine.verify(), undefined);
    wrong = true;
    assert.match((await engine.verify())!, /its outputs differ from the CPU's by \d+ % by now/);
  });

  test('that answers NaN once: that suggestion fails, and nothing of it stays in a cache', async (context) => {
    const request = await requestIn(FILE, 0.5, SOURCES);
    const expected = await (await engineOnCpu(context)).complete(request, options);
    for (const poisoned of ['states', 'logits', 'present_key_0', 'present_value_1']) {
      let poison = false;
      const engine = await engineOn((data, output) => {
        if (!poison || output !== poisoned) return;
        poison = false;
        // Of keys and values the last rows are room for tokens to come.
        if (output.startsWith('present')) data.fill(NaN);
        else data[data.length - 1] = NaN;
      }, context);
      poison = true;
      await assert.rejects(engine.complete(request, options), NumericalError, poisoned);
      const { text } = await engine.complete(request, options);
      assert.equal(text, expected.text, poisoned);
    }
  });

  test('that answers NaN for a gradient: the thought stays what it was', async (context) => {
    let poison = false;
    const engine = await engineOn((data, output) => {
      if (poison && output === 'grad') data.fill(NaN);
    }, context);
    poison = true;
    const refinement = engine.refinement(await requestIn(FILE, 0.5, SOURCES), { steps: 4 });
    while (await refinement.advance());
    assert.deepEqual([...engine.thought(refinement).mu], [...engine.prior.mu]);
  });
});

// Random weights know no good thought that a step could lose: this needs a model that has been trained.
describe('a refinement that diverges', { skip: !hasNano }, () => {
  const scratch = withScratch();

  test('from the prior: the steps are rejected and the prior serves', async (context) => {
    const directory = await copyOfTiny(scratch(), 'diverging', NANO);
    await editManifest(directory, ({ thought }) => {
      thought!.stepSize = thought!.stepSize.map((row) => row.map(() => 300));
    });
    const engine = await engineOnCpu(context, directory);
    const refinement = engine.refinement(await requestIn(FILE, 0.5, SOURCES), { steps: 8 });
    while (await refinement.advance());
    const { version, mu, trace } = engine.thought(refinement);
    assert.deepEqual([version, trace.best], [engine.prior.version, 0]);
    assert.deepEqual([...mu], [...engine.prior.mu]);
    assert.ok(trace.heldOut.length > 1 && trace.heldOut.slice(1).every((nll) => nll > trace.heldOut[0]!));
    assert.ok(trace.steps < 8, `it stopped after ${trace.steps} steps`);
  });

  test('after an edit: the thought from before the edit serves', async (context) => {
    const directory = await copyOfTiny(scratch(), 'diverging-warm', NANO);
    await editManifest(directory, ({ thought }) => {
      thought!.warmStepSize = thought!.warmStepSize.map(() => 300);
    });
    const engine = await engineOnCpu(context, directory);
    const request = await requestIn(FILE, 0.9, SOURCES);
    const cold = engine.refinement(request, { steps: 2 });
    while (await cold.advance());
    const before = engine.thought(cold);
    assert.notEqual(before.version, engine.prior.version);
    const edited: CompletionRequest = { ...request, prefix: `const edited = true;\n${request.prefix.slice(400)}` };
    const warm = engine.refinement(edited, { steps: 2, from: before });
    while (await warm.advance());
    const { version, mu, trace } = engine.thought(warm);
    assert.equal(version, before.version);
    assert.deepEqual([...mu], [...before.mu]);
    assert.ok(trace.kl.length > 1, 'steps were tried');
  });
});
