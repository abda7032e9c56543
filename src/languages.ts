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
  /**
   * Its TextMate grammar, which tells comments and strings from code: the scope name of one that `tm-grammars` has under a
   * permissive licence, or of one of our own (src/scopes/grammars.ts).
   */
  readonly textMate?: string;
  /** Where there is no such grammar: what begins a comment that ends with its line, as a regular expression. */
  readonly lineComment?: string;
}

/** The one table of languages, by the identifiers of VS Code, which `thoughtline.languages` knows them by. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  astro: { textMate: 'source.astro' },
  bat: { textMate: 'source.batchfile' },
  c: { endings: ['c', 'h'], textMate: 'source.c' },
  clojure: { endings: ['clj', 'cljs', 'cljc'], textMate: 'source.clojure' },
  cmake: { textMate: 'source.cmake' },
  coffeescript: { textMate: 'source.coffee' },
  cpp: { endings: ['cpp', 'cc', 'cxx', 'hh', 'hpp', 'hxx', 'inl'], textMate: 'source.cpp' },
  crystal: { textMate: 'source.crystal' },
  csharp: { endings: ['cs'], textMate: 'source.cs' },
  css: { endings: ['css'], textMate: 'source.css' },
  'cuda-cpp': { textMate: 'source.cpp' },
  d: { textMate: 'source.d' },
  dart: { endings: ['dart'], textMate: 'source.dart' },
  dockercompose: { lineComment: '#' },
  dockerfile: { textMate: 'source.dockerfile' },
  dotenv: { textMate: 'source.dotenv' },
  elixir: { endings: ['ex', 'exs'], textMate: 'source.elixir' },
  erlang: { endings: ['erl', 'hrl'], textMate: 'source.erlang' },
  fsharp: { endings: ['fs', 'fsx'], textMate: 'source.fsharp' },
  go: { endings: ['go'], textMate: 'source.go' },
  graphql: { endings: ['graphql', 'gql'], textMate: 'source.graphql' },
  groovy: { endings: ['groovy', 'gradle'], textMate: 'source.groovy' },
  handlebars: { textMate: 'text.html.handlebars' },
  haskell: { endings: ['hs'], textMate: 'source.haskell' },
  html: { endings: ['html', 'htm'], textMate: 'text.html.derivative' },
  ini: { lineComment: '[;#]' },
  java: { endings: ['java'], textMate: 'source.java' },
  javascript: { endings: ['js', 'mjs', 'cjs'], parser: 'javascript', textMate: 'source.js' },
  javascriptreact: { endings: ['jsx'], parser: 'javascript', textMate: 'source.js' },
  json: { endings: ['json'], data: true, textMate: 'source.json' },
  json5: { textMate: 'source.json5' },
  jsonc: { textMate: 'source.json.comments' },
  julia: { endings: ['jl'], textMate: 'source.julia' },
  kotlin: { endings: ['kt', 'kts'], textMate: 'source.kotlin' },
  latex: { textMate: 'text.tex.latex' },
  less: { endings: ['less'], textMate: 'source.css.less' },
  lisp: { textMate: 'source.commonlisp' },
  lua: { endings: ['lua'], textMate: 'source.lua' },
  makefile: { textMate: 'source.makefile' },
  markdown: { endings: ['md'], textMate: 'text.html.markdown' },
  nix: { textMate: 'source.nix' },
  'objective-c': { endings: ['m'], textMate: 'source.objc' },
  'objective-cpp': { textMate: 'source.objcpp' },
  ocaml: { endings: ['ml', 'mli'], textMate: 'source.ocaml' },
  pascal: { textMate: 'source.pascal' },
  perl: { endings: ['pl', 'pm'], textMate: 'source.perl' },
  perl6: { textMate: 'source.perl.6' },
  php: { endings: ['php'], textMate: 'text.html.php' },
  powershell: { endings: ['ps1', 'psm1'], textMate: 'source.powershell' },
  properties: { lineComment: '[#!]' },
  proto3: { endings: ['proto'], textMate: 'source.proto' },
  python: { endings: ['py', 'pyi'], parser: 'python', textMate: 'source.python' },
  r: { endings: ['r'], textMate: 'source.r' },
  raku: { textMate: 'source.perl.6' },
  ruby: { endings: ['rb'], textMate: 'source.ruby' },
  rust: { endings: ['rs'], textMate: 'source.rust' },
  scala: { endings: ['scala'], textMate: 'source.scala' },
  scheme: { textMate: 'source.scheme' },
  scss: { endings: ['scss'], textMate: 'source.css.scss' },
  shellscript: { endings: ['sh', 'bash', 'zsh'], textMate: 'source.shell' },
  solidity: { textMate: 'source.solidity' },
  sql: { endings: ['sql'], textMate: 'source.sql' },
  svelte: { endings: ['svelte'], textMate: 'source.svelte' },
  swift: { endings: ['swift'], textMate: 'source.swift' },
  terraform: { lineComment: '#' },
  tex: { textMate: 'text.tex' },
  toml: { lineComment: '#' },
  typescript: { endings: ['ts', 'mts', 'cts'], parser: 'typescript', textMate: 'source.ts' },
  typescriptreact: { endings: ['tsx'], parser: 'tsx', textMate: 'source.tsx' },
  vb: { textMate: 'source.asp.vb.net' },
  verilog: { textMate: 'source.verilog' },
  vhdl: { textMate: 'source.vhdl' },
  vue: { endings: ['vue'], textMate: 'text.html.vue' },
  xml: { textMate: 'text.xml' },
  yaml: { endings: ['yaml', 'yml'], data: true, lineComment: '#' },
  zig: { endings: ['zig'], textMate: 'source.zig' },
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

/** Grammars that no language has as its own, but that others take parts of. */
export const EMBEDDED_GRAMMARS: readonly string[] = ['source.cpp.embedded.macro', 'source.php', 'text.html.basic'];
