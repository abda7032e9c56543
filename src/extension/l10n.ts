/**
 * Texts that people read, for translation. `l10n/bundle.l10n.json` holds them in English; a `bundle.l10n.LANGUAGE.json`
 * in the same folder is all that another language takes. This module does not know VS Code, so that what is shown can be tested
 * without it: the extension hands over VS Code's own translator when it is activated.
 */

type Argument = string | number;
export type Translator = (message: string, ...values: Argument[]) => string;

let translate: Translator = (message, ...values) =>
  message.replace(/\{(\d+)\}/g, (all, index: string) => String(values[Number(index)] ?? all));

/** From now on texts come from a translator. */
export function useTranslator(translator: Translator): void {
  translate = translator;
}

/** A text in the user's language; `{0}`, `{1}` … stand for the values. */
export function t(message: string, ...values: Argument[]): string {
  return translate(message, ...values);
}
