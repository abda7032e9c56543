import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import protobuf from 'protobufjs/minimal';
import { parse as parseYaml } from 'yaml';
import { adopt } from '../../src/adopt/adopt';
import { EXACT, recipeFor, SMALL, type Blocks, type Recipe } from '../../src/adopt/recipe';
import { sharedWithOthers } from '../../src/adopt/sources/coder';
import { FEATURES } from '../../src/adopt/thought';
import { slowdownOfEightBits } from '../../src/adopt/speed';
import { dequantize } from '../../src/adopt/dequantize';
import type { Entry } from '../../lab/peer/ggufWriter';
import { Engine, type CompletionRequest } from '../../src/completion/engine';
import { openBundle } from '../../src/model/bundle';
import { storedWeights } from '../../src/model/manifest';
import { Decoder } from '../../src/model/decoder';
import { cosinesTo, plainProducts } from '../../src/model/hiddenKeys';
import { UserError } from '../../src/model/errors';
import { loadRuntime } from '../../src/model/runtime';
import { readChunk } from '../../src/model/readChunk';
import { openGraphs } from '../../src/model/sessions';
import { ROOT } from '../fixtures';
import { DECODER, tinyDecoder, type TinyDecoder } from '../tinyDecoder';
import { typeOf, writeGguf } from '../tinyGguf';
import { scoreUnderThought } from '../../lab/engineMeasures';
import { withScratch } from './bundles';

/**
 * Logits that transformers 5 gives for the files of `tinyDecoder`, read with its own GGUF reader in float32: the first 200
 * after some of the tokens. Made once.
 */
const reference = JSON.parse(readFileSync(join(ROOT, 'test', 'fixtures', 'tiny-decoder-logits.json'), 'utf8')) as {
  tokens: number[];
  rows: number[];
  logits: Record<'qwen2' | 'llama', number[][]>;
};

/** The same for all matrices. */
function evenly(blocks: Blocks): Recipe {
  const kinds = Object.keys(EXACT) as (keyof Recipe)[];
  return Object.fromEntries(kinds.map((kind) => [kind, blocks])) as Recipe;
}

/** Of the two top layers of `tinyDecoder`. */
const NO_THOUGHT = { version: 1, mu: new Float32Array(2 * FEATURES * DECODER.width) };

/** What an ONNX model says of itself (`metadata_props` of onnx.proto). */
function metadataOf(model: Buffer): Record<string, string> {
  const reader = protobuf.Reader.create(model);
  const found: Record<string, string> = {};
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 !== 14) {
      reader.skipType(tag & 7);
      continue;
    }
    const entry = protobuf.Reader.create(reader.bytes());
    const texts: string[] = [];
    while (entry.pos < entry.len) {
      entry.uint32();
      texts.push(entry.string());
    }
    found[texts[0]!] = texts[1]!;
  }
  return found;
}

describe('a GGUF file becomes a bundle', () => {
  const scratch = withScratch();

  async function write(name: string, { entries, tensors }: TinyDecoder): Promise<string> {
    const path = join(scratch(), `${name}.gguf`);
    await writeGguf(path, entries, tensors);
    return path;
  }

  // States are rounded to 8 bits, too. Random weights lose 9 % by 4 bits.
  for (const [architecture, bits, maxError] of [
    ['qwen2', 8, 0.05],
    ['llama', 8, 0.05],
    ['qwen2', 4, 0.25],
    ['llama', 4, 0.25],
  ] as const) {
    // prettier-ignore
    test(`${architecture} in ${bits} bits: logits are those of transformers on the same weights`, async (context) => {
      const directory = join(scratch(), `${architecture}-${bits}`);
      await adopt(await write(architecture, tinyDecoder(architecture)), directory, { recipe: evenly({ bits, block: 32 }) });
      const bundle = await openBundle(directory);
      const graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 1 });
      context.after(() => graphs.release());
      const { tokens, rows, logits } = reference;
      const all = await new Decoder(graphs, bundle.manifest).logits(tokens, NO_THOUGHT, tokens.length);
      for (const [i, row] of rows.entries()) {
        const expected = logits[architecture][i] ?? [];
        const at = row * bundle.manifest.architecture.vocabulary;
        const error = rms(expected.map((value, j) => value - (all[at + j] as number))) / rms(expected);
        assert.ok(error < maxError, `row ${row}: ${error}`);
      }
      // Token by token, behind what is cached, the same comes out.
      const decoder = new Decoder(graphs, bundle.manifest);
      for (let length = 1; length <= tokens.length; length++) {
        const last = await decoder.logits(tokens.slice(0, length), NO_THOUGHT);
        const same = all.subarray((length - 1) * last.length, length * last.length);
        assert.ok(rms([...last].map((value, j) => value - (same[j] as number))) / rms([...same]) < 0.05);
      }
    });

    test(`${architecture} in ${bits} bits: hidden states of all rows are told, and logits are the head times them`, async (context) => {
      const directory = join(scratch(), `hidden-${architecture}-${bits}`);
      const made = tinyDecoder(architecture);
      await adopt(await write('hidden', made), directory, { recipe: evenly({ bits, block: 32 }) });
      const { manifest, ...bundle } = await openBundle(directory);
      const graphs = await openGraphs(await loadRuntime(), { manifest, ...bundle }, { provider: 'cpu', threads: 1 });
      context.after(() => graphs.release());
      const { tokens } = reference;
      const { width, vocabulary } = manifest.architecture;
      const cache = graphs.topCache(1, tokens.length);
      const { logits, hidden } = await graphs.topOutput(await graphs.trunk(tokens), NO_THOUGHT.mu, 2, cache);
      assert.deepEqual([logits.length, hidden?.length], [2 * vocabulary, tokens.length * width]);
      const { type, bytes } = made.tensors.find(({ name }) => name === 'output.weight')!;
      const head = dequantize(typeOf(type), bytes);
      const last = hidden!.subarray(-width);
      const product = Array.from({ length: vocabulary }, (_, row) =>
        last.reduce((sum, value, i) => sum + value * head[row * width + i]!, 0),
      );
      const error = rms(product.map((value, i) => value - logits[vocabulary + i]!)) / rms(product);
      assert.ok(error < maxError, String(error));
      // The cache keeps where they point.
      const { numbers, scales } = cache.hiddenKeys!.slice(-1 + cache.hiddenKeys!.length);
      const length = Math.hypot(...last);
      last.forEach((value, i) => assert.ok(Math.abs(numbers[i]! * scales[0]! - value / length) < 0.01));
    });
  }

  describe('an adopted decoder reads a thought', () => {
    const COUNT = 40;
    const inputs = numbers(100, 3);
    const targets = [...inputs.slice(-COUNT + 1), 77];
    const weights = new Float32Array(COUNT).fill(1);

    /** The tiny decoder's MLPs give little, so a thought that is seen has large numbers. */
    const wave = (size: number) => NO_THOUGHT.mu.map((_, i) => size * Math.sin(i * 1.3));

    async function opened(context: { after(close: () => Promise<void>): void }, architecture: 'qwen2' | 'llama') {
      const directory = join(scratch(), `thought-${architecture}`);
      await adopt(await write('thought', tinyDecoder(architecture)), directory, { recipe: EXACT });
      const bundle = await openBundle(directory);
      const graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 1 });
      context.after(() => graphs.release());
      const reading = readChunk(graphs, inputs, targets, bundle.prior, bundle.manifest.architecture.vocabulary);
      let step = await reading.next();
      while (!step.done) step = await reading.next();
      return { bundle, graphs, read: step.value };
    }

    /** Mean −log p of the targets, as the decoder says it under a thought that acts on the scored rows alone. */
    async function decoderNll({ graphs, bundle }: Awaited<ReturnType<typeof opened>>, mu: Float32Array) {
      const decoder = new Decoder(graphs, bundle.manifest);
      const first = inputs.length - COUNT;
      decoder.arrange(inputs, { suffixStart: first - 8, suffixEnd: first + 1 }, 0);
      const logits = await decoder.logits(inputs, { version: 2, mu }, COUNT);
      const size = logits.length / COUNT;
      const nats = targets.map((target, row) => {
        const of = logits.subarray(row * size, (row + 1) * size);
        return Math.log(of.reduce((sum, logit) => sum + Math.exp(logit), 0)) - of[target]!;
      });
      return nats.reduce((sum, value) => sum + value, 0) / COUNT;
    }

    for (const architecture of ['qwen2', 'llama'] as const) {
      test(`${architecture}: its evidence has the NLL that the decoder has, with a thought and without`, async (context) => {
        const all = await opened(context, architecture);
        for (const mu of [all.bundle.prior, wave(400)]) {
          const { nll } = await all.graphs.evidence(all.read, weights, mu);
          const expected = await decoderNll(all, mu);
          assert.ok(Math.abs(nll / COUNT - expected) < 2e-3, `${nll / COUNT} against ${expected}`);
        }
        const [without, withIt] = [await decoderNll(all, all.bundle.prior), await decoderNll(all, wave(400))];
        assert.ok(Math.abs(without - withIt) > 1e-4, 'the thought changes what is written');
      });

      test(`${architecture}: the gradient of each layer is that of finite differences`, async (context) => {
        const { graphs, read } = await opened(context, architecture);
        const z = wave(20);
        const { gradient } = await graphs.evidence(read, weights, z);
        const whole = gradient.slice();
        const size = whole.length / 2;
        for (const layer of [0, 1]) {
          const along = whole.map((value, i) => (Math.floor(i / size) === layer ? value : 0));
          const length = Math.hypot(...along);
          const at = async (distance: number) =>
            (
              await graphs.evidence(
                read,
                weights,
                z.map((value, i) => value + (distance * along[i]!) / length),
              )
            ).nll;
          const slope = ((await at(8)) - (await at(-8))) / 16;
          assert.ok(Math.abs(slope - length) < 0.03 * length, `layer ${layer}: ${slope} against ${length}`);
        }
      });
    }

    test('another thought has only what is written read again', async (context) => {
      const { graphs, bundle } = await opened(context, 'qwen2');
      const decoder = new Decoder(graphs, bundle.manifest);
      const parts = { suffixStart: 60, suffixEnd: 91 };
      decoder.arrange(inputs, parts, 0);
      await decoder.logits(inputs, NO_THOUGHT);
      const thought = { version: 7, mu: wave(100) };
      assert.equal(decoder.unread(inputs, thought), inputs.length - (parts.suffixEnd - 1));
      const after = await decoder.logits(inputs, thought);
      const newDecoder = new Decoder(graphs, bundle.manifest);
      newDecoder.arrange(inputs, parts, 0);
      const same = await newDecoder.logits(inputs, thought);
      after.forEach((value, i) => assert.ok(Math.abs(value - same[i]!) < 1e-4, `logit ${i}`));
    });

    test('a thought of zeros leaves the decoder as it was, to the bit', async (context) => {
      const { graphs, bundle } = await opened(context, 'qwen2');
      const logits = await new Decoder(graphs, bundle.manifest).logits(inputs, NO_THOUGHT);
      const again = await new Decoder(graphs, bundle.manifest).logits(inputs, { version: 3, mu: wave(0) });
      assert.deepEqual(again, logits);
    });
  });

  test('8 bits serve where they are about as fast as 4, and this machine tells', async () => {
    assert.deepEqual([recipeFor(1.6), recipeFor(2), recipeFor(2.4)], [EXACT, EXACT, SMALL]);
    const slowdown = await slowdownOfEightBits(scratch());
    assert.ok(slowdown > 0.2 && slowdown < 20, String(slowdown));
    assert.ok(!(await readdir(scratch())).includes('speed'));
  });

  test('a suffix that was read behind another prefix lies where it belongs, and is read again where it has to be exact', async (context) => {
    const directory = join(scratch(), 'moved');
    await adopt(await write('moved', tinyDecoder('qwen2')), directory);
    const bundle = await openBundle(directory);
    const graphs = await openGraphs(await loadRuntime(), bundle, { provider: 'cpu', threads: 1 });
    context.after(() => graphs.release());
    const window = (prefix: number) => {
      const tokens = [...numbers(prefix, 3), ...numbers(60, 5), ...numbers(4, 7)];
      return { tokens, parts: { suffixStart: prefix, suffixEnd: prefix + 60 } };
    };
    const logits = async (decoder: Decoder, prefix: number, maxStale: number) => {
      const { tokens, parts } = window(prefix);
      decoder.arrange(tokens, parts, maxStale);
      const unread = decoder.unread(tokens, NO_THOUGHT);
      return { unread, values: [...(await decoder.logits(tokens, NO_THOUGHT))] };
    };
    const decoder = new Decoder(graphs, bundle.manifest);
    const near = (a: readonly number[], b: readonly number[]) =>
      rms(a.map((value, i) => value - (b[i] as number))) / rms(b);
    for (const [prefix, unread] of [
      [20, 84],
      [24, 25],
      [27, 24],
      [22, 21],
    ] as const) {
      // prettier-ignore
      const kept = await logits(decoder, prefix, 40);
      assert.equal(kept.unread, unread, `behind ${prefix} tokens`);
      const plain = await logits(new Decoder(graphs, bundle.manifest), prefix, 40);
      // Hardly anything else is predicted, and the same where nothing is kept.
      assert.ok(near(kept.values, plain.values) < 0.2, `behind ${prefix} tokens: ${near(kept.values, plain.values)}`);
      // Where states point moves with them.
      const newDecoder = new Decoder(graphs, bundle.manifest);
      await logits(newDecoder, prefix, 40);
      const [moved, own] = [decoder, newDecoder].map((one) => one.hiddenKeysOf(NO_THOUGHT)!.hiddenKeys);
      assert.equal(moved!.length, own!.length);
      const cosine = (row: number, other: number) =>
        cosinesTo(own!.slice(row, row + 1), moved!.slice(other, other + 1), plainProducts)[0] ?? 0;
      const rows = Array.from({ length: own!.length - 1 }, (_, row) => row);
      const [aligned, shifted] = [0, 1].map((by) => rows.reduce((sum, row) => sum + cosine(row, row + by), 0) / rows.length); // prettier-ignore
      assert.ok(1 - aligned! < 0.7 * (1 - shifted!), `behind ${prefix} tokens: ${aligned}, shifted ${shifted}`);
    }
    const exact = await logits(decoder, 22, 0);
    const plain = await logits(new Decoder(graphs, bundle.manifest), 22, 0);
    assert.deepEqual([exact.unread, near(exact.values, plain.values) < 0.02], [64, true]);
    // What is typed behind the suffix costs its own tokens alone.
    const { tokens, parts } = window(22);
    decoder.arrange([...tokens, 9], parts, 40);
    assert.equal(decoder.unread([...tokens, 9], NO_THOUGHT), 1);
  });

  const request: CompletionRequest = {
    path: 'src/a.ts',
    prefix: 'export function sum(a: number, b: number) {\n  return ',
    suffix: ';\n}\n',
    related: [{ path: 'src/b.ts', text: 'export const one = 1;\n' }],
  };

  test('it completes: with markers by filling in, without by going on, tied weights or not', async () => {
    for (const [name, options] of [
      ['fill', {}],
      ['plain', { markers: [] }],
      ['tied', { tied: true }],
    ] as const) {
      // prettier-ignore
      const directory = join(scratch(), name);
      const decoder = tinyDecoder('qwen2', options);
      const tensors = name === 'tied' ? decoder.tensors.filter((one) => one.name !== 'output.weight') : decoder.tensors;
      const notes = await adopt(await write(name, { ...decoder, tensors }), directory, { name });
      assert.deepEqual(
        notes.map((note) => note.slice(0, 38)),
        name === 'plain' ? ['this model has no fill-in markers: it '] : [],
      );
      const engine = await Engine.open(directory, { device: 'cpu', threads: 1 });
      try {
        const result = await engine.complete(request, { steps: 4, maxLines: 1, candidates: 1 });
        assert.ok(['newline', 'length', 'end', 'none', 'repetition'].includes(result.stop), result.stop);
        const again = await engine.complete(request, { steps: 4, maxLines: 1, candidates: 1 });
        assert.equal(again.text, result.text);
        assert.equal(again.read, 0);
        const score = await scoreUnderThought(engine, request, 'a + b', engine.prior);
        assert.ok(score.nats > 0 && Number.isFinite(score.nats));
        const many = await engine.complete(request, { steps: 0, maxLines: 1, candidates: 1, alternatives: 3 });
        assert.ok(many.candidates.length <= 3);
      } finally {
        await engine.close();
      }
    }
  });

  test('the bundle says what it is, and nothing else is left', async () => {
    const directory = join(scratch(), 'said');
    const origin = {
      title: 'Tiny',
      base: 'somebody/tiny',
      licence: 'Apache-2.0',
      copyright: 'Copyright Somebody',
      page: 'nowhere',
      notice: 'It was changed.',
      text: 'the licence',
      measured: '## What was measured',
    };
    const shares: number[] = [];
    const weights = { nats: -1, perToken: -1, length: 0, behind: 0, broken: 0, undeclared: 0, agreement: 0, covers: 0 };
    const { memory } = sharedWithOthers().fitted ?? {};
    const fitted = { ...(memory && { memory }), energy: { bias: 1, weights, fitted: {} } };
    const options = { name: 'said', origin, fitted, onProgress: (share: number) => shares.push(share) };
    await adopt(await write('said', tinyDecoder('qwen2')), directory, options);
    const { manifest } = await openBundle(directory);
    assert.equal(manifest.name, 'said');
    assert.deepEqual(
      {
        layers: manifest.architecture.layers,
        trunk: manifest.architecture.trunkLayers,
        width: manifest.architecture.width,
      },
      { layers: DECODER.layers, trunk: 1, width: DECODER.width },
    );
    assert.equal(manifest.prompt?.style, 'prefix-suffix-middle');
    assert.equal(manifest.confidence?.weights.nats, -1);
    assert.deepEqual(storedWeights(manifest.memory?.gate), memory?.['gate']);
    assert.ok(manifest.memory !== undefined);
    assert.equal(await readFile(join(directory, 'LICENSE'), 'utf8'), 'the licence');
    const card = await readFile(join(directory, 'README.md'), 'utf8');
    assert.match(card, /Apache-2\.0[\s\S]*It was changed\.[\s\S]*## Intended use[\s\S]*## What was measured\n$/);
    const [, front = ''] = /^---\n([\s\S]*?\n)---\n/.exec(card) ?? [];
    const { license, library_name, pipeline_tag, base_model, tags } = parseYaml(front) as Record<string, unknown>;
    assert.deepEqual(
      { license, library_name, pipeline_tag, base_model },
      {
        license: 'apache-2.0',
        library_name: 'onnx',
        pipeline_tag: 'text-generation',
        base_model: 'somebody/tiny',
      },
    );
    assert.ok((tags as string[]).includes('fill-in-the-middle'));
    for (const graph of ['trunk', 'top'] as const) {
      const properties = metadataOf(await readFile(join(directory, `${graph}.onnx`)));
      assert.deepEqual(properties, {
        name: 'said',
        version: manifest.version,
        licence: 'Apache-2.0',
        tokenizer_sha256: manifest.files.tokenizer.sha256,
        weights_sha256: manifest.files.weights.sha256,
      });
    }
    assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
    assert.ok(shares.every((share, i) => i === 0 || share >= (shares[i - 1] as number)));
    assert.deepEqual(
      (await readdir(scratch())).filter((name) => name.startsWith('.')),
      [],
    );
  });

  test('what is there already stays until the new one is whole', async () => {
    const directory = join(scratch(), 'kept');
    await mkdir(directory);
    await writeFile(join(directory, 'mine.txt'), 'mine');
    const path = await write('kept', tinyDecoder('qwen2'));
    const stopped = new AbortController();
    const onProgress = (share: number) => share > 0.3 && stopped.abort();
    await assert.rejects(adopt(path, directory, { signal: stopped.signal, onProgress }), { name: 'AbortError' });
    assert.deepEqual(await readdir(directory), ['mine.txt']);
    assert.deepEqual(
      (await readdir(scratch())).filter((name) => name.startsWith('.')),
      [],
    );
    await adopt(path, directory);
    assert.ok(existsSync(join(directory, 'manifest.json')) && !existsSync(join(directory, 'mine.txt')));
  });

  const without = (field: string) => (decoder: TinyDecoder) => ({
    ...decoder,
    entries: decoder.entries.filter(([name]) => name !== field),
  });
  const having =
    (...entry: Entry) =>
    (decoder: TinyDecoder) => ({
      ...decoder,
      entries: [...decoder.entries.filter(([name]) => name !== entry[0]), entry],
    });
  const tensors = (change: (all: TinyDecoder['tensors']) => TinyDecoder['tensors']) => (decoder: TinyDecoder) => ({
    ...decoder,
    tensors: change(decoder.tensors),
  });
  const bad: readonly [name: string, change: (decoder: TinyDecoder) => TinyDecoder, says: RegExp][] = [
    ['another architecture', having('general.architecture', 'STRING', 'gemma'), /general\.architecture is "gemma"; adopt/],
    ['no architecture', without('general.architecture'), /general\.architecture is missing/],
    ['no layers', without('qwen2.block_count'), /qwen2\.block_count is undefined, not a number above 0/],
    ['positions of another kind', having('qwen2.rope.scaling.type', 'STRING', 'yarn'), /rope\.scaling\.type is "yarn"/],
    ['a tensor missing', tensors((all) => all.filter(({ name }) => name !== 'blk.1.ffn_up.weight')), /tensor blk\.1\.ffn_up\.weight is missing/],
    ['one of another shape', having('qwen2.feed_forward_length', 'UINT32', 1024), /tensor blk\.0\.ffn_gate\.weight is \[512, 256\] instead of \[1024, 256\]/],
    ['one that is not known', tensors((all) => [...all, { ...all[0]!, name: 'blk.0.experts.weight' }]), /tensor blk\.0\.experts\.weight belongs to no decoder/],
    ['another tokenizer', having('tokenizer.ggml.model', 'STRING', 'llama'), /tokenizer\.ggml\.model/],
    ['nothing that ends a text', (decoder) => having('tokenizer.ggml.token_type', 'INT32', (decoder.entries.find(([name]) => name === 'tokenizer.ggml.token_type')![2] as number[]).map((type) => (type === 3 ? 5 : type)))(without('tokenizer.ggml.eos_token_id')(decoder)), /tokenizer\.ggml\.eos_token_id is missing/],
  ]; // prettier-ignore

  for (const [name, change, says] of bad) {
    test(`${name} is refused in one line, and nothing is left`, async () => {
      const path = await write('bad', change(tinyDecoder('qwen2')));
      const directory = join(scratch(), 'bad-bundle');
      await assert.rejects(adopt(path, directory), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.ok(error.message.startsWith(path) && !error.message.includes('\n'), error.message);
        assert.match(error.message, says);
        return true;
      });
      assert.equal(existsSync(directory), false);
      assert.deepEqual(
        (await readdir(scratch())).filter((entry) => entry.startsWith('.')),
        [],
      );
    });
  }

  test('a folder that cannot be written is named', async () => {
    const file = join(scratch(), 'in-the-way');
    await writeFile(file, '');
    const path = await write('way', tinyDecoder('qwen2'));
    await assert.rejects(adopt(path, join(file, 'bundle')), /in-the-way.bundle: cannot be written .*; choose a folder/);
  });
});

/** Token ids without order. */
function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * 37 * seed + seed) % 700);
}

function rms(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
