/** What is used of yazl, which brings no types. */
declare module 'yazl' {
  import type { Readable } from 'node:stream';

  export class ZipFile {
    readonly outputStream: Readable;
    addBuffer(content: Buffer, name: string): void;
    end(): void;
  }
}
