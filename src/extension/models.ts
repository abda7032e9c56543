import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ProgressLocation, window, type ExtensionContext, type LogOutputChannel } from 'vscode';
import type { ToAdoption } from '../adopt/messages';
import { ADOPTION_VERSION, bundleIn, isObtained, megabytes } from '../adopt/sources/place';
import { runAdoption, type Adopted } from './adoption';
import { bundleFacts, OWN, ownBundles, type BundleFacts } from './bundles';
import { readSettings, writeSetting } from './settings';
import { t } from './l10n';

/** What the extension tells of `models/coder.json`. */
interface CoderFacts {
  readonly name: string;
  readonly title: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly licence: { readonly spdx: string; readonly copyright: string };
  readonly sources: readonly { readonly kind: string; readonly address?: string }[];
}

/** Models that the user gets, brings, and removes. Nothing is loaded unless the user confirms it. */
export class Models {
  #facts: CoderFacts | undefined;
  #busy = false;

  constructor(
    private readonly context: ExtensionContext,
    private readonly log: LogOutputChannel,
    /** Called when there is another model to choose from, or one less. */
    private readonly changed: () => Promise<void>,
  ) {}

  /** Folder of the code model's bundle, where it has been got. */
  get coder(): string | undefined {
    return isObtained(this.folder, this.#coder) ? bundleIn(this.folder, this.#coder) : undefined;
  }

  /** Folder for models, and for what is found out about them. */
  get folder(): string {
    return this.context.globalStorageUri.fsPath;
  }

  /** Size of the code model, for people. */
  get size(): string {
    return megabytes(this.#coder.bytes);
  }

  /** Licence of the code model, by its SPDX identifier. */
  get licence(): string {
    return this.#coder.licence.spdx;
  }

  /** Gets the code model, once the user has confirmed it: what it is, whose, and from where. */
  async getCoder(): Promise<void> {
    if (this.coder !== undefined) {
      void window.showInformationMessage(t('The code model is there already.'));
      return;
    }
    const { title, licence } = this.#coder;
    const detail = t(
      '{0}, {1}, licence {2} ({3}). It is taken from where another program on this machine keeps it, else loaded from {4}. Nothing else is sent or loaded. An interrupted download continues the next time.',
      ...[title, this.size, licence.spdx, licence.copyright, this.#host],
    );
    const get = t('Get It');
    if ((await window.showInformationMessage(t('Get the code model?'), { modal: true, detail }, get)) !== get) return;
    const ended = await this.#run({ type: 'obtain', cache: this.folder, places: [] }, t('Getting the code model'));
    if (ended.type === 'done') await this.changed();
  }

  /** Makes a bundle of a GGUF file that the user picks, and chooses it. */
  async useGguf(): Promise<void> {
    const title = t('Use a GGUF File');
    const [picked] = (await window.showOpenDialog({ title, filters: { GGUF: ['gguf'] } })) ?? [];
    if (picked === undefined) return;
    const source = picked.fsPath;
    const name = basename(source).replace(/\.gguf$/i, '');
    const key = createHash('sha256').update(source).digest('hex').slice(0, 12);
    const directory = join(this.folder, 'bundles', `${OWN}${key}-${ADOPTION_VERSION}`);
    const ended = await this.#run({ type: 'adopt', source, directory, name }, t('Adopting {0}', name));
    if (ended.type !== 'done') return;
    if (ended.notes.length > 0) void window.showInformationMessage(ended.notes.join(' '));
    await writeSetting('model', directory);
  }

  /** Chooses a folder that the user picks, if a bundle lies there. */
  async useFolder(): Promise<void> {
    const title = t('Use a Folder');
    const options = { title, canSelectFiles: false, canSelectFolders: true };
    const [picked] = (await window.showOpenDialog(options)) ?? [];
    if (picked === undefined) return;
    if (this.facts(picked.fsPath)) await writeSetting('model', picked.fsPath);
    else void window.showErrorMessage(t('{0} holds no model: choose the folder with its manifest.json', picked.fsPath));
  }

  /** Bundles that the user made of files of theirs. */
  get own(): BundleFacts[] {
    return ownBundles(this.folder).flatMap((folder) => this.facts(folder) ?? []);
  }

  /** What is known of the bundle in a folder. */
  facts(folder: string): BundleFacts | undefined {
    return bundleFacts(folder, this.folder);
  }

  /** The bundle that comes with the extension. */
  get shipped(): BundleFacts | undefined {
    const facts = this.facts(this.context.asAbsolutePath(join('models', 'nano')));
    const { license } = this.context.extension.packageJSON as { license: string };
    return facts && { licence: license, ...facts };
  }

  /** Takes a bundle away that the user made; the file it was made of stays. */
  async removeOwn({ folder, name }: BundleFacts): Promise<void> {
    const remove = t('Remove It');
    const detail = t('The file that it was made of stays.');
    const asked = window.showWarningMessage(t('Remove the model {0}?', name), { modal: true, detail }, remove);
    if ((await asked) !== remove) return;
    if (readSettings().model === folder) await writeSetting('model', 'auto');
    await rm(folder, { recursive: true, force: true });
    this.log.info(t('{0} was removed', name));
  }

  /** Takes the code model away, with what was loaded for it. */
  async removeCoder(): Promise<void> {
    const remove = t('Remove It');
    if ((await window.showWarningMessage(t('Remove the code model?'), { modal: true }, remove)) !== remove) return;
    if (readSettings().model === 'coder') await writeSetting('model', 'auto');
    const ended = await this.#run({ type: 'remove', cache: this.folder }, t('Removing the code model'));
    if (ended.type === 'done') await this.changed();
  }

  get #coder(): CoderFacts {
    const path = this.context.asAbsolutePath('models/coder.json');
    return (this.#facts ??= JSON.parse(readFileSync(path, 'utf8')) as CoderFacts);
  }

  get #host(): string {
    const source = this.#coder.sources.find(({ kind }) => kind === 'https');
    return new URL(source?.address ?? '').host;
  }

  /** Gives an order, with its progress in a notification that can cancel it; says what went wrong. One at a time. */
  async #run(order: ToAdoption, title: string): Promise<Adopted> {
    if (this.#busy) {
      void window.showInformationMessage(t('A model is being got already.'));
      return { type: 'cancelled' };
    }
    this.#busy = true;
    const script = this.context.asAbsolutePath('dist/adopt.js');
    this.log.info(title);
    try {
      const place = { location: ProgressLocation.Notification, title, cancellable: true };
      const ended = await window.withProgress(place, (progress, token) => {
        const control = new AbortController();
        token.onCancellationRequested(() => control.abort());
        let before = 0;
        const onProgress = (share: number, message: string) => {
          progress.report({ message, increment: Math.max(0, 100 * (share - before)) });
          before = Math.max(before, share);
        };
        return runAdoption(script, order, { signal: control.signal, onProgress });
      });
      if (ended.type === 'failed') {
        this.log.error(ended.reason);
        void window.showErrorMessage(ended.reason);
      }
      return ended;
    } finally {
      this.#busy = false;
    }
  }
}
