/**
 * Packs the extension and installs it once for all windows of the editor's suite; test/run.mjs runs it before the tests.
 *   node --import=tsx test/editor/prepare.ts FOLDER
 * FOLDER/thoughtline.vsix, and FOLDER/extensions where code-server is the editor.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ownTarget, packExtension } from '../../scripts/package';
import { installCodeServer } from './code-server/install';
import { editorKind, installExtensions } from './launch';

async function prepare(folder: string): Promise<void> {
  const vsix = await packExtension({
    target: ownTarget(),
    models: ['nano'],
    out: join(folder, 'thoughtline.vsix'),
  });
  if (editorKind() !== 'code-server') return;
  const installation = await installCodeServer((line) => process.stderr.write(`${line}\n`));
  const extensions = join(folder, 'extensions');
  const scratch = join(folder, 'installing');
  await mkdir(scratch);
  const places = { userData: join(scratch, 'user-data'), config: join(scratch, 'code-server.yaml') };
  await installExtensions(installation, { ...places, extensions, extensionFiles: [vsix] });
  await rm(scratch, { recursive: true, force: true });
}

prepare(process.argv[2]!).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
