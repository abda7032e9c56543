/** Grammars of the syntax check, of those that `@vscode/tree-sitter-wasm` has; src/syntax/rules.ts says what each needs. */
export type ParserName = 'javascript' | 'typescript' | 'tsx' | 'python';

/** What is known of a language; whoever needs more of it adds a column. */
export interface Language {
  /**
   * Endings of its source files, without the dot: an untitled document is named by the first, closed files of the
   * workspace are read by all of them. A language without any is completed all the same.
   */
  readonly endings?: readonly string[];
  /** Its files are data: closed ones are not read. */
  readonly data?: true;
  /** Its grammar for the syntax check. */
  readonly parser?: ParserName;
}

/** The one table of languages, by the identifiers of VS Code, which `thoughtline.languages` knows them by. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  c: { endings: ['c', 'h'] },
  clojure: { endings: ['clj', 'cljs', 'cljc'] },
  cpp: { endings: ['cpp', 'cc', 'cxx', 'hh', 'hpp', 'hxx', 'inl'] },
  csharp: { endings: ['cs'] },
  css: { endings: ['css'] },
  dart: { endings: ['dart'] },
  elixir: { endings: ['ex', 'exs'] },
  erlang: { endings: ['erl', 'hrl'] },
  fsharp: { endings: ['fs', 'fsx'] },
  go: { endings: ['go'] },
  graphql: { endings: ['graphql', 'gql'] },
  groovy: { endings: ['groovy', 'gradle'] },
  haskell: { endings: ['hs'] },
  html: { endings: ['html', 'htm'] },
  java: { endings: ['java'] },
  javascript: { endings: ['js', 'mjs', 'cjs'], parser: 'javascript' },
  javascriptreact: { endings: ['jsx'], parser: 'javascript' },
  json: { endings: ['json'], data: true },
  julia: { endings: ['jl'] },
  kotlin: { endings: ['kt', 'kts'] },
  less: { endings: ['less'] },
  lua: { endings: ['lua'] },
  markdown: { endings: ['md'] },
  'objective-c': { endings: ['m'] },
  ocaml: { endings: ['ml', 'mli'] },
  perl: { endings: ['pl', 'pm'] },
  php: { endings: ['php'] },
  powershell: { endings: ['ps1', 'psm1'] },
  proto3: { endings: ['proto'] },
  python: { endings: ['py', 'pyi'], parser: 'python' },
  r: { endings: ['r'] },
  ruby: { endings: ['rb'] },
  rust: { endings: ['rs'] },
  scala: { endings: ['scala'] },
  scss: { endings: ['scss'] },
  shellscript: { endings: ['sh', 'bash', 'zsh'] },
  sql: { endings: ['sql'] },
  svelte: { endings: ['svelte'] },
  swift: { endings: ['swift'] },
  typescript: { endings: ['ts', 'mts', 'cts'], parser: 'typescript' },
  typescriptreact: { endings: ['tsx'], parser: 'tsx' },
  vue: { endings: ['vue'] },
  yaml: { endings: ['yaml', 'yml'], data: true },
  zig: { endings: ['zig'] },
};

const BY_ENDING: ReadonlyMap<string, string> = new Map(
  Object.entries(LANGUAGES).flatMap(([id, { endings = [] }]) => endings.map((ending) => [ending, id] as const)),
);

/** A language by its identifier. */
export function languageOf(id: string): Language | undefined {
  return Object.hasOwn(LANGUAGES, id) ? LANGUAGES[id] : undefined;
}

/** A language's identifier by the ending of a path. */
export function languageIdOfPath(path: string): string | undefined {
  const ending = /\.([^./\\]+)$/.exec(path)?.[1];
  return ending === undefined ? undefined : BY_ENDING.get(ending.toLowerCase());
}

/** A language by the ending of a path. */
export function languageOfPath(path: string): Language | undefined {
  return languageOf(languageIdOfPath(path) ?? '');
}

/** Endings of the source files of languages that are on, without the dot. */
export function endingsOf(enabled: (language: string) => boolean): string[] {
  return Object.entries(LANGUAGES).flatMap(([id, { endings, data }]) =>
    endings && !data && enabled(id) ? endings : [],
  );
}
