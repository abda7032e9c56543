import type { AdoptedDecoder } from './architecture';
import { layerNames, NAMES, transposedName, type DecoderWeights, type QuantizedMatrix } from './decoderGraphs';
import { dequantize } from './dequantize';
import { rowsOf, type Gguf, type GgufTensor } from './gguf';
import type { Importance } from './importance';
import type { Initializer } from './onnx';
import { quantizeRows, type QuantizedRows } from './quantize';
import { kindOf, type Blocks, type Recipe } from './recipe';
import { bytesOf, type WeightsFile } from './weightsFile';

/** Values that are in memory at once, as float32. */
const CHUNK = 2 ** 22;

export interface WeightsOptions {
  readonly recipe: Recipe;
  /** What errors cost (default: everywhere the same). */
  readonly importance?: Importance | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Share of the weights that have been written, 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/**
 * Writes a decoder's weights as its graphs read them, matrix by matrix; little of them is in memory at a time.
 * @throws AbortError when the signal says so
 */
export async function writeWeights(
  gguf: Gguf,
  decoder: AdoptedDecoder,
  file: WeightsFile,
  options: WeightsOptions,
): Promise<WrittenWeights> {
  const writer = new Writer(gguf, decoder, file, options);
  const { shape, tensor, has } = decoder;
  const embedding = tensor('token_embd.weight');
  const head = has('output.weight') ? tensor('output.weight') : embedding;
  const tied = await areSame(gguf, embedding, head);
  // Of one matrix that is there twice the better one serves for both.
  await writer.addMatrix(NAMES.head, [tied && embedding.bytes > head.bytes ? embedding : head]);
  if (!tied) await writer.addMatrix(NAMES.embedding, [embedding]);
  for (let layer = 0; layer < shape.layers; layer++) await writeLayer(writer, decoder, layer);
  await writer.addVector(NAMES.finalNorm, [tensor('output_norm.weight')]);
  await writer.addAngles(decoder);
  return writer;
}

/** Rows by which two matrices are compared, and how far the same one may differ where it is rounded in two ways. */
const COMPARED_ROWS = 64;
const MAX_ROUNDING = 0.2;

/** Whether two tensors are one matrix, each rounded in its own way. */
async function areSame(gguf: Gguf, one: GgufTensor, other: GgufTensor): Promise<boolean> {
  if (one === other) return true;
  const rows = Math.min(COMPARED_ROWS, rowsOf(one));
  const from = Math.floor((rowsOf(one) - rows) / 2);
  const read = async (tensor: GgufTensor) => dequantize(tensor.type, await gguf.read(tensor, from, from + rows));
  const [a, b] = [await read(one), await read(other)];
  let [difference, size] = [0, 0];
  a.forEach((value, i) => {
    difference += (value - (b[i] as number)) ** 2;
    size += value ** 2;
  });
  return difference <= MAX_ROUNDING ** 2 * size;
}

async function writeLayer(writer: Writer, { shape, tensor }: AdoptedDecoder, layer: number): Promise<void> {
  const names = layerNames(layer);
  const of = (name: string) => tensor(`blk.${layer}.${name}`);
  await writer.addVector(names.attentionNorm, [of('attn_norm.weight')]);
  const matrices = {
    [names.queryKeyValue]: [of('attn_q.weight'), of('attn_k.weight'), of('attn_v.weight')],
    [names.attentionOutput]: [of('attn_output.weight')],
    [names.gate]: [of('ffn_gate.weight')],
    [names.up]: [of('ffn_up.weight')],
    [names.down]: [of('ffn_down.weight')],
  };
  for (const [name, parts] of Object.entries(matrices)) {
    await writer.addMatrix(name, parts);
    // A gradient goes through the layers above the lowest one that reads the thought.
    if (layer > shape.trunkLayers) await writer.addTransposed(name, parts);
  }
  if (shape.attentionBias) {
    await writer.addVector(names.queryKeyValueBias, [of('attn_q.bias'), of('attn_k.bias'), of('attn_v.bias')]);
  }
  await writer.addVector(names.mlpNorm, [of('ffn_norm.weight')]);
}

/** Weights that are in the file, to which numbers can be added. */
export interface WrittenWeights extends DecoderWeights {
  addNumbers(name: string, shape: readonly number[], values: Float32Array): Promise<void>;
}

class Writer implements WrittenWeights {
  readonly #gguf: Gguf;
  readonly #decoder: AdoptedDecoder;
  readonly #file: WeightsFile;
  readonly #options: WeightsOptions;
  readonly #total: number;
  #done = 0;
  readonly #matrices = new Map<string, QuantizedMatrix>();
  readonly #vectors = new Map<string, Initializer>();

  constructor(gguf: Gguf, decoder: AdoptedDecoder, file: WeightsFile, options: WeightsOptions) {
    [this.#gguf, this.#decoder, this.#file, this.#options] = [gguf, decoder, file, options];
    this.#total = [...gguf.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  matrix(name: string): QuantizedMatrix {
    return found(
      this.#matrices.get(name) ?? (name === NAMES.embedding ? this.#matrices.get(NAMES.head) : undefined),
      name,
    );
  }

  vector(name: string): Initializer {
    return found(this.#vectors.get(name), name);
  }

  /** Cosines and sines of the rotations, float32 [positions, headWidth / 2] each. */
  async addAngles({ shape, frequencies }: AdoptedDecoder): Promise<void> {
    const sizes = [shape.positions, frequencies.length];
    for (const [name, of] of [
      [NAMES.cosines, Math.cos],
      [NAMES.sines, Math.sin],
    ] as const) {
      // prettier-ignore
      const values = new Float32Array(shape.positions * frequencies.length);
      values.forEach((_, i) => {
        const pair = i % frequencies.length;
        values[i] = of(Math.floor(i / frequencies.length) * (frequencies[pair] as number));
      });
      await this.addNumbers(name, sizes, values);
    }
  }

  /** @param shape of the values, the slowest dimension first */
  async addNumbers(name: string, shape: readonly number[], values: Float32Array): Promise<void> {
    this.#vectors.set(name, await this.#file.append(name, 'float32', shape, [bytesOf(values)]));
  }

  async addVector(name: string, parts: readonly GgufTensor[]): Promise<void> {
    const values: Float32Array[] = [];
    for (const part of parts) {
      values.push(this.#inOrder(part, dequantize(part.type, await this.#gguf.read(part)), 1, 0));
    }
    const length = values.reduce((sum, part) => sum + part.length, 0);
    this.#vectors.set(name, await this.#file.append(name, 'float32', [length], values.map(bytesOf)));
  }

  /** @param parts whose rows lie one after the other in the matrix */
  async addMatrix(name: string, parts: readonly GgufTensor[]): Promise<void> {
    const { bits, block } = this.#options.recipe[kindOf(name)];
    const columns = parts[0]?.shape[1] ?? 0;
    const rows = parts.reduce((sum, part) => sum + rowsOf(part), 0);
    const scales: Float32Array[] = [];
    const zeros: Uint8Array[] = [];
    const packed = this.#quantized(parts, { bits, block }, (part) => {
      scales.push(part.scales);
      if (part.zeroPoints) zeros.push(part.zeroPoints);
    });
    const shape = [rows, columns / block, (block * bits) / 8];
    const weights = await this.#file.append(`${name}.weights`, 'uint8', shape, packed);
    const sizes = [rows, columns / block];
    const scale = await this.#file.append(`${name}.scales`, 'float32', sizes, scales.map(bytesOf));
    const zeroSizes = [rows, Math.ceil(columns / block / 2)];
    const zeroPoints = zeros.length > 0 && (await this.#file.append(`${name}.zeros`, 'uint8', zeroSizes, zeros));
    const matrix: QuantizedMatrix = { rows, columns, bits, block, weights, scales: scale };
    this.#matrices.set(name, { ...matrix, ...(zeroPoints && { zeroPoints }) });
  }

  /** The same with rows and columns exchanged, in 8 bits. */
  async addTransposed(name: string, parts: readonly GgufTensor[]): Promise<void> {
    const rows = parts[0]?.shape[1] ?? 0;
    const columns = parts.reduce((sum, part) => sum + rowsOf(part), 0);
    const values = new Float32Array(rows * columns);
    let at = 0;
    for (const part of parts) {
      this.#options.signal?.throwIfAborted();
      const read = this.#inOrder(part, dequantize(part.type, await this.#gguf.read(part)), rows, 0);
      for (let i = 0; i < read.length; i++)
        values[(i % rows) * columns + at + Math.floor(i / rows)] = read[i] as number;
      at += rowsOf(part);
    }
    const block = columns % 32 === 0 ? 32 : 16;
    const { weights, scales } = quantizeRows(values, columns, { bits: 8, block });
    const key = transposedName(name);
    const blocks = columns / block;
    this.#matrices.set(key, {
      ...{ rows, columns, bits: 8, block },
      weights: await this.#file.append(`${key}.weights`, 'uint8', [rows, blocks, block], [weights]),
      scales: await this.#file.append(`${key}.scales`, 'float32', [rows, blocks], [bytesOf(scales)]),
    });
  }

  async *#quantized(
    parts: readonly GgufTensor[],
    how: Blocks,
    keep: (rows: QuantizedRows) => void,
  ): AsyncGenerator<Uint8Array> {
    const { importance, signal, onProgress } = this.#options;
    for (const part of parts) {
      const columns = part.shape[1] ?? 0;
      const rows = rowsOf(part);
      // Whole heads, so that their rows can be put in order.
      const { headWidth } = this.#decoder.shape;
      const step = Math.max(1, Math.floor(CHUNK / columns / headWidth)) * headWidth;
      for (let row = 0; row < rows; row += step) {
        signal?.throwIfAborted();
        const end = Math.min(rows, row + step);
        const values = dequantize(part.type, await this.#gguf.read(part, row, end));
        const quantized = quantizeRows(
          this.#inOrder(part, values, columns, row),
          columns,
          how,
          importance?.of(part.name),
        );
        keep(quantized);
        yield quantized.weights;
        this.#done += (part.bytes / rows) * (end - row);
        onProgress?.(this.#done / this.#total);
      }
    }
  }

  /**
   * Rows of queries and keys in the order of the graphs, which rotate the first half of a head against its second; llama.cpp
   * permutes those of LLaMA so that the two of a pair lie side by side.
   */
  #inOrder({ name }: GgufTensor, values: Float32Array, columns: number, from: number): Float32Array {
    if (!this.#decoder.interleaved || !/\.attn_[qk]\./.test(name)) return values;
    const { headWidth } = this.#decoder.shape;
    if (from % headWidth !== 0) throw new RangeError(`row ${from} begins no head`);
    const ordered = new Float32Array(values.length);
    for (let row = 0; row < values.length / columns; row++) {
      const [head, inside] = [Math.floor(row / headWidth), row % headWidth];
      const to = head * headWidth + (inside % 2) * (headWidth / 2) + (inside >> 1);
      ordered.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
    }
    return ordered;
  }
}

function found<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`${name} has not been written`);
  return value;
}
