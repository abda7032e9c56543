import protobuf from 'protobufjs/minimal';

/** Element types of tensors, by the numbers of onnx.proto. */
const ELEMENT = { float32: 1, uint8: 2, int32: 6, int64: 7 } as const;

export type ElementType = keyof typeof ELEMENT;

/** A constant of a graph: its bytes lie in the bundle's weights file, or, if there are few, in the graph itself. */
export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | { readonly offset: number; readonly bytes: number };
}

/** An input or output of a graph; a dimension is a number, or a name where it varies. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

/** Whole numbers, or real ones; ONNX tells them apart. */
export type Attribute = { readonly int: number } | { readonly float: number } | { readonly ints: readonly number[] };

export interface Node {
  readonly operator: string;
  /** An empty name stands for an optional input that is not given. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Empty: ONNX's own operators. */
  readonly domain: '' | 'com.microsoft';
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: readonly Initializer[];
  /** Shown by tools that draw graphs. */
  readonly properties: Readonly<Record<string, string>>;
}

const IR_VERSION = 10;
const OPERATOR_SETS = { '': 21, 'com.microsoft': 1 } as const;

/** A field with its wire type, as protobuf's tag. */
const tag = (field: number, wire: 0 | 2 | 5) => (field << 3) | wire;

/**
 * An ONNX model (onnx.proto, ModelProto) in bytes.
 * @param location name of the weights file, relative to the graph
 */
export function encodeModel(graph: Graph, location: string, producer: string): Uint8Array {
  const model = protobuf.Writer.create();
  model.uint32(tag(1, 0)).int64(IR_VERSION);
  model.uint32(tag(2, 2)).string(producer);
  message(model, 7, (writer) => writeGraph(writer, graph, location));
  for (const [domain, version] of Object.entries(OPERATOR_SETS)) {
    message(model, 8, (writer) => writer.uint32(tag(1, 2)).string(domain).uint32(tag(2, 0)).int64(version));
  }
  for (const [key, value] of Object.entries(graph.properties)) entry(model, 14, key, value);
  return model.finish();
}

function writeGraph(writer: protobuf.Writer, graph: Graph, location: string): void {
  for (const node of graph.nodes) message(writer, 1, (inner) => writeNode(inner, node));
  writer.uint32(tag(2, 2)).string(graph.name);
  for (const tensor of graph.initializers) message(writer, 5, (inner) => writeTensor(inner, tensor, location));
  for (const value of graph.inputs) message(writer, 11, (inner) => writeValue(inner, value));
  for (const value of graph.outputs) message(writer, 12, (inner) => writeValue(inner, value));
}

function writeNode(writer: protobuf.Writer, { operator, inputs, outputs, domain, attributes }: Node): void {
  for (const input of inputs) writer.uint32(tag(1, 2)).string(input);
  for (const output of outputs) writer.uint32(tag(2, 2)).string(output);
  writer.uint32(tag(3, 2)).string(outputs[0] ?? operator);
  writer.uint32(tag(4, 2)).string(operator);
  for (const [name, value] of Object.entries(attributes)) {
    message(writer, 5, (inner) => writeAttribute(inner, name, value));
  }
  if (domain !== '') writer.uint32(tag(7, 2)).string(domain);
}

function writeAttribute(writer: protobuf.Writer, name: string, value: Attribute): void {
  writer.uint32(tag(1, 2)).string(name);
  const type = (number: number) => writer.uint32(tag(20, 0)).int32(number);
  if ('float' in value) {
    writer.uint32(tag(2, 5)).float(value.float);
    type(1);
  } else if ('int' in value) {
    writer.uint32(tag(3, 0)).int64(value.int);
    type(2);
  } else {
    for (const number of value.ints) writer.uint32(tag(8, 0)).int64(number);
    type(7);
  }
}

function writeTensor(writer: protobuf.Writer, { name, type, shape, data }: Initializer, location: string): void {
  for (const size of shape) writer.uint32(tag(1, 0)).int64(size);
  writer.uint32(tag(2, 0)).int32(ELEMENT[type]);
  writer.uint32(tag(8, 2)).string(name);
  if (data instanceof Uint8Array) {
    writer.uint32(tag(9, 2)).bytes(data);
    return;
  }
  entry(writer, 13, 'location', location);
  entry(writer, 13, 'offset', String(data.offset));
  entry(writer, 13, 'length', String(data.bytes));
  writer.uint32(tag(14, 0)).int32(1);
}

function writeValue(writer: protobuf.Writer, { name, type, shape }: Value): void {
  writer.uint32(tag(1, 2)).string(name);
  message(writer, 2, (typed) =>
    message(typed, 1, (tensor) => {
      tensor.uint32(tag(1, 0)).int32(ELEMENT[type]);
      message(tensor, 2, (sizes) => {
        for (const size of shape) {
          message(sizes, 1, (dimension) => {
            if (typeof size === 'number') dimension.uint32(tag(1, 0)).int64(size);
            else dimension.uint32(tag(2, 2)).string(size);
          });
        }
      });
    }),
  );
}

function entry(writer: protobuf.Writer, field: number, key: string, value: string): void {
  message(writer, field, (inner) => inner.uint32(tag(1, 2)).string(key).uint32(tag(2, 2)).string(value));
}

function message(writer: protobuf.Writer, field: number, write: (inner: protobuf.Writer) => void): void {
  writer.uint32(tag(field, 2)).fork();
  write(writer);
  writer.ldelim();
}
