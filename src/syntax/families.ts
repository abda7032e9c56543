import { languageIdOfPath } from '../languages';

/** How a string is written. */
export interface StringRule {
  /** What opens it: literal text, or a sticky pattern whose first group, if it has one, stands for `$1` in `close`. */
  readonly open: string | RegExp;
  readonly close: string;
  /** What takes the next character as it is (default: a backslash); '' = nothing does. */
  readonly escape?: string;
  readonly multiline?: boolean;
  /** What opens code inside of it, up to the bracket that closes it. */
  readonly code?: string;
}

/** What the languages of a family have in common, as far as brackets, quotes and comments go. */
export interface Family {
  /** What begins a comment to the end of the line. */
  readonly line?: readonly (string | RegExp)[];
  readonly block?: readonly (readonly [open: string, close: string])[];
  /** Longer openings before shorter ones. */
  readonly strings?: readonly StringRule[];
  /** Brackets in addition to (), [] and {}. */
  readonly pairs?: readonly (readonly [open: string, close: string])[];
  /** Pieces of code that look like the beginning of a string or bracket and are none. */
  readonly plain?: readonly RegExp[];
  /** `text`: prose with tags, in which quotes and brackets mean nothing; `jsx`: tags where an operand is expected. */
  readonly markup?: 'text' | 'jsx';
  /** `<` directly after a name opens type arguments. */
  readonly angles?: boolean;
  /** `/…/` is a regular expression where an operand is expected. */
  readonly regex?: boolean;
  /** An apostrophe opens a string directly after a word, too. */
  readonly adjacent?: boolean;
  /** What announces a here-document; its first group is the line that ends it. */
  readonly heredoc?: RegExp;
  /** Indentation is syntax: a line may stand deeper than the one above only where that one opens a block. */
  readonly offside?: 'yaml' | 'code';
}

const slashes = /(?<!:)\/\//y;
/** `#` begins a comment only where a word could begin. */
const hashWord = /(?<![^\s;&|()])#/y;
const cBlock = ['/*', '*/'] as const;
const double: StringRule = { open: '"', close: '"' };
const single: StringRule = { open: "'", close: "'" };
const tripleDouble: StringRule = { open: '"""', close: '"""', multiline: true };
const tripleSingle: StringRule = { open: "'''", close: "'''", multiline: true };
const raw = (quote: string): StringRule => ({ open: quote, close: quote, multiline: true, escape: '' });
/** Literals of one character; what is left of apostrophes are lifetimes, labels, type variables and primes. */
const characters = [/'(?:\\(?:u\{[^}'\n]{0,8}\}|x[\da-fA-F]{2}|[^])|[^\\'\n])'/y, /'[\p{L}_][\p{L}\p{N}_]*/uy];

const script: Family = {
  line: [slashes],
  block: [cBlock],
  strings: [double, single, { open: '`', close: '`', multiline: true, code: '${' }],
  angles: true,
  regex: true,
};
const jsx: Family = { ...script, markup: 'jsx' };
const c: Family = {
  line: [slashes],
  block: [cBlock],
  strings: [{ open: /(?<=R)"([^\s()\\]{0,16})\(/y, close: ')$1"', multiline: true, escape: '' }, double, single],
  plain: [/(?<=[\da-fA-F])'(?=[\da-fA-F])/y],
  angles: true,
};
const java: Family = { line: [slashes], block: [cBlock], strings: [tripleDouble, double, single], angles: true };
const dollars: Family = { ...java, strings: [{ ...tripleDouble, code: '${' }, { ...double, code: '${' }, single] };
const shell: Family = {
  line: [hashWord],
  strings: [{ ...double, multiline: true, code: '$(' }, { open: /(?<=\$)'/y, close: "'", multiline: true }, raw("'")],
  pairs: [
    ['${', '}'],
    ['$(', ')'],
  ],
  plain: [/\\[^]/y],
  adjacent: true,
  heredoc: /(?<!<)<<[-~]?\s?\\?['"]?([A-Za-z_]\w*)['"]?/y,
};
const ruby: Family = {
  line: [hashWord],
  strings: [
    { ...double, multiline: true, code: '#{' },
    { ...single, multiline: true },
    { open: '`', close: '`' },
  ],
  regex: true,
  heredoc: /<<[-~]['"]?([A-Z_]\w*)['"]?/y,
};
const sql: Family = { line: ['--'], block: [cBlock], strings: [raw("'"), raw('"'), { open: '`', close: '`' }] };
const islands = [
  ['<?', '?>'],
  ['<%', '%>'],
  ['{%', '%}'],
] as const;
const markup: Family = { block: [['<!--', '-->']], strings: [double, single], pairs: islands, markup: 'text' };
const css: Family = { block: [cBlock], strings: [double, single] };
const lisp: Family = { line: [';'], strings: [{ ...double, multiline: true }], plain: [/\\[^]/y] };
const ml: Family = { block: [['(*', '*)']], strings: [{ ...double, multiline: true }], plain: characters };
const hash: Family = { line: ['#'], strings: [tripleDouble, tripleSingle, double, single] };

const FAMILIES: Readonly<Record<string, Family>> = {
  c,
  cpp: c,
  'objective-c': c,
  java,
  csharp: {
    ...java,
    strings: [tripleDouble, { open: /(?<=@\$?)"/y, close: '"', multiline: true, escape: '' }, double, single],
  },
  kotlin: dollars,
  groovy: { ...dollars, strings: [...dollars.strings!.slice(0, 1), tripleSingle, ...dollars.strings!.slice(1)] },
  dart: { ...dollars, strings: [{ ...tripleDouble, code: '${' }, tripleSingle, double, { ...single, code: '${' }] },
  scala: { ...java, strings: [tripleDouble, double], plain: characters, angles: false },
  swift: {
    ...java,
    strings: [
      { ...tripleDouble, code: '\\(' },
      { open: /(?<=#)"/y, close: '"#', escape: '' },
      { ...double, code: '\\(' },
    ],
  },
  go: { line: [slashes], block: [cBlock], strings: [raw('`'), double, single] },
  zig: { line: [slashes], strings: [double, single] },
  proto3: { line: [slashes], block: [cBlock], strings: [double, single], angles: true },
  rust: {
    line: [slashes],
    block: [cBlock],
    strings: [
      { open: /(?<=r)(#{1,8})"/y, close: '"$1', multiline: true, escape: '' },
      { open: /(?<=(?<![\p{L}\p{N}_])b?r)"/uy, close: '"', multiline: true, escape: '' },
      { ...double, multiline: true },
    ],
    plain: characters,
    angles: true,
  },
  typescript: script,
  typescriptreact: jsx,
  javascript: jsx,
  javascriptreact: jsx,
  json: { line: [slashes], block: [cBlock], strings: [double] },
  graphql: { line: ['#'], strings: [tripleDouble, double] },
  php: {
    line: [slashes, /#(?!\[)/y],
    block: [cBlock],
    strings: [
      { ...double, multiline: true, code: '{$' },
      { ...single, multiline: true },
    ],
    pairs: [
      ['<?php', '?>'],
      ['<?', '?>'],
    ],
    heredoc: /<<<['"]?(\w+)['"]?/y,
  },
  python: { ...hash, offside: 'code' },
  ruby,
  perl: {
    ...ruby,
    strings: [
      { ...double, multiline: true },
      { ...single, multiline: true },
    ],
  },
  r: hash,
  julia: { ...hash, block: [['#=', '=#']] },
  elixir: { ...hash, strings: [{ ...tripleDouble, code: '#{' }, { ...double, multiline: true, code: '#{' }, single] },
  shellscript: shell,
  dockerfile: shell,
  powershell: {
    line: ['#'],
    block: [['<#', '#>']],
    strings: [{ ...double, multiline: true, escape: '`', code: '$(' }, raw("'")],
  },
  yaml: {
    line: [hashWord],
    strings: [
      { open: /(?<![^\s:[{,-])"/y, close: '"', multiline: true },
      { open: /(?<![^\s:[{,-])'/y, close: "'", multiline: true, escape: '' },
    ],
    offside: 'yaml',
  },
  toml: { ...hash, strings: [tripleDouble, { ...tripleSingle, escape: '' }, double, { ...single, escape: '' }] },
  sql,
  lua: {
    line: [/--(?!\[\[)/y],
    block: [['--[[', ']]']],
    strings: [{ open: /\[(=*)\[/y, close: ']$1]', multiline: true, escape: '' }, double, single],
  },
  haskell: { line: ['--'], block: [['{-', '-}']], strings: [double], plain: characters },
  ocaml: ml,
  fsharp: { ...ml, line: [slashes] },
  clojure: lisp,
  erlang: { line: ['%'], strings: [{ ...double, multiline: true }, single], plain: [/\$\\?[^]/y] },
  tex: { line: [/(?<!\\)%/y], plain: [/\\[^]/y] },
  css,
  scss: { ...css, line: [slashes] },
  less: { ...css, line: [slashes] },
  html: markup,
  xml: markup,
  svg: markup,
  vue: markup,
  svelte: markup,
  markdown: { ...markup, strings: [{ open: '`', close: '`', escape: '' }] },
};

/** Where nothing is known of a language. */
const UNKNOWN_FAMILY: Family = { strings: [double, single, { open: '`', close: '`' }] };

/** The family of a file's language, by its name. */
export function familyOf(path: string): Family {
  const name = languageIdOfPath(path) ?? /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(FAMILIES, name) ? FAMILIES[name]! : UNKNOWN_FAMILY;
}
