import type { Attribute, ElementType, Graph, Initializer, Node, Value } from './onnx';

/** Collects nodes, inputs, outputs and constants of a graph. Every method that adds something returns its name. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #initializers = new Map<string, Initializer>();

  constructor(readonly name: string) {}

  input(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  output(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.#outputs.push({ name, type, shape });
    return name;
  }

  /** A constant in the weights file; adding it again under the same name does nothing. */
  constant(tensor: Initializer): string {
    this.#initializers.set(tensor.name, tensor);
    return tensor.name;
  }

  /** A few whole numbers in the graph itself: a list, or, given one number, a scalar. */
  integers(value: number | readonly number[], type: 'int32' | 'int64' = 'int64'): string {
    const list = typeof value === 'number' ? [value] : value;
    const shape = typeof value === 'number' ? [] : [list.length];
    const name = `${type}_${shape.length === 0 ? 'scalar' : 'list'}_${list.join('_')}`;
    const data = type === 'int32' ? Int32Array.from(list) : BigInt64Array.from(list, BigInt);
    return this.constant({ name, type, shape, data: new Uint8Array(data.buffer) });
  }

  /** A real number in the graph itself. */
  number(value: number): string {
    const name = `float32_scalar_${value}`;
    return this.constant({ name, type: 'float32', shape: [], data: new Uint8Array(Float32Array.of(value).buffer) });
  }

  /**
   * A node with one output that is used.
   * @param output its name
   * @param before empty outputs before it, which the operator has and nobody uses
   */
  add(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: Node['domain'] = '',
  ): string {
    this.addMany(operator, inputs, [output], attributes, domain);
    return output;
  }

  addMany(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: Node['domain'] = '',
  ): void {
    this.#nodes.push({ operator, inputs, outputs, attributes, domain });
  }

  build(properties: Readonly<Record<string, string>> = {}): Graph {
    return {
      name: this.name,
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: [...this.#initializers.values()],
      properties,
    };
  }
}
