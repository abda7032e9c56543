import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { Initializer } from './onnx';

/** Tensors begin at multiples of this many bytes: what vector instructions like. */
const ALIGNMENT = 64;

/** The weights file of a bundle while it is written: one tensor after the other, with the sum of all of it. */
export class WeightsFile {
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #length = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<WeightsFile> {
    return new WeightsFile(await open(path, 'wx'));
  }

  /** Appends a tensor whose bytes come in parts. */
  async append(
    name: string,
    type: Initializer['type'],
    shape: readonly number[],
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<Initializer> {
    await this.#write(new Uint8Array((ALIGNMENT - (this.#length % ALIGNMENT)) % ALIGNMENT));
    const offset = this.#length;
    for await (const part of parts) await this.#write(part);
    return { name, type, shape, data: { offset, bytes: this.#length - offset } };
  }

  /** Ends the file. @returns its size and SHA-256 */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    await this.#file.sync();
    await this.#file.close();
    return { bytes: this.#length, sha256: this.#hash.digest('hex') };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length;) {
      done += (await this.#file.write(bytes, done, bytes.length - done)).bytesWritten;
    }
    this.#length += bytes.length;
  }
}

/** The bytes of an array of numbers. */
export function bytesOf(numbers: Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
