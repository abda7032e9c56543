import { fields, packed } from './protobuf';

/** A tensor that a graph holds, or refers to. */
export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its bytes, where they lie in the graph itself. */
  readonly raw?: Uint8Array;
  /** Its first byte in the weights file, where they lie there. */
  readonly offset?: number;
}

/** Numbers of the fields of onnx.proto that lead to a tensor, and of its own. */
const MODEL_GRAPH = 7;
const GRAPH_TENSOR = 5;
const TENSOR = { dimensions: 1, name: 8, raw: 9, external: 13 } as const;
const ENTRY = { key: 1, value: 2 } as const;

/**
 * The initialisers of an ONNX model, as `graphCheck.ts` has let them pass.
 * @throws Error where the bytes are not a message
 */
export function* initializers(model: Uint8Array): Generator<Initializer> {
  for (const graph of messages(model, MODEL_GRAPH)) {
    for (const tensor of messages(graph, GRAPH_TENSOR)) yield initializer(tensor);
  }
}

function initializer(tensor: Uint8Array): Initializer {
  let [name, raw, offset]: [string, Uint8Array?, number?] = [''];
  const shape: number[] = [];
  for (const field of fields(tensor)) {
    const { number } = field;
    if (number === TENSOR.dimensions) {
      shape.push(...('bytes' in field ? [...packed(field.bytes)] : [field.value]).map(Number));
    } else if ('bytes' in field) {
      if (number === TENSOR.name) name = text(field.bytes);
      if (number === TENSOR.raw) raw = field.bytes;
      if (number === TENSOR.external) offset = offsetOf(field.bytes) ?? offset;
    }
  }
  return { name, shape, ...(raw && { raw }), ...(offset !== undefined && { offset }) };
}

function offsetOf(entry: Uint8Array): number | undefined {
  const [key, value] = [ENTRY.key, ENTRY.value].map((number) => [...messages(entry, number)].map(text).at(-1));
  return key === 'offset' ? Number(value) : undefined;
}

function* messages(message: Uint8Array, number: number): Generator<Uint8Array> {
  for (const field of fields(message)) if (field.number === number && 'bytes' in field) yield field.bytes;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
