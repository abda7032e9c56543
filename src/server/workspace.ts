import { fileURLToPath } from 'node:url';
import type { WorkspaceFolder } from 'vscode-languageserver';
import type { WorkspaceSpec } from '../inference/messages';
import { endingsOf } from '../languages';
import { mayMatter } from '../workspace/rules';
import { pathOf } from './documents';

/** Changes on disk are told together when none has come for this long, in milliseconds. */
const QUIET_MS = 500;

/** However fast they come, changes are told after this long. */
const MAX_MS = 5_000;

/** Something changed on disk. */
export interface Touched {
  readonly uri: string;
  readonly deleted: boolean;
}

/** What the workspace needs of the language client, of the inference process and of the settings. */
export interface WorkspaceHost {
  /** Whether a language is on; undefined while nothing of the workspace is to be known. */
  wanted(): { readonly languages: (language: string) => boolean } | undefined;
  /** What `files.exclude` and `thoughtline.exclude` say of a folder. */
  excluded(uri: string): Promise<unknown>;
  tell(spec: WorkspaceSpec): void;
  changed(paths: readonly string[]): void;
  /** Asks the client to tell about changes of files of these endings. */
  watch(endings: readonly string[]): Promise<void>;
  log(line: string): void;
}

/** The folders of the workspace, from the language client to the inference process. */
export class Workspace {
  readonly #host: WorkspaceHost;
  #folders: readonly WorkspaceFolder[] = [];
  #storage: string | undefined;
  /** What the inference process was told last, as text. */
  #told = '';
  #watched = '';
  /** Folders that cannot be read, each told once. */
  readonly #refused = new Set<string>();
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** When the changes that wait are told at the latest. */
  #latest: number | undefined;

  constructor(host: WorkspaceHost) {
    this.#host = host;
  }

  /** @param storage folder of this workspace alone, in which its files may be kept between sessions */
  open(folders: readonly WorkspaceFolder[], storage: string | undefined): void {
    this.#folders = folders;
    this.#storage = storage;
  }

  folders({ added, removed }: { added: readonly WorkspaceFolder[]; removed: readonly WorkspaceFolder[] }): void {
    const left = this.#folders.filter(({ uri }) => !removed.some((folder) => folder.uri === uri));
    this.#folders = [...left, ...added];
    void this.apply();
  }

  /** A new inference process, which knows nothing yet. */
  renew(): void {
    this.#told = '';
    void this.apply();
  }

  /** Makes the settings true; what the inference process knows already is not told again. Never rejects. */
  apply(): Promise<void> {
    return this.#apply().catch((error: unknown) => this.#host.log(`workspace: ${String(error)}`));
  }

  async #apply(): Promise<void> {
    const spec = await this.#spec();
    const text = JSON.stringify(spec);
    // Nothing has been told, and there is nothing to tell, not even that what is on disk is to go.
    if (text === this.#told || (spec.folders.length === 0 && spec.storage === undefined && this.#told === '')) return;
    this.#told = text;
    this.#host.tell(spec);
    const watched = spec.endings.join();
    if (spec.folders.length === 0 || watched === this.#watched) return;
    this.#watched = watched;
    await this.#host.watch(spec.endings).catch(() => undefined);
  }

  /** The path of a document within the folder of the workspace that holds it; its whole path where none does. */
  inside(uri: string): string {
    const path = pathOf(uri);
    const folder = this.#folders.map((each) => `${nameOf(each.uri)}/`).find((name) => path.startsWith(name));
    return path.slice(folder?.length ?? 0);
  }

  /** Files changed on disk. What cannot matter by its name is heard of nowhere else. */
  touched(events: readonly Touched[]): void {
    const wanted = this.#host.wanted();
    if (wanted === undefined) return;
    const endings = new Set(endingsOf(wanted.languages));
    const names = this.#folders.map(({ uri }) => `${nameOf(uri)}/`);
    for (const { uri, deleted } of events) {
      const path = pathOf(uri);
      const folder = names.find((name) => path.startsWith(name));
      if (folder !== undefined && mayMatter(path.slice(folder.length), deleted, endings)) this.#changed.add(path);
    }
    if (this.#changed.size === 0) return;
    const now = performance.now();
    const latest = (this.#latest ??= now + MAX_MS);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tellChanged(), Math.min(QUIET_MS, latest - now)).unref();
  }

  #tellChanged(): void {
    const paths = [...this.#changed];
    this.#changed.clear();
    this.#latest = undefined;
    // What is ignored may be another file from now on, so all are looked for.
    if (paths.some((path) => path.endsWith('/.gitignore'))) this.renew();
    else this.#host.changed(paths);
  }

  async #spec(): Promise<WorkspaceSpec> {
    const wanted = this.#host.wanted();
    const storage = this.#storage;
    if (!wanted) return { folders: [], endings: [], storage };
    // Folders behind a virtual file system are not on this machine's disk.
    const local = this.#folders.filter(({ uri }) => uri.startsWith('file:'));
    const folders = await Promise.all(
      local.flatMap(({ uri }) => {
        const directory = this.#directoryOf(uri);
        return directory === undefined ? [] : [this.#folderOf(uri, directory)];
      }),
    );
    return { folders, endings: endingsOf(wanted.languages), storage };
  }

  async #folderOf(uri: string, directory: string): Promise<WorkspaceSpec['folders'][number]> {
    const excluded = await this.#host.excluded(uri).catch(() => undefined);
    return { directory, name: nameOf(uri), excluded };
  }

  /** Where a folder is on disk; undefined where its address says no such place, which is told once. */
  #directoryOf(uri: string): string | undefined {
    try {
      return fileURLToPath(uri);
    } catch (error) {
      if (!this.#refused.has(uri)) this.#host.log(`${uri} is left out of the workspace: ${(error as Error).message}`);
      this.#refused.add(uri);
      return undefined;
    }
  }
}

/** What the paths of a folder's files begin with. */
function nameOf(uri: string): string {
  return pathOf(uri).replace(/\/$/, '');
}
