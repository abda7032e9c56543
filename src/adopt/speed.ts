import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadRuntime } from '../model/runtime';
import { GraphBuilder } from './graphBuilder';
import { encodeModel } from './onnx';

/** A matrix of a small decoder, and how often it is multiplied by one row of states. */
const [ROWS, COLUMNS, BLOCK] = [4864, 896, 32];
const ROUNDS = 40;

/**
 * How many times as long a product with weights of 8 bits takes as one of 4 on this machine: on one thread, the fastest of
 * each, in turn. About 1.6 where the processor multiplies whole numbers of 8 bits (VNNI), 2.4 where it does not.
 * @param scratch folder for two small graphs, which are gone afterwards
 */
export async function slowdownOfEightBits(scratch: string): Promise<number> {
  const folder = join(scratch, 'speed');
  await mkdir(folder, { recursive: true });
  const runtime = await loadRuntime();
  const states = new runtime.Tensor('float32', new Float32Array(COLUMNS).fill(0.5), [1, COLUMNS]);
  const kinds = await Promise.all(
    ([4, 8] as const).map(async (bits) => {
      const path = join(folder, `${bits}.onnx`);
      await writeFile(path, product(bits));
      const session = await runtime.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });
      return { session, fastest: Infinity };
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of kinds) {
      const begun = performance.now();
      await kind.session.run({ states });
      kind.fastest = Math.min(kind.fastest, performance.now() - begun);
    }
  }
  for (const { session } of kinds) await session.release();
  await rm(folder, { recursive: true, force: true });
  const [four, eight] = kinds.map(({ fastest }) => fastest);
  return (eight ?? 1) / (four ?? 1);
}

function product(bits: 4 | 8): Uint8Array {
  const graph = new GraphBuilder('product');
  const blocks = COLUMNS / BLOCK;
  const weights = new Uint8Array((ROWS * COLUMNS * bits) / 8).map((_, i) => (i * 37) % 256);
  const scales = new Uint8Array(new Float32Array(ROWS * blocks).fill(0.01).buffer);
  const inputs = [
    graph.input('states', 'float32', [1, COLUMNS]),
    graph.constant({ name: 'weights', type: 'uint8', shape: [ROWS, blocks, (BLOCK * bits) / 8], data: weights }),
    graph.constant({ name: 'scales', type: 'float32', shape: [ROWS, blocks], data: scales }),
  ];
  const attributes = { K: COLUMNS, N: ROWS, bits, block_size: BLOCK, accuracy_level: 4 };
  const ints = Object.fromEntries(Object.entries(attributes).map(([name, int]) => [name, { int }]));
  graph.add('MatMulNBits', inputs, 'product', ints, 'com.microsoft');
  graph.output('product', 'float32', [1, ROWS]);
  return encodeModel(graph.build(), '', 'thoughtline adopt');
}
