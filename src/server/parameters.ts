/**
 * Parameters as clients send them, read before anything relies on them: what is missing or of another kind becomes
 * undefined, or what stands for it.
 */
import { pathToFileURL } from 'node:url';
import {
  InlineCompletionTriggerKind,
  type InlineCompletionContext,
  type Position,
  type Range,
  type WorkspaceFolder,
} from 'vscode-languageserver';

/** A field of something that may be anything. */
export function field(given: unknown, name: string): unknown {
  return typeof given === 'object' && given !== null ? (given as Record<string, unknown>)[name] : undefined;
}

/** The entries of what should be an array. */
export function list(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [];
}

export function readText(given: unknown): string | undefined {
  return typeof given === 'string' ? given : undefined;
}

/** Whole numbers, also such as no document has: `cut` refuses those with the reason. */
export function readPosition(given: unknown): Position | undefined {
  const [line, character] = [field(given, 'line'), field(given, 'character')];
  return Number.isInteger(line) && Number.isInteger(character)
    ? { line: line as number, character: character as number }
    : undefined;
}

export function readRange(given: unknown): Range | undefined {
  const [start, end] = [readPosition(field(given, 'start')), readPosition(field(given, 'end'))];
  return start && end && { start, end };
}

/** How a suggestion came to be asked for. A client that does not say so does not do it after every keystroke. */
export function readContext(given: unknown): InlineCompletionContext {
  const automatic = field(given, 'triggerKind') === InlineCompletionTriggerKind.Automatic;
  const selected = field(given, 'selectedCompletionInfo');
  const [range, text] = [readRange(field(selected, 'range')), readText(field(selected, 'text'))];
  return {
    triggerKind: automatic ? InlineCompletionTriggerKind.Automatic : InlineCompletionTriggerKind.Invoked,
    ...(range && text !== undefined && { selectedCompletionInfo: { range, text } }),
  };
}

/** Folders with an address; others are left out. */
export function readFolders(given: unknown): WorkspaceFolder[] {
  return list(given).flatMap((folder) => {
    const uri = readText(field(folder, 'uri'));
    return uri === undefined ? [] : [{ uri, name: readText(field(folder, 'name')) ?? uri }];
  });
}

/**
 * The folders that a client starts with. Clients that know of one folder only give `rootUri` or, before that, `rootPath`;
 * those that know of several give none by an empty list.
 */
export function openedFolders(initialize: unknown): WorkspaceFolder[] {
  const folders = field(initialize, 'workspaceFolders');
  if (Array.isArray(folders)) return readFolders(folders);
  const path = readText(field(initialize, 'rootPath'));
  const root = readText(field(initialize, 'rootUri')) ?? (path && pathToFileURL(path).href);
  return root ? [{ uri: root, name: root }] : [];
}

/** A number of threads; 0, which stands for as many as suit the machine, for what is none. */
export function readThreads(given: unknown): number {
  return Number.isInteger(given) && (given as number) > 0 && (given as number) <= 64 ? (given as number) : 0;
}
