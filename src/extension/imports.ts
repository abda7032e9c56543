/**
 * Imports that an accepted text needs: which names it uses that stand nowhere else in its file, how other files import them,
 * and where the import goes. Text alone, no parser: what is in doubt is left to the user. Pure.
 */
import { posix } from 'node:path';

/** Languages whose imports are known. */
export type ImportLanguage = 'script' | 'python';

export function importLanguage(id: string): ImportLanguage | undefined {
  if (/^(?:type|java)script(?:react)?$/.test(id)) return 'script';
  return id === 'python' ? 'python' : undefined;
}

/** A name that a file imports. */
export interface Import {
  /** As it is called in the file. */
  readonly name: string;
  /** As its module calls it; `default` and `*` stand for the module itself. */
  readonly imported: string;
  readonly from: string;
  /** It is imported as a type only. */
  readonly type: boolean;
}

/** A change of a text. */
export interface Insertion {
  readonly offset: number;
  readonly text: string;
}

const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/gu;

const COMMENTS_AND_STRINGS: Readonly<Record<ImportLanguage, RegExp>> = {
  script: /\/\/.*|\/\*[^]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
  python: /#.*|"""[^]*?"""|'''[^]*?'''|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
};

/** Words of the languages themselves. */
const KEYWORDS: Readonly<Record<ImportLanguage, ReadonlySet<string>>> = {
  script: new Set(
    'abstract any as asserts async await boolean break case catch class const continue debugger declare default delete do else enum export extends false finally for from function get if implements import in infer instanceof interface is keyof let namespace never new null number object of package private protected public readonly return satisfies set static string super switch symbol this throw true try type typeof undefined unique unknown var void while with yield'.split(
      ' ',
    ),
  ),
  python: new Set(
    'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda match case nonlocal not or pass raise return self cls try while with yield'.split(
      ' ',
    ),
  ),
};

/** Words behind which a name is declared. */
const DECLARES = /\b(?:const|let|var|function|class|interface|type|enum|namespace|import|def|for|as|lambda|global|nonlocal|catch)\s*\*?\s*$/; // prettier-ignore

/**
 * Names that a stretch of a text uses and that stand nowhere else in it, in the order of their first use.
 * @param stretch in characters
 */
export function newNames(text: string, stretch: { start: number; end: number }, language: ImportLanguage): string[] {
  // Words that begin before it, or go on behind it, belong to it as a whole.
  const start = stretch.start - /[\p{L}\p{N}_$]*$/u.exec(text.slice(0, stretch.start))![0].length;
  const end = stretch.end + /^[\p{L}\p{N}_$]*/u.exec(text.slice(stretch.end))![0].length;
  const blank = (found: string) => found.replace(/[^\n]/g, ' ');
  const code = text.slice(start, end).replace(COMMENTS_AND_STRINGS[language], blank);
  const elsewhere = new Set(`${text.slice(0, start)}\n${text.slice(end)}`.match(WORD));
  const used = new Set<string>();
  const declared = new Set<string>();
  for (const { 0: name, index } of code.matchAll(WORD)) {
    const before = text.slice(Math.max(0, start - 64), start) + code.slice(0, index);
    const after = code.slice(index + name.length) + text.slice(end, end + 64);
    if (DECLARES.test(before)) declared.add(name);
    const member = /(?:^|[^.])\.\s*$/.test(before);
    const key = language === 'script' ? /^\s*\??:/.test(after) : /^\s*=(?!=)/.test(after);
    if (!member && !key && name.length > 1 && !KEYWORDS[language].has(name)) used.add(name);
  }
  return [...used].filter((name) => !declared.has(name) && !elsewhere.has(name));
}

const SCRIPT_IMPORT = /^import\s+(type\s+)?((?:[\w$*]|[\s,{}])+?)\s*\bfrom\s*(['"])([^'"\n]+)\3[ \t]*;?/gm;
const REQUIRE = /^(?:const|let|var)\s+(\{[\s\w$,:]*\}|[\w$]+)\s*=\s*require\(\s*(['"])([^'"\n]+)\2\s*\)[ \t]*;?/gm;
const FROM_IMPORT = /^from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#\\(]+)/gm;
const PLAIN_IMPORT = /^import[ \t]+([^\n#]+)/gm;

/** What a file imports at its top level. */
export function importsIn(text: string, language: ImportLanguage): Import[] {
  if (language === 'python') {
    const from = [...text.matchAll(FROM_IMPORT)].flatMap(([, module = '', list = '']) =>
      named(list.replace(/[()]|#.*/g, ''), /\s+as\s+/).map(([imported, name]) => ({
        name,
        imported,
        from: module,
        type: false,
      })),
    );
    const plain = [...text.matchAll(PLAIN_IMPORT)].flatMap(([, list = '']) =>
      named(list, /\s+as\s+/)
        .filter(([module, name]) => name !== module || !module.includes('.'))
        .map(([module, name]) => ({ name, imported: '*', from: module, type: false })),
    );
    return [...from, ...plain];
  }
  const modern = [...text.matchAll(SCRIPT_IMPORT)].flatMap(([, type, clause = '', , from = '']) =>
    clauseOf(clause).map((one) => ({ ...one, from, type: one.type || type !== undefined })),
  );
  const required = [...text.matchAll(REQUIRE)].flatMap(([, target = '', , from = '']) =>
    target.startsWith('{')
      ? named(target.replace(/[{}]/g, ''), /\s*:\s*/).map(([imported, name]) => ({ name, imported, from, type: false }))
      : [{ name: target, imported: 'default', from, type: false }],
  );
  return [...modern, ...required];
}

/** `a, b as c` → [a, a], [b, c]. */
function named(list: string, as: RegExp): [string, string][] {
  return list
    .split(',')
    .map((one) => one.trim().split(as))
    .filter(([imported]) => imported !== undefined && /^[\w$.]+$/.test(imported))
    .map(([imported = '', name = imported]) => [imported, name]);
}

function clauseOf(clause: string): Omit<Import, 'from'>[] {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1];
  const list = (braces ?? '').split(',').flatMap((one) => {
    const type = /^\s*type\s+(?!as\b)/.test(one);
    return named(type ? one.replace(/^\s*type\s+/, '') : one, /\s+as\s+/).map(([imported, name]) => ({ name, imported, type })); // prettier-ignore
  });
  const others = clause.replace(/\{[^}]*\}/, '').split(',');
  return [
    ...list,
    ...others.flatMap((one) => {
      const star = /^\s*\*\s*as\s+([\w$]+)\s*$/.exec(one)?.[1];
      if (star !== undefined) return [{ name: star, imported: '*', type: false }];
      return /^\s*[\w$]+\s*$/.test(one) ? [{ name: one.trim(), imported: 'default', type: false }] : [];
    }),
  ];
}

/** A file that is asked how it imports a name. */
export interface Source {
  /** Absolute, with slashes. */
  readonly path: string;
  readonly text: string;
}

/**
 * How the files of a workspace import a name, as the file at `path` has to write it; undefined where none does, where they
 * do not agree, or where it cannot be said from there.
 */
export function usualImport(
  name: string,
  path: string,
  sources: readonly Source[],
  language: ImportLanguage,
): Import | undefined {
  const found = sources.flatMap((source) =>
    importsIn(source.text, language)
      .filter((one) => one.name === name)
      .map((one) => ({ ...one, from: asSeenFrom(path, source.path, one.from, language) })),
  );
  const [first] = found;
  if (!first || first.from === undefined) return undefined;
  if (found.some(({ from, imported }) => from !== first.from || imported !== first.imported)) return undefined;
  return { ...first, from: first.from, type: found.every(({ type }) => type) };
}

/** What a module is called in one file that another one calls `from`; undefined where that cannot be said. */
function asSeenFrom(path: string, other: string, from: string, language: ImportLanguage): string | undefined {
  const [here, there] = [posix.dirname(path), posix.dirname(other)];
  if (!from.startsWith('.')) return from;
  if (language === 'python') return here === there ? from : undefined;
  const target = posix.join(there, from);
  if (target.replace(/\.\w+$/, '') === path.replace(/\.\w+$/, '')) return undefined;
  const relative = posix.relative(here, target);
  return relative === '' ? undefined : relative.startsWith('.') ? relative : `./${relative}`;
}

/** Where an import goes into a text, and how it is written there. */
export function insertionOf(text: string, wanted: Import, language: ImportLanguage): Insertion {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  return joining(text, wanted, language) ?? newLine(text, wanted, language, end);
}

/** Adds to the braces, or the list, of an import from the same module. */
function joining(text: string, wanted: Import, language: ImportLanguage): Insertion | undefined {
  const { imported, name, from, type } = wanted;
  if (imported === 'default' || imported === '*') return undefined;
  const word = imported === name ? name : `${imported} as ${name}`;
  if (language === 'python') {
    const line = [...text.matchAll(FROM_IMPORT)].find(
      ([, module, list = '']) => module === from && !/[()*]/.test(list),
    );
    return line && { offset: line.index + line[0].trimEnd().length, text: `, ${word}` };
  }
  for (const { 0: statement, 1: typeOnly, 2: clause = '', 4: module, index } of text.matchAll(SCRIPT_IMPORT)) {
    if (module !== from || (typeOnly !== undefined && !type) || !/\w\s*,?\s*\}/.test(clause)) continue;
    const last = /(\w)\s*,?\s*\}/.exec(statement)!;
    const word_ = type && typeOnly === undefined ? `type ${word}` : word;
    return { offset: index + last.index + 1, text: `, ${word_}` };
  }
  return undefined;
}

/** A line of its own behind the last import, or where there is none behind what heads the file. */
function newLine(text: string, wanted: Import, language: ImportLanguage, end: string): Insertion {
  const patterns = language === 'python' ? [FROM_IMPORT, PLAIN_IMPORT] : [SCRIPT_IMPORT, REQUIRE];
  const all = patterns.flatMap((pattern) => [...text.matchAll(pattern)]);
  const last = all.reduce((far, { 0: statement, index }) => Math.max(far, index + statement.length), -1);
  const style = all[0]?.[0] ?? '';
  const line = statementOf(wanted, language, style, all.length > 0 && all.every(([one]) => one.includes('require(')));
  if (last < 0) {
    const offset = headOf(text, language);
    return { offset, text: `${line}${end}${end}` };
  }
  const newline = text.indexOf('\n', last);
  if (newline < 0) return { offset: text.length, text: `${end}${line}` };
  return { offset: newline + 1, text: `${line}${end}` };
}

function statementOf({ name, imported, from, type }: Import, language: ImportLanguage, style: string, old: boolean) {
  const as = imported === name ? name : `${imported} as ${name}`;
  if (language === 'python') {
    if (imported !== '*') return `from ${from} import ${as}`;
    return from === name ? `import ${name}` : `import ${from} as ${name}`;
  }
  const quote = style.includes('"') ? '"' : "'";
  const stop = style === '' || style.endsWith(';') ? ';' : '';
  if (old) {
    const target = imported === 'default' || imported === '*' ? name : `{ ${as.replace(' as ', ': ')} }`;
    return `const ${target} = require(${quote}${from}${quote})${stop}`;
  }
  const clause = imported === 'default' ? name : imported === '*' ? `* as ${name}` : `{ ${as} }`;
  return `import ${type ? 'type ' : ''}${clause} from ${quote}${from}${quote}${stop}`;
}

/** Where the code of a file begins: behind `#!`, comments and directives or the docstring at its top. */
function headOf(text: string, language: ImportLanguage): number {
  const head =
    language === 'python'
      ? /^(?:#.*\r?\n)*(?:(?:"""[^]*?"""|'''[^]*?''')[ \t]*\r?\n)?(?:\r?\n)*/
      : /^(?:#!.*\r?\n)?(?:\/\*[^]*?\*\/[ \t]*\r?\n|\/\/.*\r?\n|['"]use \w+['"];?[ \t]*\r?\n)*(?:\r?\n)*/;
  return head.exec(text)?.[0].length ?? 0;
}
