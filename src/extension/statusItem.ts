import { StatusBarAlignment, ThemeColor, window, type Disposable } from 'vscode';
import { statusView, type Standstill } from './statusView';
import type { Status } from '../protocol';

/** The entry in the status bar. A click opens the menu of commands. */
export class StatusItem implements Disposable {
  readonly #item = window.createStatusBarItem('status', StatusBarAlignment.Right, 100);

  constructor() {
    this.#item.name = 'Thoughtline';
    this.#item.command = 'thoughtline.menu';
    this.#item.show();
  }

  show(status: Status, standstill: Standstill): void {
    const { text, label, severity } = statusView(status, standstill);
    this.#item.text = text;
    this.#item.tooltip = label;
    this.#item.accessibilityInformation = { label, role: 'button' };
    this.#item.backgroundColor = severity === 'warning' ? new ThemeColor('statusBarItem.warningBackground') : undefined;
  }

  dispose(): void {
    this.#item.dispose();
  }
}
