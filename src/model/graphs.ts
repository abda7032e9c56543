import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { topLayers } from './bundle';
import { NumericalError } from './errors';
import type { Manifest } from './manifest';
import type { Runtime } from './runtime';

/** Keys and values of past tokens of one batch, [tokens, batch, layers, kvHeads, headWidth] each. */
export interface Past {
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** Number of past tokens, P. */
  readonly length: number;
}

export interface TrunkOutput {
  /** [batch, tokens, width] */
  readonly states: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

export interface TopOutput {
  /** [batch, logit count, vocabulary] */
  readonly logits: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

export interface EvidenceOutput {
  /** Σ weight · (−log p(target)), in nats. */
  readonly nll: number;
  /** ∂nll/∂z, [top layers, thought vectors, width] */
  readonly gradient: Float32Array;
}

export const NO_PAST: Past = { k: new Float32Array(0), v: new Float32Array(0), length: 0 };

/**
 * The three graphs of a bundle as functions of typed arrays. Each call is one ONNX Runtime run; a run blocks the event
 * loop while it computes, and lets it turn once before. What is no finite number is thrown, so that no cache keeps it.
 */
export class Graphs {
  readonly #runtime: Runtime;
  readonly #sessions: Sessions;
  readonly #architecture: Manifest['architecture'];
  readonly #layers: number;

  constructor(runtime: Runtime, sessions: Sessions, manifest: Manifest) {
    this.#runtime = runtime;
    this.#sessions = sessions;
    this.#architecture = manifest.architecture;
    this.#layers = topLayers(manifest);
  }

  /** Floats that one token of one batch entry takes in the trunk's keys (and as many in its values). */
  get trunkRow(): number {
    const { trunkLayers, kvHeads, headWidth } = this.#architecture;
    return trunkLayers * kvHeads * headWidth;
  }

  /** The same for the top. */
  get topRow(): number {
    return this.#layers * this.#architecture.kvHeads * this.#architecture.headWidth;
  }

  /** @param tokens [batch, S] */
  async trunk(tokens: readonly number[], batch = 1, past: Past = NO_PAST): Promise<TrunkOutput> {
    const { trunkLayers } = this.#architecture;
    const output = await this.#sessions.trunk.run({
      tokens: this.#integers(tokens, [batch, tokens.length / batch]),
      past_k: this.#past(past.k, past.length, batch, trunkLayers),
      past_v: this.#past(past.v, past.length, batch, trunkLayers),
    });
    return { states: sound(output, 'states'), k: sound(output, 'new_k'), v: sound(output, 'new_v') };
  }

  /**
   * @param states [batch, S, width]
   * @param z [batch, top layers, thought vectors, width]
   * @param logitCount for how many of the last positions logits are wanted, 1 to S
   */
  async top(states: Float32Array, z: Float32Array, logitCount: number, batch = 1, past = NO_PAST): Promise<TopOutput> {
    const { width, thoughtVectors } = this.#architecture;
    const output = await this.#sessions.top.run({
      states: this.#floats(states, [batch, states.length / batch / width, width]),
      past_k: this.#past(past.k, past.length, batch, this.#layers),
      past_v: this.#past(past.v, past.length, batch, this.#layers),
      z: this.#floats(z, [batch, this.#layers, thoughtVectors, width]),
      logit_count: this.#integers([logitCount], [1]),
    });
    return { logits: sound(output, 'logits'), k: sound(output, 'new_k'), v: sound(output, 'new_v') };
  }

  /**
   * NLL of one chunk and its gradient with respect to z. They may be no numbers: whoever takes a step looks at them.
   * @param states trunk states of the chunk, [S, width]
   * @param targets [S] token ids
   * @param weights [S], 1 where the target counts, 0 where not
   * @param z [top layers, thought vectors, width]
   */
  async evidence(
    states: Float32Array,
    targets: readonly number[],
    weights: Float32Array,
    z: Float32Array,
  ): Promise<EvidenceOutput> {
    const { width, thoughtVectors } = this.#architecture;
    const output = await this.#sessions.evidence.run({
      states: this.#floats(states, [1, targets.length, width]),
      targets: this.#integers(targets, [1, targets.length]),
      weights: this.#floats(weights, [1, targets.length]),
      z: this.#floats(z, [this.#layers, thoughtVectors, width]),
    });
    return { nll: floats(output, 'nll')[0] ?? NaN, gradient: floats(output, 'grad') };
  }

  /** Ends profiling; the profiles lie where the sessions were told to write them. */
  endProfiling(): void {
    for (const session of Object.values(this.#sessions)) session.endProfiling();
  }

  async release(): Promise<void> {
    for (const session of Object.values(this.#sessions)) await session.release();
  }

  #past(data: Float32Array, length: number, batch: number, layers: number): Tensor {
    return this.#floats(data, [length, batch, layers, this.#architecture.kvHeads, this.#architecture.headWidth]);
  }

  #floats(data: Float32Array, shape: number[]): Tensor {
    return new this.#runtime.Tensor('float32', data, shape);
  }

  #integers(data: readonly number[], shape: number[]): Tensor {
    return new this.#runtime.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
  }
}

export type Sessions = Record<'trunk' | 'top' | 'evidence', InferenceSession>;

/** @throws NumericalError unless the output is finite */
function sound(output: InferenceSession.ReturnType, name: string): Float32Array {
  return NumericalError.check(floats(output, name), name);
}

function floats(output: InferenceSession.ReturnType, name: string): Float32Array {
  const data = output[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`the graph's output ${name} is not float32`);
  return data;
}
