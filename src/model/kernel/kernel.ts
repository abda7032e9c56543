import type { Bundle } from '../bundle';
import type { KeyValueCache, Mirror } from '../cache';
import type { Manifest } from '../manifest';
import { NumericalError } from '../errors';
import { Layout, MOST_TOKENS, type PlacedLayer, type PlacedMatrix } from './layout';
import { BLOCK } from './matrix';
import { loadProgram, type Operations, type Program } from './program';
import { readWeights } from './weights';

/**
 * The decoder for runs of a few tokens, on the processor: the same function as `trunk.onnx` and `top.onnx`, computed by
 * WebAssembly from weights of as many bits as they are stored in. A run of one token waits for little but its weights, so
 * reading a quarter or half of the bytes, and starting six operations a layer in place of fifty, is what counts.
 *
 * States are rounded to 16 bits a block of 32 before each product, and weights of 16 bits to 14, so results agree with
 * those of float32 to about 10⁻⁴ of their size. They do not depend on how many tokens a run has.
 */
export class Kernel {
  readonly #operations: Operations;
  readonly #floats: Float32Array;
  readonly #whole: { readonly 8: Int8Array; readonly 16: Int16Array };
  readonly #architecture: Manifest['architecture'];
  readonly #epsilon: number;
  readonly #layout: Layout;
  readonly #slots: Record<'trunk' | 'top', Slot[]>;

  private constructor({ operations, memory }: Program, manifest: Manifest, layout: Layout) {
    this.#operations = operations;
    this.#floats = new Float32Array(memory);
    this.#whole = { 8: new Int8Array(memory), 16: new Int16Array(memory) };
    this.#architecture = manifest.architecture;
    this.#epsilon = manifest.architecture.normEpsilon ?? 0;
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
    return cache.batch === 1 && tokens <= MOST_TOKENS && cache.length + tokens <= this.#layout.room;
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
   * @param z [top layers, thought vectors, width]
   * @param logitCount for how many of the last positions logits are wanted, 1 to S
   * @param cache as for the trunk
   * @returns logits, [logit count, vocabulary]
   */
  top(states: Float32Array, z: Float32Array, logitCount: number, cache: KeyValueCache): Float32Array {
    const { width, layers, trunkLayers, vocabulary } = this.#architecture;
    const { states: x, normed, wide } = this.#layout;
    const rows = states.length / width;
    const slot = this.#slot('top', cache);
    this.#read(z, slot);
    this.#floats.set(states, x / 4);
    for (let i = trunkLayers; i < layers; i++) this.#layer(i, slot, i - trunkLayers, rows, cache.length);
    const last = x + (rows - logitCount) * width * 4;
    this.#operations.normalise(last, logitCount, width, this.#layout.finalNorm, this.#epsilon, normed);
    this.#multiply(normed, logitCount, this.#layout.head, wide, false);
    const logits = this.#floats.slice(wide / 4, wide / 4 + logitCount * vocabulary);
    NumericalError.check(logits, 'logits');
    this.#keep(slot, cache, rows);
    return logits;
  }

  /** Layer `i` of the decoder over the states; its keys and values are those of layer `at` of the slot. */
  #layer(i: number, slot: Slot, at: number, rows: number, past: number): void {
    const { width, heads, kvHeads, headWidth, thoughtVectors } = this.#architecture;
    const { states, normed, wide, queries, attended, scores, room, cosines, sines, tables } = this.#layout;
    const { norms, matrices, thought } = this.#layout.layers[i] as PlacedLayer;
    const operations = this.#operations;
    const [head, turn] = [headWidth * 4, past * headWidth * 2];
    const stride = (heads + 2 * kvHeads) * head;
    const keys = slot.at + 2 * at * tables;
    const values = keys + tables;

    operations.normalise(states, rows, width, norms.attention, this.#epsilon, normed);
    this.#multiply(normed, rows, matrices.queryKeyValue, wide, false);
    const turned = [cosines + turn, sines + turn] as const;
    operations.place(wide, stride, rows, heads, headWidth, ...turned, queries, heads * head, head);
    const [key, value] = [wide + heads * head, wide + (heads + kvHeads) * head];
    operations.place(key, stride, rows, kvHeads, headWidth, ...turned, keys + past * head, head, room * head);
    operations.place(value, stride, rows, kvHeads, headWidth, 0, 0, values + past * head, head, room * head);
    const shape = [rows, heads, kvHeads, headWidth] as const;
    operations.attend(queries, ...shape, keys, values, room, past + 1, 1, scores, attended);
    this.#multiply(attended, rows, matrices.output, states, true);

    if (thought) {
      const [thoughtKeys, thoughtValues] = this.#thoughtTables(slot, at);
      operations.normalise(states, rows, width, thought.norm, this.#epsilon, normed);
      this.#multiply(normed, rows, thought.matrices.query, queries, false);
      const seen = [thoughtKeys, thoughtValues, thoughtVectors, thoughtVectors, 0] as const;
      operations.attend(queries, ...shape, ...seen, scores, attended);
      this.#multiply(attended, rows, thought.matrices.output, states, true);
    }

    operations.normalise(states, rows, width, norms.mlp, this.#epsilon, normed);
    this.#multiply(normed, rows, matrices.gateUp, wide, false);
    operations.gate(wide, rows, matrices.down.inputs, attended);
    this.#multiply(attended, rows, matrices.down, states, true);
  }

  /** Keys and values of a thought, unless they are in the slot: they are the same for every token. */
  #read(z: Float32Array, slot: Slot): void {
    if (slot.z && equal(slot.z, z)) return;
    const { width, kvHeads, headWidth, thoughtVectors } = this.#architecture;
    const { normed, wide } = this.#layout;
    const head = headWidth * 4;
    this.#layout.layers.forEach(({ thought }, i) => {
      if (!thought) return;
      const at = i - this.#architecture.trunkLayers;
      const [keys, values] = this.#thoughtTables(slot, at);
      const size = thoughtVectors * width;
      this.#floats.set(z.subarray(at * size, (at + 1) * size), normed / 4);
      this.#multiply(normed, thoughtVectors, thought.matrices.keyValue, wide, false);
      const shape = [2 * kvHeads * head, thoughtVectors, kvHeads, headWidth, 0, 0] as const;
      this.#operations.place(wide, ...shape, keys, head, thoughtVectors * head);
      this.#operations.place(wide + kvHeads * head, ...shape, values, head, thoughtVectors * head);
    });
    slot.z = z.slice();
  }

  #thoughtTables(slot: Slot, layer: number): [keys: number, values: number] {
    const { thoughts, thoughtTables } = this.#layout;
    const keys = slot.at + thoughts + 2 * layer * thoughtTables;
    return [keys, keys + thoughtTables];
  }

  #multiply(x: number, rows: number, matrix: PlacedMatrix, out: number, add: boolean): void {
    const { quantised, scales } = this.#layout;
    const { inputs, outputs, weights, bits, factors } = matrix;
    this.#operations.quantise(x, rows, inputs, quantised, scales);
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
    const from = slot.length;
    this.#eachHead(slot, cache, from, cache.length, (own, its) => own.set(its));
    slot.length = cache.length;
    return slot;
  }

  /** Gives a cache what a run has left in its copy. */
  #keep(slot: Slot, cache: KeyValueCache, tokens: number): void {
    const from = cache.length;
    cache.reserve(tokens);
    this.#eachHead(slot, cache, from, from + tokens, (own, its) => its.set(own));
    cache.advance(tokens, cache.tables, (rows) => NumericalError.check(rows, 'keys and values'));
    slot.length = cache.length;
  }

  #eachHead(
    slot: Slot,
    cache: KeyValueCache,
    from: number,
    to: number,
    act: (own: Float32Array, its: Float32Array) => void,
  ): void {
    if (from === to) return;
    const { headWidth, kvHeads } = this.#architecture;
    const { room, tables } = this.#layout;
    for (let table = 0; table < cache.tables.length; table++) {
      for (let head = 0; head < kvHeads; head++) {
        const start = (slot.at + table * tables) / 4 + head * room * headWidth;
        act(this.#floats.subarray(start + from * headWidth, start + to * headWidth), cache.rows(table, head, from, to));
      }
    }
  }

  /** Cosines and sines of all positions, in the precision in which the graphs compute them. */
  #rotations(base: number): void {
    const { headWidth } = this.#architecture;
    const { cosines, sines, room } = this.#layout;
    const half = headWidth / 2;
    for (let i = 0; i < half; i++) {
      const frequency = Math.fround(base ** -(i / half));
      for (let position = 0; position < room; position++) {
        const angle = Math.fround(position * frequency);
        this.#floats[cosines / 4 + position * half + i] = Math.cos(angle);
        this.#floats[sines / 4 + position * half + i] = Math.sin(angle);
      }
    }
  }
}

/** A place for the copy of one cache, and for the keys and values of its thought. */
interface Slot extends Mirror {
  readonly at: number;
  cache?: KeyValueCache;
  z?: Float32Array;
}

function slotsOf(places: readonly number[]): Slot[] {
  return places.map((at) => ({ at, length: 0 }));
}

function equal(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
