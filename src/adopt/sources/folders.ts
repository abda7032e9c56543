/** Where models lie on a user's machine: Thoughtline's own cache, and those of other programs. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, posix, win32 } from 'node:path';

/** What decides where folders are. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function thisMachine(): Machine {
  return { platform: process.platform, home: homedir(), environment: process.env };
}

/** Thoughtline's cache, for all checkouts: `THOUGHTLINE_CACHE`, else the platform's place for caches. */
export function cacheFolder({ platform, home, environment }: Machine = thisMachine()): string {
  const own = environment['THOUGHTLINE_CACHE'];
  if (own) return own;
  if (platform === 'win32') {
    return win32.join(environment['LOCALAPPDATA'] || win32.join(home, 'AppData', 'Local'), 'thoughtline');
  }
  if (platform === 'darwin') return posix.join(home, 'Library', 'Caches', 'thoughtline');
  return posix.join(environment['XDG_CACHE_HOME'] || posix.join(home, '.cache'), 'thoughtline');
}

/** Folders in which Hugging Face's programs, llama.cpp, LM Studio and Ollama keep models; they need not exist. */
export function modelFolders(machine: Machine = thisMachine()): string[] {
  const { platform, home, environment } = machine;
  const { sep } = platform === 'win32' ? win32 : posix;
  const joined = (...parts: string[]) => parts.join(sep);
  const set = (name: string) => environment[name] || undefined;
  const below = (folder: string | undefined, ...parts: string[]) => folder && joined(folder, ...parts);
  const folders = [
    set('HF_HUB_CACHE'),
    set('HUGGINGFACE_HUB_CACHE'),
    below(set('HF_HOME'), 'hub'),
    below(set('XDG_CACHE_HOME'), 'huggingface', 'hub'),
    joined(home, '.cache', 'huggingface', 'hub'),
    set('LLAMA_CACHE'),
    below(set('XDG_CACHE_HOME'), 'llama.cpp'),
    joined(home, '.cache', 'llama.cpp'),
    platform === 'darwin' && joined(home, 'Library', 'Caches', 'llama.cpp'),
    platform === 'win32' && below(set('LOCALAPPDATA'), 'llama.cpp'),
    below(lmStudioHome(home), 'models'),
    joined(home, '.lmstudio', 'models'),
    joined(home, '.cache', 'lm-studio', 'models'),
    below(set('OLLAMA_MODELS'), 'blobs'),
    joined(home, '.ollama', 'models', 'blobs'),
    platform === 'linux' && '/usr/share/ollama/.ollama/models/blobs',
  ];
  return [...new Set(folders.filter((folder): folder is string => Boolean(folder)))];
}

/** Where LM Studio was moved to, if it was. */
function lmStudioHome(home: string): string | undefined {
  try {
    return readFileSync(join(home, '.lmstudio-home-pointer'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
