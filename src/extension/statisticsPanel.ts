import { Uri, ViewColumn, window, type Disposable, type Webview, type WebviewPanel } from 'vscode';
import { escapeHtml } from './html';
import type { Recorder } from './recorder';
import { statisticsHtml } from './statisticsView';
import { t } from './words';

/** Not more often than this, in milliseconds. */
const pace = 1_000;

/** The page of statistics. It runs no scripts: it is made anew when a figure changes. */
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
    webview.html = page(webview, this.extension, statisticsHtml(this.recorder.statistics));
  }
}

function page(webview: Webview, extension: Uri, html: string): string {
  const style = escapeHtml(String(webview.asWebviewUri(Uri.joinPath(extension, 'media', 'thought.css'))));
  const policy = `default-src 'none'; style-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>${t('Statistics')}</title>
</head>
<body>
<h1>${t('Statistics')}</h1>
<main id="statistics">
${html}
</main>
<p><a href="command:thoughtline.resetStatistics">${t('Forget all of this')}</a></p>
</body>
</html>`;
}
