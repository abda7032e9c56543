import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import type { RunningEditor } from './launch';
import { RequestLog } from './requestLog';

const screenshots = fileURLToPath(new URL('screenshots', import.meta.url));
const modifier = process.platform === 'darwin' ? 'Meta' : 'Control';

/**
 * Runs in the editor's page; text, because it is of another world than the types here.
 * Text of the document that a suggestion replaces is hidden in its place and drawn again, unstyled, after it.
 */
const readGhostText = `(() => {
  const text = (nodes) => [...nodes].map((node) => node.textContent ?? '').join('');
  const inline = [...document.querySelectorAll('.view-lines .view-line')]
    .map((line) => text(line.querySelectorAll('.ghost-text, .ghost-text-decoration')))
    .filter((found) => found !== '');
  const below = [...document.querySelectorAll('.view-zones .suggest-preview-text .view-line')]
    .map((line) => text(line.querySelectorAll('.ghost-text')));
  return inline.length + below.length === 0 ? [] : [inline.join(''), ...below];
})()`;

/** Runs in the editor's page: tells how long after a key ghost text is drawn. */
const watchGhostText = `(() => {
  let pressed;
  const watcher = new MutationObserver(() => {
    if (pressed === undefined || !document.querySelector('.view-lines :is(.ghost-text, .ghost-text-decoration)')) return;
    watcher.disconnect();
    window.ghostTextAfter = performance.now() - pressed;
  });
  watcher.observe(document.body, { subtree: true, childList: true, attributes: true });
  addEventListener('keydown', () => (pressed = performance.now()), { capture: true });
})()`;

/** Runs in the editor's page: the text of the line in which the cursor stands. */
const readCursorLine = `(() => {
  const cursor = document.querySelector('.editor-group-container.active .cursors-layer .cursor');
  const top = cursor?.getBoundingClientRect().top ?? -1;
  return [...document.querySelectorAll('.editor-group-container.active .view-lines .view-line')]
    .filter((line) => Math.abs(line.getBoundingClientRect().top - top) < 4)
    .map((line) => line.textContent ?? '');
})()`;

/** Runs in our webview, with its body. */
const readContrast = `(body) => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const sample = body.appendChild(document.createElement('span'));
  sample.style.color = 'var(--vscode-editor-background)';
  const page = channels(getComputedStyle(sample).color).slice(0, 3);
  sample.remove();
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(at).backgroundColor);
      if (a > 0.5 && r !== undefined) return [r, g, b];
    }
    return page;
  };
  const linear = (x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let lowest = { text: '', ratio: 21 };
  for (const element of body.querySelectorAll('*')) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3);
    const slider = element.matches('input[type=range]');
    const text = slider ? 'the slider' : own.map((node) => node.textContent.trim()).join('');
    if (text === '' || element.closest('svg, script, style') || element.offsetParent === null) continue;
    const { color, accentColor } = getComputedStyle(element);
    const rgb = channels(slider ? accentColor : color).slice(0, 3);
    const [high, low] = [luminance(rgb), luminance(behind(slider ? element.parentElement : element))].sort((a, b) => b - a);
    // Of what is no text WCAG asks for 3 where it asks for 4.5 of texts.
    const ratio = ((high + 0.05) / (low + 0.05)) * (slider ? 4.5 / 3 : 1);
    if (ratio < lowest.ratio) lowest = { text: text.slice(0, 40), ratio };
  }
  return lowest;
}`;

/** What a test does in the editor, and what it sees there. The same for every launcher. Every wait is bounded. */
export class EditorPage {
  readonly page: Page;
  readonly requests: RequestLog;

  constructor(
    editor: RunningEditor,
    private readonly project: string,
  ) {
    this.page = editor.page;
    this.requests = new RequestLog(editor.logs);
  }

  /** Opens a file of the project by its path, whatever shows it. */
  async quickOpen(path: string): Promise<void> {
    await this.quickInput(path, async () => {
      await this.page.keyboard.press(`${modifier}+P`);
    });
  }

  /** Opens a file of the project by its path and waits for its text. */
  async open(path: string): Promise<void> {
    await this.quickOpen(path);
    const name = path.split('/').at(-1)!;
    await this.page.locator('.tab.active', { hasText: name }).waitFor();
    await this.page.locator('.monaco-editor .view-line').first().waitFor();
    // What has colours has the rules of its language, by which a new line is indented.
    const coloured = this.page.locator('.editor-group-container.active .view-line span[class^="mtk"]:not(.mtk1)');
    await coloured.first().waitFor({ state: 'attached', timeout: 10_000 }).catch(() => undefined); // prettier-ignore
    // Focus is in the text when keys reach it.
    await this.page.locator('.editor-group-container.active .monaco-editor.focused').first().waitFor();
  }

  /** Puts the cursor at a line and column, both from 1. */
  async goto(line: number, column: number): Promise<void> {
    await this.quickInput(`:${line}:${column}`, () => this.page.keyboard.press('Control+G'));
    await this.statusBar(`Ln ${line}, Col ${column}`).waitFor();
  }

  /** The line, from 1, of a file on disk that holds a text. */
  async lineOf(path: string, text: string): Promise<number> {
    const lines = (await readFile(join(this.project, path), 'utf8')).split('\n');
    const found = lines.findIndex((line) => line.includes(text));
    if (found === -1) throw new Error(`${path} does not hold "${text}"`);
    return found + 1;
  }

  /** Runs a command of the palette by its title. */
  async command(title: string): Promise<void> {
    await this.quickInput(`>${title}`, () => this.page.keyboard.press('F1'));
  }

  /** Chooses a command of the palette that opens a list of its own. */
  async pick(title: string): Promise<void> {
    await this.quickInput(`>${title}`, () => this.page.keyboard.press('F1'), 'opens another');
  }

  /** Brings the keyboard back into the text of an open file. */
  async focusEditor(path: string): Promise<void> {
    // In two groups there may be two.
    await this.page
      .locator('.tab', { hasText: path.split('/').at(-1)! })
      .first()
      .click();
    await this.page.locator('.editor-group-container.active .monaco-editor.focused').first().waitFor();
  }

  /** Closes lists and dialogs that something left open, and brings the keyboard into the text of a file. */
  async calm(path: string): Promise<void> {
    await this.press('Escape', 'Escape', 'Escape');
    const name = path.split('/').at(-1)!;
    if (await this.page.locator('.tab', { hasText: name }).count()) await this.focusEditor(path);
  }

  /** Address of the document in the active editor, as the window has it. */
  async address(): Promise<string> {
    const editor = this.page
      .locator('.editor-group-container.active .editor-instance .monaco-editor[data-uri]')
      .first();
    return (await editor.getAttribute('data-uri')) ?? '';
  }

  /** Whether the window is in Restricted Mode. */
  async restricted(): Promise<boolean> {
    return this.statusBar('Restricted Mode').isVisible();
  }

  /** Types text key by key. @param delay milliseconds between keys */
  async type(text: string, delay = 20): Promise<void> {
    await this.requests.mark();
    await this.page.keyboard.type(text, { delay });
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /**
   * Saves and returns what the file on disk holds then.
   * @param path inside the project
   */
  async save(path: string): Promise<string> {
    await this.press(`${modifier}+S`);
    const name = path.split('/').at(-1)!;
    await this.page.locator('.tab.dirty', { hasText: name }).first().waitFor({ state: 'hidden' });
    // An undone text is not dirty and is written all the same: for a moment the file is empty.
    const read = () => readFile(join(this.project, path), 'utf8');
    let text = await read();
    for (let reads = 0; reads < 20; reads++) {
      await sleep(100);
      const before = text;
      text = await read();
      if (text !== '' && text === before) break;
    }
    return text;
  }

  /**
   * The ghost text on the screen, line by line: what stands in the cursor's line and the lines below it that are not
   * in the document. Empty while there is none.
   */
  async ghostText(): Promise<string> {
    const lines = await this.page.evaluate<string[]>(readGhostText);
    // The editor draws spaces as no-break spaces.
    return lines.map((line) => line.replace(/\u00a0/g, ' ').replace(/\u200b/g, '')).join('\n');
  }

  /** Types text where there is no ghost text. @returns milliseconds from a key until it is drawn, as the page measures them */
  async timeToGhostText(text: string): Promise<number> {
    await this.page.evaluate(watchGhostText);
    await this.type(text);
    await this.waitForGhostText();
    return this.page.evaluate<number>('window.ghostTextAfter');
  }

  /** Waits for ghost text and for it to rest. @throws Error when there is none within `within` milliseconds */
  async waitForGhostText(within = 30_000): Promise<string> {
    const found = await this.restingGhostText(within, () => Promise.resolve(false));
    if (found === '') throw new Error(`no ghost text within ${within} ms; the status says: ${await this.status()}`);
    return found;
  }

  /** Waits for ghost text after typing. @returns it; empty where VS Code was given none, or none came within the time */
  async suggested(within = 15_000): Promise<string> {
    return this.restingGhostText(within, () => this.requests.saysNone());
  }

  /**
   * Nothing is suggested for what was typed: VS Code has asked and was given nothing, or has not asked within the time.
   * @throws Error where something is
   */
  async nothingComes(within = 3_000): Promise<void> {
    const end = Date.now() + within;
    while (Date.now() < end && !(await this.requests.saysNone())) await sleep(50);
    assert.equal(await this.ghostText(), '', 'nothing is suggested');
  }

  /** @param over whether none is to be expected any more */
  private async restingGhostText(within: number, over: () => Promise<boolean>): Promise<string> {
    let last = '';
    let since = Date.now();
    const end = Date.now() + within;
    while (Date.now() < end) {
      const now = await this.ghostText();
      if (now !== last) since = Date.now();
      last = now;
      if (now !== '' && Date.now() - since >= 300) return now;
      if (now === '' && (await over())) return '';
      await sleep(50);
    }
    return '';
  }

  /**
   * Types beginnings of lines into an empty line, one after the other, until a suggestion shows: a model may keep silent
   * about any single one.
   * @returns what was typed at last, and the ghost text
   */
  async typeUntilSuggested(within = 15_000): Promise<{ typed: string; ghost: string }> {
    for (const typed of ['const price = ', 'const visit = this.', 'throw new ', 'return ']) {
      await this.type(typed);
      const ghost = await this.suggested(within);
      if (ghost !== '') return { typed, ghost };
      for (let left = typed.length; left > 0; left--) await this.press('Backspace');
    }
    throw new Error(`no ghost text for any beginning of a line; the status says: ${await this.status()}`);
  }

  /** Opens the list of suggestions of VS Code's own. @returns the entry that is selected there, or undefined */
  async openSuggestWidget(): Promise<string | undefined> {
    await this.press('Control+Space');
    const entry = this.page.locator('.suggest-widget.visible .monaco-list-row.focused .label-name');
    await entry.waitFor({ timeout: 20_000 }).catch(() => undefined);
    return (await entry.count()) > 0 ? (await entry.innerText()).trim() : undefined;
  }

  /** Asks for a suggestion at the cursor. */
  async trigger(): Promise<void> {
    await this.command('Trigger Inline Suggestion');
  }

  /** What "Why No Suggestion?" says first. */
  async why(): Promise<string> {
    await this.pick('Thoughtline: Why No Suggestion?');
    const first = this.page.locator('.quick-input-widget .monaco-list-row').first();
    await first.waitFor();
    const said = await first.innerText();
    await this.press('Escape');
    return said.trim();
  }

  /** What stands in the cursor's line, with what is suggested there. */
  async lineText(): Promise<string> {
    const lines = await this.page.evaluate<string[]>(readCursorLine);
    return lines
      .join('')
      .replace(/\u00a0/g, ' ')
      .trim();
  }

  /** Waits until the window has a theme of a kind, by the class that VS Code gives it. */
  async waitForTheme(kind: 'vs' | 'vs-dark' | 'hc-black' | 'hc-light'): Promise<void> {
    await this.page.locator(`.monaco-workbench.${kind}`).waitFor();
  }

  /** Of all texts of our webview the one that stands out least from what is behind it, by the contrast of WCAG. */
  async leastContrast(): Promise<{ text: string; ratio: number }> {
    const frame = await (await this.thought.locator('body').elementHandle())?.ownerFrame();
    const found: unknown = await frame?.evaluate(`(${readContrast})(document.body)`);
    return found as { text: string; ratio: number };
  }

  /** Our entry in the status bar, as a screen reader reads it. */
  async status(): Promise<string> {
    return (await this.statusItem.getAttribute('aria-label').catch(() => null)) ?? '(no status item)';
  }

  get statusItem(): Locator {
    return this.page
      .locator(
        '.statusbar-item[id="thoughtline.thoughtline.status"] a, .statusbar-item[id="thoughtline.thoughtline.status"] [role="button"]',
      )
      .first();
  }

  /** Waits until the status satisfies a pattern. */
  async waitForStatus(pattern: RegExp, within = 60_000): Promise<string> {
    return this.until(
      () => this.status(),
      (status) => pattern.test(status),
      within,
      `status ${pattern}`,
    );
  }

  /** The document inside our webview. */
  get thought(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /** Waits until the thought panel shows a value in one of its figures. */
  async waitForFigure(figure: string, value: string): Promise<void> {
    await this.thought.locator(`[data-figure=${figure}] dd`, { hasText: new RegExp(`^${value}$`) }).waitFor();
  }

  /** Pop-ups on the screen: their texts. */
  async popUps(): Promise<string[]> {
    const messages = '.notifications-toasts .notification-list-item-message, .monaco-dialog-box .dialog-message-text';
    return this.page.locator(messages).allTextContents();
  }

  /**
   * How long activations took by VS Code's own measure, in milliseconds: ours, and the slowest of its own extensions,
   * which tells how busy the machine is.
   */
  async activationTimes(): Promise<{ own: number; slowest: number }> {
    await this.command('Developer: Show Running Extensions');
    const list = this.page.locator('.runtime-extensions-editor .monaco-list').first();
    await list.waitFor();
    const time = async (row: Locator) =>
      Number(/(\d+)\s*ms/.exec(await row.locator('.activation-time').innerText())?.[1]);
    const rows = list.locator('.monaco-list-row');
    await rows.first().waitFor();
    // The slowest come first, and only what is in view exists.
    const slowest = await time(rows.first());
    const row = list.locator('.monaco-list-row', { has: this.page.locator('.name', { hasText: /^Thoughtline$/ }) });
    await list.hover();
    for (let turn = 0; turn < 30 && (await row.count()) === 0; turn++) {
      await this.page.mouse.wheel(0, 150);
      await sleep(100);
    }
    const own = await time(row.first());
    await this.screenshot('activation');
    await this.press('Escape');
    await list.waitFor({ state: 'hidden' });
    return { own, slowest };
  }

  /** Writes a number into the settings editor, as a user does, and closes the settings editor. */
  async setNumber(setting: string, value: number): Promise<void> {
    await this.command('Preferences: Open Settings (UI)');
    const search = this.page.locator('.settings-editor .search-container .view-lines').first();
    await search.click();
    await this.type(`@id:${setting}`, 10);
    const items = this.page.locator('.settings-editor .settings-editor-tree .setting-item-contents');
    const input = this.page.locator('.settings-editor .setting-item-number .setting-item-control input').first();
    await input.waitFor();
    // The list is drawn again while the search goes on; the value must be in the field that stays.
    await this.until(() => items.count(), (count) => count === 1, 10_000, `${setting} alone is found`); // prettier-ignore
    await sleep(500);
    const { configurations } = await this.requests.read();
    await input.click();
    await this.press(`${modifier}+A`);
    await this.type(String(value));
    await this.press('Tab');
    await this.waitForSettings(configurations);
    await this.screenshot(`setting-${setting.split('.').at(-1)!}`);
    await this.press('Escape');
    await this.page.locator('.settings-editor').waitFor({ state: 'hidden' });
  }

  /** Waits until the server has been told of changed settings once more than so many times. */
  async waitForSettings(before: number): Promise<void> {
    const read = async () => (await this.requests.read()).configurations;
    await this.until(read, (now) => now > before, 20_000, 'the server is told of settings');
  }

  /** Keeps a picture of the window in test/editor/screenshots/. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    // What fades in has done so.
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
  }

  /** Repeats `read` until `accept` likes what it gives. @throws Error naming `what` and the last value */
  async until<T>(read: () => Promise<T>, accept: (value: T) => boolean, within: number, what: string): Promise<T> {
    const end = Date.now() + within;
    for (;;) {
      const value = await read();
      if (accept(value)) return value;
      if (Date.now() > end) throw new Error(`${what}: not within ${within} ms; last: ${JSON.stringify(value)}`);
      await sleep(50);
    }
  }

  statusBar(text: string): Locator {
    return this.page.locator('.statusbar-item', { hasText: text }).first();
  }

  /** Opens a quick input, fills it and takes its first entry, once that is the one meant. */
  private async quickInput(
    text: string,
    open: () => Promise<void>,
    then: 'closes' | 'opens another' = 'closes',
  ): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    const input = widget.locator('input').first();
    const meant = text.startsWith(':') ? '' : text.replace(/^>/, '').split('/').at(-1)!;
    const first = widget.locator('.monaco-list-row').first();
    const isFirst = async () => {
      const row = (await first.count()) > 0 ? await first.innerText({ timeout: 1000 }).catch(() => '') : '';
      return row.replace(/\s+/g, ' ').includes(meant) && !row.startsWith('No matching');
    };
    // The list may be that of the text before.
    const stays = async () => (await isFirst()) && (await sleep(100, true)) && (await isFirst());
    // On a busy machine a key may come before the window listens, and the list before its index is complete.
    for (let attempt = 1; ; attempt++) {
      await open();
      await input.waitFor({ timeout: 5000 }).catch(() => undefined);
      // A key that came late may close it meanwhile.
      const fill = () => input.fill(text, { timeout: 5000 }).then(() => true, () => false); // prettier-ignore
      if ((await input.isVisible()) && (await fill())) {
        if (await this.until(stays, Boolean, 8000, `"${text}" in the list`).catch(() => false)) break;
      }
      await this.page.keyboard.press('Escape');
      if (attempt === 10) throw new Error(`the list offers no "${text}"`);
    }
    await this.page.keyboard.press('Enter');
    if (then === 'closes') await widget.waitFor({ state: 'hidden', timeout: 15_000 });
    else
      await this.until(
        () => input.inputValue(),
        (now) => now !== text,
        15_000,
        'another list opens',
      );
  }
}
