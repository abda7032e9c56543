import { Uri, ViewColumn, window, type Disposable, type Webview, type WebviewPanel } from 'vscode';
import { pageHtml } from './page';
import type { Recorder } from './recorder';
import type { Statistics } from './statistics';
import { statisticsPage } from './statisticsView';
import { t } from './l10n';

/** Not more often than this, in milliseconds. */
const pace = 1_000;

/** The page of statistics. It runs no scripts: it is made again when a figure changes. */
export class StatisticsPanel implements Disposable {
  #panel: WebviewPanel | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly extension: Uri,
    private readonly recorder: Recorder,
  ) {
    recorder.onChange(() => this.#refresh());
  }

  show(): void {
    if (this.#panel !== undefined) {
      this.#panel.reveal();
      return;
    }
    const media = Uri.joinPath(this.extension, 'media');
    const panel = window.createWebviewPanel('thoughtline.statistics', t('Thoughtline: Statistics'), ViewColumn.Active, {
      enableScripts: false,
      localResourceRoots: [media],
      enableCommandUris: ['thoughtline.resetStatistics'],
    });
    panel.iconPath = Uri.joinPath(media, 'icon.png');
    panel.onDidDispose(() => (this.#panel = undefined));
    this.#panel = panel;
    this.#draw();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#panel?.dispose();
  }

  #refresh(): void {
    if (this.#panel === undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, pace);
  }

  #draw(): void {
    if (this.#panel === undefined) return;
    const { webview } = this.#panel;
    webview.html = page(webview, this.extension, this.recorder.statistics);
  }
}

function page(webview: Webview, extension: Uri, statistics: Statistics): string {
  return pageHtml({
    title: t('Statistics'),
    source: webview.cspSource,
    style: String(webview.asWebviewUri(Uri.joinPath(extension, 'media', 'thought.css'))),
    body: statisticsPage(statistics),
  });
}
