import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { providerOf, type Provider } from './executionProviders';
import type { Runtime } from './runtime';

/**
 * What an execution provider needs and this machine visibly lacks, in one line. Asked before the provider is opened:
 * some of them complain on standard error by themselves, where nobody can make sense of it.
 */
export function missingRequirement(runtime: Runtime, provider: Provider): string | undefined {
  if (!runtime.listSupportedBackends().some(({ name }) => name === provider)) {
    return `ONNX Runtime for ${process.platform}-${process.arch} is built without it`;
  }
  const { library } = providerOf(provider);
  if (!library || process.platform !== 'linux') return undefined;
  const folders = library.from === 'runtime' ? [bindingFolder()] : libraryFolders();
  return folders.some((folder) => existsSync(join(folder, library.name))) ? undefined : library.missing;
}

function bindingFolder(): string {
  const entry = require.resolve('onnxruntime-node');
  return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

function libraryFolders(): string[] {
  const multiarch = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const system = ['/usr/lib', '/usr/lib64', '/lib', '/lib64', '/usr/local/lib'];
  const named = (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return [...named, ...system, ...system.map((folder) => join(folder, multiarch))];
}
