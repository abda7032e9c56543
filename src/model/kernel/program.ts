import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `kernel/operations.ts` exports. Pointers are byte addresses of the memory. */
export interface Operations {
  quantise(x: number, count: number, block: number, largest: number, q: number, scales: number): void;
  interleave(x: number, rows: number, width: number, at: number, largest: number, table: number, scales: number): void;
  multiply(
    q: number,
    scales: number,
    rows: number,
    n: number,
    weights: number,
    bits: 8 | 16,
    factors: number,
    outputs: number,
    out: number,
    add: boolean,
  ): void;
  normalise(x: number, rows: number, n: number, weight: number, epsilon: number, out: number): void;
  place(
    from: number,
    stride: number,
    rows: number,
    heads: number,
    width: number,
    cosines: number,
    sines: number,
    to: number,
    toRow: number,
    toHead: number,
  ): void;
  attend(
    q: number,
    scales: number,
    rows: number,
    heads: number,
    groups: number,
    width: number,
    keys: number,
    keyScales: number,
    values: number,
    valueScales: number,
    capacity: number,
    seen: number,
    scratch: number,
    out: number,
  ): void;
  gate(x: number, rows: number, n: number, out: number): void;
  think(
    x: number,
    rows: number,
    n: number,
    features: number,
    means: number,
    count: number,
    z: number,
    out: number,
  ): void;
  products(x: number, rows: number, count: number, n: number, out: number): void;
}

/** The operations over a memory of their own, which does not grow, so that views of it stay valid. */
export interface Program {
  readonly operations: Operations;
  readonly memory: ArrayBuffer;
}

const PAGE = 1 << 16;

/** What is used of the global that every supported Node.js has, and no library of ours declares. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  instantiate(bytes: Uint8Array, imports: object): Promise<{ readonly instance: { readonly exports: unknown } }>;
};

/** @param bytes of memory that are needed @throws Error where the engine cannot compile it, or has not that much */
export async function loadProgram(bytes: number): Promise<Program> {
  const pages = Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { instance } = await WebAssembly.instantiate(await readFile(programPath()), { env: { memory } });
  return { operations: instance.exports as Operations, memory: memory.buffer };
}

/** Beside a bundled program; from the sources, where the build put it. */
function programPath(): string {
  const beside = join(__dirname, 'kernel.wasm');
  return existsSync(beside) ? beside : join(__dirname, '../../../dist/kernel.wasm');
}
