import { randomBytes } from 'node:crypto';
import {
  Disposable,
  Uri,
  ViewColumn,
  commands,
  window,
  workspace,
  type TextDocument,
  type TextEditor,
  type Webview,
  type WebviewPanel,
} from 'vscode';
import { languageEnabled } from '../settings';
import { section } from './names';
import { pageHtml } from './page';
import { readSettings, writeSetting } from './settings';
import { thoughtFrame, thoughtHtml } from './thoughtView';
import type { Client } from './client';

/** Not more often than this, in milliseconds. */
const pace = 150;

type FromPanel = { type: 'ready' } | { type: 'steps'; value: number } | { type: 'command'; command: 'why' | 'showLog' };

/** The thought panel: one webview next to the editor, about the file that was last edited. */
export class ThoughtPanel implements Disposable {
  #panel: WebviewPanel | undefined;
  #subscriptions: Disposable | undefined;
  #document: TextDocument | undefined;
  #timer: NodeJS.Timeout | undefined;
  #refreshing = false;
  #again = false;

  constructor(
    private readonly extension: Uri,
    private readonly client: () => Client | undefined,
  ) {}

  /** Opens the panel next to the editor, or brings it to the front. */
  show(): void {
    this.#follow(window.activeTextEditor);
    if (this.#panel !== undefined) {
      this.#panel.reveal(undefined, true);
      return;
    }
    const media = Uri.joinPath(this.extension, 'media');
    const panel = window.createWebviewPanel(
      'thoughtline.thought',
      'Thought',
      { viewColumn: ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, localResourceRoots: [media], enableCommandUris: false },
    );
    panel.iconPath = Uri.joinPath(media, 'icon.png');
    panel.webview.html = page(panel.webview, media);
    this.#panel = panel;
    this.#subscriptions = Disposable.from(
      panel.onDidDispose(() => this.#closed()),
      panel.webview.onDidReceiveMessage((message: unknown) => this.#received(message)),
      panel.onDidChangeViewState(() => this.refresh()),
      window.onDidChangeActiveTextEditor((editor) => this.#follow(editor)),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(section)) this.refresh();
      }),
    );
  }

  /** An editor of the document that the panel is about, for when the panel itself has the focus. */
  get editor(): TextEditor | undefined {
    return window.visibleTextEditors.find((editor) => editor.document === this.#document);
  }

  /** Asks the server again and shows what it says, soon. */
  refresh(): void {
    if (this.#panel?.visible !== true) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#render();
    }, pace);
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  #follow(editor: TextEditor | undefined): void {
    // While the panel itself has the focus there is no text editor; output channels are editors, too.
    if (editor === undefined || editor.document.uri.scheme === 'output') return;
    this.#document = editor.document;
    this.refresh();
  }

  async #render(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true;
      return;
    }
    this.#refreshing = true;
    try {
      const client = this.client();
      const document = this.#document?.isClosed === true ? undefined : this.#document;
      const report = document === undefined ? null : await client?.thought(document).catch(() => null);
      const { inferenceSteps, languages } = readSettings();
      const steps = inferenceSteps ?? client?.status.defaultSteps ?? 0;
      const language = document?.languageId;
      const html = thoughtHtml({
        file: document === undefined ? undefined : workspace.asRelativePath(document.uri),
        report: report ?? null,
        status: client?.status ?? { state: 'off' },
        languageOff: language === undefined || languageEnabled(languages, language) ? undefined : language,
        inferenceSteps: steps,
        automatic: inferenceSteps === null,
      });
      await this.#panel?.webview.postMessage({ type: 'update', html, inferenceSteps: steps });
    } finally {
      this.#refreshing = false;
      if (this.#again) {
        this.#again = false;
        this.refresh();
      }
    }
  }

  #received(message: unknown): void {
    const { type, ...rest } = message as FromPanel;
    if (type === 'ready') this.refresh();
    if (type === 'steps' && 'value' in rest && Number.isInteger(rest.value))
      void writeSetting('inferenceSteps', rest.value);
    if (type === 'command' && 'command' in rest) {
      if (rest.command === 'why') void commands.executeCommand('thoughtline.why');
      if (rest.command === 'showLog') void commands.executeCommand('thoughtline.showLog');
    }
  }

  #closed(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#subscriptions?.dispose();
    this.#subscriptions = undefined;
    this.#panel = undefined;
  }
}

/** The page that stays; its `main` is filled by messages. Only the two files of media/ may run or style it. */
function page(webview: Webview, media: Uri): string {
  const address = (name: string) => String(webview.asWebviewUri(Uri.joinPath(media, name)));
  return pageHtml({
    title: 'Thought',
    source: webview.cspSource,
    style: address('thought.css'),
    script: { address: address('thought.js'), nonce: randomBytes(16).toString('base64url') },
    body: thoughtFrame,
  });
}
