import {
  commands,
  languages,
  Range,
  window,
  workspace,
  type CodeAction,
  type Diagnostic,
  type TextDocument,
  type TextEdit,
  type Uri,
} from 'vscode';
import {
  importLanguage,
  insertionOf,
  newNames,
  usualImport,
  type Import,
  type ImportLanguage,
  type Source,
} from './imports';
import type { Stretch } from './offers';
import { readSettings } from './settings';

/** For so long the language service is waited for, in milliseconds: it looks at a text when it has come to rest. */
const SERVICE_MS = 2_000;

/** So many files are asked at most how they import a name, for so long, of so many characters. */
const FILES = 400;
const SEARCH_MS = 1_500;
const MAX_FILE = 200_000;

const GLOBS: Readonly<Record<ImportLanguage, string>> = {
  script: '**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}',
  python: '**/*.{py,pyi}',
};
const FOREIGN = '**/{node_modules,bower_components,vendor,site-packages,dist,build,out,.venv,venv,.git}/**';

/** An import as it is written into a document. */
interface Change {
  readonly range: Range;
  readonly text: string;
}

/**
 * Adds the imports that an accepted text needs: the quick fix of the language service, else as other files of the workspace
 * import the name. One edit, which is undone together with the text. Where it is not clear which import is meant, none.
 * Never rejects.
 */
export async function addImports(document: TextDocument, stretch: Stretch, log: (line: string) => void): Promise<void> {
  try {
    await add(document, stretch);
  } catch (error) {
    log(`no imports: ${String(error)}`);
  }
}

async function add(document: TextDocument, stretch: Stretch): Promise<void> {
  const language = importLanguage(document.languageId);
  if (language === undefined || !readSettings(document).imports) return;
  const names = newNames(document.getText(), stretch, language);
  if (names.length === 0) return;
  const { version } = document;
  const [missing, sources] = await Promise.all([
    missingNames(document, stretch, names),
    sourcesBeside(document, language),
  ]);
  const changes: Change[] = [];
  for (const name of names) {
    const common = usualImport(name, document.uri.path, sources, language);
    const diagnostic = missing.get(name);
    const fix = diagnostic && (await quickFix(document, diagnostic, common));
    changes.push(...(fix ?? ownChange(document, common, language)));
  }
  // Who has typed on has left the moment for which this was meant.
  const editor = window.visibleTextEditors.find((one) => one.document === document);
  if (!editor || changes.length === 0 || document.version !== version) return;
  const together = { undoStopBefore: false, undoStopAfter: false };
  await editor.edit((edit) => {
    for (const { range, text } of merged(changes)) edit.replace(range, text);
  }, together);
}

function ownChange(document: TextDocument, wanted: Import | undefined, language: ImportLanguage): Change[] {
  if (!wanted) return [];
  const { offset, text } = insertionOf(document.getText(), wanted, language);
  const at = document.positionAt(offset);
  return [{ range: new Range(at, at), text }];
}

/** Changes of one edit must not overlap: those at one place become one, each text once. */
function merged(changes: readonly Change[]): Change[] {
  const places: Change[] = [];
  for (const change of changes) {
    const i = places.findIndex(({ range }) => range.isEqual(change.range));
    const same = places[i];
    if (!same) places.push(change);
    else if (!same.text.includes(change.text)) places[i] = { ...same, text: same.text + change.text };
  }
  return places;
}

/** Names in a stretch of which the language service says something, as soon as it says that of any. */
function missingNames(
  document: TextDocument,
  { start, end }: Stretch,
  names: readonly string[],
): Promise<Map<string, Diagnostic>> {
  const area = new Range(document.positionAt(start), document.positionAt(end));
  const look = () => {
    const found = languages
      .getDiagnostics(document.uri)
      .filter(({ range }) => area.contains(range))
      .map((diagnostic) => [document.getText(diagnostic.range), diagnostic] as const);
    return new Map(found.filter(([name]) => names.includes(name)));
  };
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      subscription.dispose();
      resolve(look());
    };
    const timer = setTimeout(end, SERVICE_MS);
    const subscription = languages.onDidChangeDiagnostics(() => {
      if (look().size > 0) end();
    });
  });
}

/** The one import that the language service offers for a name: of several the one that other files have, else none. */
async function quickFix(
  document: TextDocument,
  { range }: Diagnostic,
  common: Import | undefined,
): Promise<Change[] | undefined> {
  const actions =
    (await commands.executeCommand<CodeAction[] | undefined>(
      'vscode.executeCodeActionProvider',
      document.uri,
      range,
      'quickfix',
      8,
    )) ?? [];
  const imports = actions.filter(({ title, edit }) => edit && /\bimport\b/i.test(title) && !/\ball\b/i.test(title));
  const fitting = imports.filter(({ title }) => common !== undefined && title.includes(common.from));
  const [action] = imports.length === 1 ? imports : fitting.length === 1 ? fitting : [];
  const entries = action?.edit?.entries() ?? [];
  const [entry] = entries;
  // What changes other files is the user's own decision.
  if (!entry || entries.length > 1 || String(entry[0]) !== String(document.uri)) return undefined;
  return entry[1].map((edit: TextEdit) => ({ range: edit.range, text: edit.newText }));
}

/** Texts of other files, open ones first: in Restricted Mode no others. */
async function sourcesBeside(document: TextDocument, language: ImportLanguage): Promise<Source[]> {
  const open = workspace.textDocuments.filter(
    ({ uri, languageId }) => importLanguage(languageId) === language && String(uri) !== String(document.uri),
  );
  const sources = open.map((other) => ({ path: other.uri.path, text: other.getText() }));
  if (!workspace.isTrusted) return sources;
  const known = new Set([document, ...open].map(({ uri }) => String(uri)));
  const deadline = Date.now() + SEARCH_MS;
  const found = (await workspace.findFiles(GLOBS[language], FOREIGN, FILES)).filter((uri) => !known.has(String(uri)));
  for (const uri of found) {
    if (Date.now() > deadline) break;
    const text = await textOf(uri);
    if (text !== undefined) sources.push({ path: uri.path, text });
  }
  return sources;
}

async function textOf(uri: Uri): Promise<string | undefined> {
  try {
    const bytes = await workspace.fs.readFile(uri);
    return bytes.length > MAX_FILE ? undefined : new TextDecoder().decode(bytes);
  } catch {
    return undefined;
  }
}
