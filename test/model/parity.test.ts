import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openBundle } from '../../src/model/bundle';
import { Decoder } from '../../src/model/decoder';
import { loadRuntime } from '../../src/model/runtime';
import { openGraphs } from '../../src/model/sessions';
import { ROOT } from '../fixtures';
import { BUNDLES } from './bundles';

/** PyTorch's numbers under z_0: logits after `tokens` (the first of them), NLL and gradient (its beginning) of a chunk. */
interface Parity {
  readonly tokens: number[];
  readonly logits_last: number[];
  readonly chunk: { inputs: number[]; targets: number[]; weights: number[]; nll: number; gradient: number[] };
}

for (const [name, directory] of BUNDLES) {
  const file = join(ROOT, 'test', 'fixtures', `${name}-parity.json`);
  describe(`PyTorch and ONNX agree on ${name}`, { skip: !existsSync(file) && `no ${name}-parity.json` }, () => {
    test('logits to 1e-3, NLL to 1e-3 a token, gradient in direction and length', async () => {
      const { tokens, logits_last, chunk } = JSON.parse(readFileSync(file, 'utf8')) as Parity;
      const bundle = await openBundle(directory);
      const graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 2 });
      const logits = await new Decoder(graphs, bundle.manifest).logits(tokens, { version: 0, mu: bundle.prior });
      logits_last.forEach((value, i) => assert.ok(Math.abs((logits[i] ?? NaN) - value) < 1e-3, `logit ${i}`));

      const { states } = await graphs.trunk(chunk.inputs);
      const weights = Float32Array.from(chunk.weights);
      const { nll, gradient } = await graphs.evidence(states, chunk.targets, weights, bundle.prior);
      assert.ok(Math.abs(nll - chunk.nll) < 1e-3 * chunk.inputs.length, `${nll} against ${chunk.nll}`);
      const length = Math.hypot(...chunk.gradient);
      const difference = Math.hypot(...chunk.gradient.map((value, i) => value - (gradient[i] ?? NaN)));
      assert.ok(difference <= 1e-2 * length, `gradients differ by ${difference / length}`);
      await graphs.release();
    });
  });
}
