import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { messageOf, UserError } from './errors';
import type { GraphPaths } from './bundle';
import type { Manifest } from './manifest';
import { fields, packed, type Field } from './protobuf';

/** Operators that ONNX Runtime brings along; every other domain names code that somebody else would have to load. */
const DOMAINS = new Set(['', 'ai.onnx', 'com.microsoft']);

/** Operators of those domains that open files of their own. */
const READS_FILES = new Set(['EPContext']);

/** Graphs within graphs, and whatever lies between, at most. */
const MAX_DEPTH = 50;

/** The messages of onnx.proto in which operators and tensors lie, and in which fields. What is not named here holds neither. */
const MESSAGES = {
  model: { 7: 'graph', 8: 'operatorSet', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparseTensor' },
  training: { 1: 'graph', 2: 'graph' },
  function: { 7: 'node', 9: 'operatorSet', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparseTensor', 23: 'sparseTensor' },
  sparseTensor: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
  operatorSet: {},
} as const satisfies Record<string, Record<number, string>>;

type Kind = keyof typeof MESSAGES;

/** Numbers of the fields that are judged, and of a tensor's entries about data outside. */
const FIELD = {
  node: { operator: 4, domain: 7 },
  operatorSet: { domain: 1 },
  tensor: { dimensions: 1, name: 8, external: 13, place: 14 },
} as const satisfies Partial<Record<Kind, Record<string, number>>>;
const ENTRY = { key: 1, value: 2 } as const;

/** Dimensions of a tensor at most. */
const MAX_RANK = 32;

/** The graphs of a bundle; the last one only where its decoder reads a thought. */
const GRAPHS = ['trunk', 'top', 'evidence'] as const;
export type GraphName = (typeof GRAPHS)[number];

/** Where a graph's weights are. */
export interface Weights {
  /** Relative to the graph's folder, with slashes. */
  readonly location: string;
  readonly bytes: number;
}

/**
 * Reads a bundle's graphs before ONNX Runtime does: they may use its own operators only, and no data but the bundle's
 * weights file and what lies in the graph itself.
 * @param paths of the graphs, which have been checked against the manifest
 * @throws UserError in one line: file, what is wrong in it, remedy
 */
export async function checkGraphs(paths: GraphPaths, manifest: Manifest): Promise<void> {
  const { bytes } = manifest.files.weights;
  for (const name of GRAPHS) {
    const path = paths[name];
    if (path === undefined) continue;
    checkGraph(await readFile(path), path, { location: weightsLocation(manifest, name), bytes });
  }
}

/** How a graph must name the weights file: relative to its own folder, with slashes. */
export function weightsLocation({ files }: Manifest, graph: GraphName): string {
  return posix.relative(posix.dirname(slashes(files[graph]?.path ?? '')), slashes(files.weights.path));
}

/** The same for the bytes of one graph. */
export function checkGraph(bytes: Uint8Array, file: string, weights: Weights): void {
  try {
    check('model', bytes, weights, 0);
  } catch (error) {
    throw new UserError(`${file}: ${messageOf(error)}; install the model again`);
  }
}

function check(kind: Kind, message: Uint8Array, weights: Weights, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`graphs are nested deeper than ${MAX_DEPTH}`);
  const within: Record<number, Kind | undefined> = MESSAGES[kind];
  const judged = new Set<number>(kind in FIELD ? Object.values(FIELD[kind as keyof typeof FIELD]) : []);
  const own: Field[] = [];
  for (const field of fields(message)) {
    const inner = within[field.number];
    if (inner !== undefined && 'bytes' in field) check(inner, field.bytes, weights, depth + 1);
    else if (judged.has(field.number)) own.push(field);
  }
  if (kind === 'node') checkNode(own);
  if (kind === 'operatorSet') checkDomain(texts(own, FIELD.operatorSet.domain), 'opset_import');
  if (kind === 'tensor') checkTensor(own, message.length, weights);
}

function checkNode(node: readonly Field[]): void {
  const operator = texts(node, FIELD.node.operator).at(-1) ?? '';
  checkDomain(texts(node, FIELD.node.domain), `operator ${shown(operator)}`);
  if (READS_FILES.has(operator)) throw new Error(`operator ${shown(operator)} reads files of its own`);
}

function checkDomain(domains: readonly string[], of: string): void {
  const foreign = domains.find((domain) => !DOMAINS.has(domain));
  if (foreign !== undefined) throw new Error(`${of} is of the foreign domain ${shown(foreign)}`);
}

/** @param size bytes of the tensor's message */
function checkTensor(tensor: readonly Field[], size: number, weights: Weights): void {
  const name = `tensor ${shown(texts(tensor, FIELD.tensor.name).at(-1) ?? '')}`;
  const external = new Map(messages(tensor, FIELD.tensor.external).map(entry));
  const outside = tensor.some((field) => field.number === FIELD.tensor.place && 'value' in field && field.value !== 0n);
  const available = external.size > 0 || outside ? externalBytes(name, external, weights) : size;
  // The smallest elements take half a byte.
  const shape = dimensions(tensor);
  if (shape.length > MAX_RANK) throw new Error(`${name} has ${shape.length} dimensions`);
  const elements = shape.reduce((product, dimension) => product * dimension, 1n);
  if (elements > 2n * BigInt(available)) {
    throw new Error(`${name} claims ${elements} elements in ${available} bytes`);
  }
}

function externalBytes(name: string, external: ReadonlyMap<string, string>, weights: Weights): number {
  const location = external.get('location');
  if (location !== weights.location) {
    throw new Error(`${name} lies in ${shown(location ?? '')} instead of ${weights.location}`);
  }
  const offset = whole(external.get('offset') ?? '0');
  const length = whole(external.get('length') ?? String(weights.bytes - offset));
  // Also refuses what is no number.
  if (!(offset + length <= weights.bytes)) throw new Error(`${name} lies beyond the end of ${weights.location}`);
  return length;
}

function whole(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}

function dimensions(tensor: readonly Field[]): bigint[] {
  return tensor
    .filter(({ number }) => number === FIELD.tensor.dimensions)
    .flatMap((field) => ('bytes' in field ? [...packed(field.bytes)] : [field.value]));
}

function entry(message: Uint8Array): [key: string, value: string] {
  const pair = [...fields(message)];
  return [texts(pair, ENTRY.key).at(-1) ?? '', texts(pair, ENTRY.value).at(-1) ?? ''];
}

function texts(from: readonly Field[], number: number): string[] {
  return messages(from, number).map((bytes) => Buffer.from(bytes).toString('utf8'));
}

function messages(from: readonly Field[], number: number): Uint8Array[] {
  return from.flatMap((field) => (field.number === number && 'bytes' in field ? [field.bytes] : []));
}

/** A text out of a foreign file, so that it stays one short line. */
function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function slashes(path: string): string {
  return path.replaceAll('\\', '/');
}
