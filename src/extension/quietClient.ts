import { LanguageClient } from 'vscode-languageclient/node';

/**
 * A language client that never opens a pop-up: several of the library's error paths show one whatever the options say.
 * What they would say goes to the log; the status item tells the user.
 */
export class QuietLanguageClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}
