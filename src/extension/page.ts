import { escapeHtml } from '../plot/html';

/** A webview's page. */
export interface Page {
  title: string;
  /** The webview's own source, as it says itself. */
  source: string;
  /** Address of the style sheet. */
  style: string;
  /** The one script that may run, and the nonce by which it is told from all others; without it none runs. */
  script?: { address: string; nonce: string };
  /** Markup in which every foreign text has been escaped. */
  body: string;
}

/**
 * The whole of a page under its policy: nothing is loaded but the style sheet and the script named here, nothing written
 * in the page itself is run or styles it, and it can neither send forms nor change what its addresses mean.
 */
export function pageHtml({ title, source, style, script, body }: Page): string {
  const policy = [
    `default-src 'none'`,
    `style-src ${source}`,
    ...(script === undefined ? [] : [`script-src 'nonce-${script.nonce}'`]),
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  const end =
    script === undefined
      ? ''
      : `\n<script nonce="${escapeHtml(script.nonce)}" src="${escapeHtml(script.address)}"></script>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeHtml(style)}">
<title>${escapeHtml(title)}</title>
</head>
<body>
${body}${end}
</body>
</html>`;
}
