import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openBundle } from '../../src/model/bundle';
import { Decoder } from '../../src/model/decoder';
import { openGraphs } from '../../src/model/sessions';
import { ROOT } from '../fixtures';
import { BUILDS, BUNDLES } from './bundles';

/**
 * PyTorch's numbers under the thought `z`: logits after `tokens` (the first of them), NLL and gradient (its beginning) of a chunk;
 * and by how much a bundle may differ whose products round the states (8-bit weights).
 */
interface Parity {
  readonly within?: { logits: number; nll: number; gradient: number };
  readonly tokens: number[];
  readonly logits_last: number[];
  readonly chunk: { inputs: number[]; targets: number[]; weights: number[]; nll: number; gradient: number[] };
}

/** `thought_of_case` of train/thoughtline_train/fixtures.py. */
const z = (size: number) => Float32Array.from({ length: size }, (_, i) => 0.1 * Math.sin(i));

const EXACT = { logits: 1e-3, nll: 1e-3, gradient: 1e-2 };

for (const [name, directory] of BUNDLES) {
  const file = join(ROOT, 'test', 'fixtures', `${name}-parity.json`);
  describe(`PyTorch and ONNX agree on ${name}`, { skip: !existsSync(file) && `no ${name}-parity.json` }, () => {
    for (const [build, load] of BUILDS)
      test(`${build}: logits, NLL a token, gradient in direction and length`, async () => {
        const { tokens, logits_last, chunk, within = EXACT } = JSON.parse(readFileSync(file, 'utf8')) as Parity;
        const bundle = await openBundle(directory);
        const mu = z(bundle.prior.length);
        const graphs = await openGraphs(await load(), bundle, { provider: 'cpu', threads: 2 });
        const logits = await new Decoder(graphs, bundle.manifest).logits(tokens, { version: 0, mu });
        logits_last.forEach((value, i) =>
          assert.ok(Math.abs((logits[i] ?? NaN) - value) < within.logits, `logit ${i}`),
        );

        const states = await graphs.trunk(chunk.inputs);
        const weights = Float32Array.from(chunk.weights);
        const { nll, gradient } = await graphs.evidence({ states, targets: chunk.targets }, weights, mu);
        assert.ok(Math.abs(nll - chunk.nll) < within.nll * chunk.inputs.length, `${nll} against ${chunk.nll}`);
        const length = Math.hypot(...chunk.gradient);
        const difference = Math.hypot(...chunk.gradient.map((value, i) => value - (gradient[i] ?? NaN)));
        assert.ok(difference <= within.gradient * length, `gradients differ by ${difference / length}`);
        await graphs.release();
      });
  });
}
