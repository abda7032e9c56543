/**
 * Parameters as clients send them, read before anything relies on them: what is missing or of another kind becomes
 * undefined, or what stands for it.
 */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  InlineCompletionTriggerKind,
  type InlineCompletionContext,
  type TextDocumentContentChangeEvent,
  type WorkspaceFolder,
} from 'vscode-languageserver';
import * as z from 'zod';

/** What may be missing: undefined where it is, or where something of another kind stands. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional().catch(undefined);
}

/** An object of parts that may be missing; where something else stands, all of them are. */
export function parts<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.object(shape);
  return schema.catch(() => schema.parse({}));
}

/** Also such numbers as no document has: `cut` refuses those with the reason. */
const wholeNumber = z.custom<number>(Number.isInteger);
const position = z.object({ line: wholeNumber, character: wholeNumber });
const range = z.object({ start: position, end: position });

/** Whatever stands there, which others read. */
export const anything = z.unknown().optional();
export const optionalText = optional(z.string());
export const optionalPosition = optional(position);
/** A folder for what is kept between sessions: an absolute path. */
export const optionalFolder = optional(z.string().refine(isAbsolute));

/** A document, as most requests name it. */
export const documentParameter = parts({ uri: optionalText });

/** A number of threads; 0, which stands for as many as suit the machine, for what is none. */
export const threads = z.int().min(1).max(64).catch(0);

const context = parts({
  triggerKind: z
    .literal([InlineCompletionTriggerKind.Automatic, InlineCompletionTriggerKind.Invoked])
    .catch(InlineCompletionTriggerKind.Invoked),
  selectedCompletionInfo: optional(z.object({ range, text: z.string() })),
});

/** How a suggestion came to be asked for. A client that does not say so does not do it after every keystroke. */
export function readContext(given: unknown): InlineCompletionContext {
  const { triggerKind, selectedCompletionInfo } = context.parse(given);
  return { triggerKind, ...(selectedCompletionInfo && { selectedCompletionInfo }) };
}

const folders = z.array(parts({ uri: optionalText, name: optionalText })).catch([]);

/** Folders with an address; others are left out. */
export function readFolders(given: unknown): WorkspaceFolder[] {
  return folders.parse(given).flatMap(({ uri, name }) => (uri === undefined ? [] : [{ uri, name: name ?? uri }]));
}

const start = parts({
  workspaceFolders: optional(z.array(z.unknown())),
  rootUri: optionalText,
  rootPath: optionalText,
});

/**
 * The folders that a client starts with. Clients that know of one folder only give `rootUri` or, before that, `rootPath`;
 * those that know of several give none by an empty list.
 */
export function openedFolders(initialize: unknown): WorkspaceFolder[] {
  const { workspaceFolders, rootUri, rootPath } = start.parse(initialize);
  if (workspaceFolders) return readFolders(workspaceFolders);
  const root = rootUri ?? (rootPath && pathToFileURL(rootPath).href);
  return root ? [{ uri: root, name: root }] : [];
}

const change = z.object({ text: z.string(), range: range.optional() });
const changes = z.array(change);
const oneChange = z.tuple([change]);

/** Whether a document's changes are as the protocol has them. */
export function areChanges(given: unknown): given is TextDocumentContentChangeEvent[] {
  return changes.safeParse(given).success;
}

/** The one change that a client tells; undefined where it tells several, or none that can be made. */
export function readOneChange(given: unknown): z.infer<typeof change> | undefined {
  return oneChange.safeParse(given).data?.[0];
}
