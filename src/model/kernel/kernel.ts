import type { Bundle } from '../bundle';
import type { KeyValueCache, Mirror } from '../cache';
import type { Manifest } from '../manifest';
import { unitRows } from '../hiddenKeys';
import { NumericalError } from '../errors';
import { Layout, MAX_TOKENS, type PlacedLayer, type PlacedMatrix, type TableShape, type Tables } from './layout';
import { BLOCK, MAX_NUMBER } from './matrix';
import { loadProgram, type Operations, type Program } from './program';
import { readWeights } from './weights';

/** The largest of a block of states becomes this: its products with weights of 14 bits, summed over a block, stay below 2³¹. */
const MAX_STATE = 32767;

/**
 * The decoder for runs of a few tokens, on the processor: the same function as `trunk.onnx` and `top.onnx`, computed by
 * WebAssembly from weights of as many bits as they are stored in. A run of one token waits for little but its weights, so
 * reading a quarter or half of the bytes is what counts, and starting half as many operations.
 *
 * States are rounded to 16 bits a block of 32 before each product, and weights of 16 bits, keys and values to 14, so
 * results agree with those of float32 to about 10⁻⁴ of their size. They do not depend on how many tokens a run has.
 */
export class Kernel {
  readonly #operations: Operations;
  readonly #floats: Float32Array;
  readonly #whole: { readonly 8: Int8Array; readonly 16: Int16Array };
  readonly #architecture: Manifest['architecture'];
  readonly #epsilon: number;
  readonly #largestQuery: number;
  readonly #layout: Layout;
  readonly #slots: Record<'trunk' | 'top', Slot[]>;
  /** The thought that lies in the memory. Nobody changes a thought that there is. */
  #z?: Float32Array;
  /** For each top layer, whether anything of its part of the thought is not zero. */
  #acts: readonly boolean[] = [];

  private constructor({ operations, memory }: Program, manifest: Manifest, layout: Layout) {
    this.#operations = operations;
    this.#floats = new Float32Array(memory);
    this.#whole = { 8: new Int8Array(memory), 16: new Int16Array(memory) };
    this.#architecture = manifest.architecture;
    this.#epsilon = manifest.architecture.normEpsilon ?? 0;
    // A sum over a head lies in four parts, each of a quarter of its products.
    this.#largestQuery = Math.min(
      MAX_STATE,
      Math.floor(2 ** 31 / ((manifest.architecture.headWidth / 4) * MAX_NUMBER)) - 1,
    );
    this.#layout = layout;
    this.#slots = { trunk: slotsOf(layout.caches.trunk), top: slotsOf(layout.caches.top) };
    layout.fill(memory);
    this.#rotations(manifest.architecture.ropeBase ?? 0);
  }

  /** @returns undefined where the kernel does not know the bundle's decoder, or how its weights are stored */
  static async open(bundle: Bundle): Promise<Kernel | undefined> {
    const { ropeBase, normEpsilon, heads, kvHeads, headWidth, width } = bundle.manifest.architecture;
    if (ropeBase === undefined || normEpsilon === undefined) return undefined;
    // Two heads at a time share what they read, sixteen values at a time.
    if (heads % (2 * kvHeads) !== 0 || headWidth % 16 !== 0 || width % BLOCK !== 0) return undefined;
    const weights = await readWeights(bundle);
    if (!weights) return undefined;
    const layout = new Layout(weights, bundle.manifest);
    return new Kernel(await loadProgram(layout.bytes), bundle.manifest, layout);
  }

  /** What it reads of weights for a token. */
  get bytes(): number {
    return this.#layout.weights;
  }

  /** Whether it computes a run of so many tokens behind a cache. */
  takes(tokens: number, cache: KeyValueCache): boolean {
    return cache.batch === 1 && tokens <= MAX_TOKENS && cache.length + tokens <= this.#layout.tokens.capacity;
  }

  /**
   * @param tokens [S]
   * @param cache what came before; the tokens' own keys and values are in it afterwards
   * @returns states, [S, width]
   */
  trunk(tokens: readonly number[], cache: KeyValueCache): Float32Array {
    const { width, trunkLayers } = this.#architecture;
    const slot = this.#slot('trunk', cache);
    const x = this.#layout.states / 4;
    for (const [row, token] of tokens.entries()) this.#embed(token, x + row * width);
    for (let i = 0; i < trunkLayers; i++) this.#layer(i, slot, i, tokens.length, cache.length);
    const states = NumericalError.check(this.#floats.slice(x, x + tokens.length * width), 'states');
    this.#keep(slot, cache, tokens.length);
    return states;
  }

  /**
   * @param states [S, width]
   * @param z [top layers, features, width]
   * @param logitCount for how many of the last positions logits are wanted, 1 to S
   * @param cache as for the trunk; it keeps the hidden keys, too, where it keeps any
   * @returns logits, [logit count, vocabulary]
   */
  top(states: Float32Array, z: Float32Array, logitCount: number, cache: KeyValueCache): Float32Array {
    const { width, layers, trunkLayers, vocabulary } = this.#architecture;
    const { states: x, normed, projected } = this.#layout;
    const rows = states.length / width;
    const slot = this.#slot('top', cache);
    this.#read(z);
    this.#floats.set(states, x / 4);
    for (let i = trunkLayers; i < layers; i++) this.#layer(i, slot, i - trunkLayers, rows, cache.length);
    this.#operations.normalise(x, rows, width, this.#layout.finalNorm, this.#epsilon, normed);
    const hiddenKeys = unitRows(this.#floats.slice(normed / 4, normed / 4 + rows * width), width);
    const last = normed + (rows - logitCount) * width * 4;
    this.#multiply(last, logitCount, this.#layout.head, projected, false);
    const logits = this.#floats.slice(projected / 4, projected / 4 + logitCount * vocabulary);
    NumericalError.check(logits, 'logits');
    this.#keep(slot, cache, rows);
    cache.appendHidden(hiddenKeys);
    return logits;
  }

  /** Layer `i` of the decoder over the states; its keys and values are those of layer `at` of the slot. */
  #layer(i: number, slot: Slot, at: number, rows: number, past: number): void {
    const { width, heads, kvHeads, headWidth } = this.#architecture;
    const { states, normed, projected, queries, attended, cosines, sines, tokens } = this.#layout;
    const { norms, matrices, map } = this.#layout.layers[i] as PlacedLayer;
    const operations = this.#operations;
    const [head, turn] = [headWidth * 4, past * headWidth * 2];
    const [stride, toHead] = [(heads + 2 * kvHeads) * head, rows * head];

    operations.normalise(states, rows, width, norms.attention, this.#epsilon, normed);
    this.#multiply(normed, rows, matrices.queryKeyValue, projected, false);
    const turned = [cosines + turn, sines + turn] as const;
    operations.place(projected, stride, rows, heads, headWidth, ...turned, queries, heads * head, head);
    const [key, value] = [projected + heads * head, projected + (heads + kvHeads) * head];
    const [keys, values] = [this.#fresh(2 * at, 0, rows), this.#fresh(2 * at + 1, 0, rows)];
    operations.place(key, stride, rows, kvHeads, headWidth, ...turned, keys, head, toHead);
    operations.place(value, stride, rows, kvHeads, headWidth, 0, 0, values, head, toHead);
    const tables = tokens.at(slot.at, at);
    this.#put('keys', keys, rows, tables, tokens, past);
    this.#put('values', values, rows, tables, tokens, past);
    this.#attend(rows, tables, past + 1);
    this.#multiply(attended, rows, matrices.output, states, true);

    operations.normalise(states, rows, width, norms.mlp, this.#epsilon, normed);
    this.#multiply(normed, rows, matrices.gateUp, projected, false);
    operations.gate(projected, rows, matrices.down.inputs, attended);
    this.#multiply(attended, rows, matrices.down, states, true);
    if (map && this.#acts[at]) {
      operations.think(normed, rows, width, map.features, map.means, map.count, map.thought, states);
    }
  }

  /** The queries attend: to so many keys in the first row, and to one more in each next. */
  #attend(rows: number, tables: Tables, seen: number): void {
    const { heads, kvHeads, headWidth } = this.#architecture;
    const { queries, quantised, scales, scratch, attended, tokens } = this.#layout;
    this.#operations.quantise(queries, rows * heads * headWidth, headWidth, this.#largestQuery, quantised, scales);
    const { keys, values } = tables;
    const shape = [rows, heads, kvHeads, headWidth] as const;
    const read = [keys.numbers, keys.scales, values.numbers, values.scales, tokens.capacity, seen] as const;
    this.#operations.attend(quantised, scales, ...shape, ...read, scratch, attended);
  }

  /** Keys or values, [groups, rows, headWidth], become those of the tokens from `at` on. */
  #put(kind: keyof Tables, from: number, rows: number, tables: Tables, shape: TableShape, at: number): void {
    const { kvHeads, headWidth } = this.#architecture;
    for (let group = 0; group < kvHeads; group++, from += rows * headWidth * 4) {
      const numbers = tables[kind].numbers + group * shape.numbers;
      const scales = tables[kind].scales + group * shape.scales;
      if (kind === 'keys') {
        const [to, toScales] = [numbers + at * headWidth * 2, scales + at * 4];
        this.#operations.quantise(from, rows * headWidth, headWidth, MAX_NUMBER, to, toScales);
      } else {
        this.#operations.interleave(from, rows, headWidth, at, MAX_NUMBER, numbers, scales);
      }
    }
  }

  /** Puts a thought where the layers read it, unless it is there. */
  #read(z: Float32Array): void {
    if (this.#z === z) return;
    let from = 0;
    this.#acts = this.#layout.layers.slice(this.#architecture.trunkLayers).map(({ map }) => {
      const part = z.subarray(from, (from += (map?.count ?? 0) * this.#architecture.width));
      if (map) this.#floats.set(part, map.thought / 4);
      return part.some((value) => value !== 0);
    });
    this.#z = z;
  }

  #multiply(x: number, rows: number, matrix: PlacedMatrix, out: number, add: boolean): void {
    const { quantised, scales } = this.#layout;
    const { inputs, outputs, weights, bits, factors } = matrix;
    this.#operations.quantise(x, rows * inputs, BLOCK, MAX_STATE, quantised, scales);
    this.#operations.multiply(quantised, scales, rows, inputs, weights, bits, factors, outputs, out, add);
  }

  #embed(token: number, to: number): void {
    const { weights, bits, factors, inputs } = this.#layout.embedding;
    const start = (weights * 8) / bits;
    for (let i = 0; i < inputs; i++) {
      const at = token * inputs + i;
      const factor = this.#floats[factors / 4 + Math.floor(at / BLOCK)] as number;
      this.#floats[to + i] = (this.#whole[bits][start + at] as number) * factor;
    }
  }

  /** Where the copy of a cache is; what it lacks is copied now. The one that was used longest ago gives way. */
  #slot(graph: 'trunk' | 'top', cache: KeyValueCache): Slot {
    const slots = this.#slots[graph];
    const slot: Slot = slots.find((one) => one.cache === cache) ?? (slots.at(-1) as Slot);
    if (slot.cache !== cache) {
      if (slot.cache) slot.cache.mirror = undefined;
      slot.cache = cache;
      slot.length = 0;
      cache.mirror = slot;
    }
    slots.splice(slots.indexOf(slot), 1);
    slots.unshift(slot);
    this.#copy(cache, slot);
    slot.length = cache.length;
    return slot;
  }

  /** Takes over what a slot lacks of a cache. */
  #copy(cache: KeyValueCache, slot: Slot): void {
    const [from, rows] = [slot.length, cache.length - slot.length];
    if (rows === 0) return;
    const { staged, tokens } = this.#layout;
    const { kvHeads, headWidth } = this.#architecture;
    for (let table = 0; table < cache.tables.length; table++) {
      for (let group = 0; group < kvHeads; group++) {
        const to = staged / 4 + group * rows * headWidth;
        this.#floats.set(cache.rows(table, group, from, cache.length), to);
      }
      const tables = tokens.at(slot.at, table >> 1);
      this.#put(table % 2 === 0 ? 'keys' : 'values', staged, rows, tables, tokens, from);
    }
  }

  /** Gives a cache the keys and values of a run's tokens. */
  #keep(slot: Slot, cache: KeyValueCache, tokens: number): void {
    const from = cache.length;
    cache.reserve(tokens);
    const size = tokens * this.#architecture.headWidth;
    for (let table = 0; table < cache.tables.length; table++) {
      for (let group = 0; group < this.#architecture.kvHeads; group++) {
        const at = this.#fresh(table, group, tokens) / 4;
        cache.rows(table, group, from, from + tokens).set(this.#floats.subarray(at, at + size));
      }
    }
    cache.advance(tokens, cache.tables, (rows) => NumericalError.check(rows, 'keys and values'));
    slot.length = cache.length;
  }

  /** Where a run of so many rows leaves the keys (even tables) or values of a group, [rows, headWidth]. */
  #fresh(table: number, group: number, rows: number): number {
    const { kvHeads, headWidth } = this.#architecture;
    return this.#layout.fresh + (table * kvHeads + group) * rows * headWidth * 4;
  }

  /** Cosines and sines of all positions, in the precision in which the graphs compute them. */
  #rotations(base: number): void {
    const { headWidth } = this.#architecture;
    const { cosines, sines, tokens } = this.#layout;
    const { capacity } = tokens;
    const half = headWidth / 2;
    for (let i = 0; i < half; i++) {
      const frequency = Math.fround(base ** -(i / half));
      for (let position = 0; position < capacity; position++) {
        const angle = Math.fround(position * frequency);
        this.#floats[cosines / 4 + position * half + i] = Math.cos(angle);
        this.#floats[sines / 4 + position * half + i] = Math.sin(angle);
      }
    }
  }
}

/** A place for the copy of one cache. */
interface Slot extends Mirror {
  readonly at: number;
  cache?: KeyValueCache;
}

function slotsOf(places: readonly number[]): Slot[] {
  return places.map((at) => ({ at, length: 0 }));
}
