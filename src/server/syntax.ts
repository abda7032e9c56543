/**
 * Whether a cursor stands in code, in a comment or in a string: by the lexical rules of the language's family, from the
 * beginning of the text on. No grammar is loaded; what a family has in common (delimiters, escapes, nesting) is enough to
 * tell the three apart. A string that may not span lines ends with its line whatever it holds, so that an apostrophe in a
 * place where none was expected costs one line and not the rest of the file.
 */

export type Scope = 'code' | 'comment' | 'string';

interface StringRule {
  /** What opens it: literal text, or a pattern whose first group, if it has one, stands in for `$1` in `close`. */
  readonly open: string | RegExp;
  readonly close: string;
  readonly multiline?: boolean;
  /** `\`: the next character is taken as it is. `double`: the closing delimiter twice stands for itself. */
  readonly escape?: 'backslash' | 'double' | 'none';
  /** Code inside the string, from this text to the `}` that matches. */
  readonly interpolation?: string;
}

interface Family {
  readonly line?: readonly (string | RegExp)[];
  readonly block?: readonly { readonly open: string; readonly close: string; readonly nested?: boolean }[];
  /** Longer openings before shorter ones. */
  readonly strings?: readonly StringRule[];
  /** Pieces of code that look like the beginning of a string or comment and are none. */
  readonly code?: readonly RegExp[];
  /** Characters with which the patterns above begin. */
  readonly starts?: string;
  /** `/…/` is a regular expression where an operand is expected. */
  readonly regex?: boolean;
}

const cBlock = { open: '/*', close: '*/' };
const nestedBlock = { ...cBlock, nested: true };
const double: StringRule = { open: '"', close: '"' };
const single: StringRule = { open: "'", close: "'" };
const tripleDouble: StringRule = { open: '"""', close: '"""', multiline: true };
const tripleSingle: StringRule = { open: "'''", close: "'''", multiline: true };
const plainSingle: StringRule = { open: "'", close: "'", multiline: true, escape: 'none' };
const shellDouble: StringRule = { ...double, multiline: true };

/** `#` begins a comment only where a word could begin. */
const hashWord = /(?<![^\s;&|()])#/y;

const javascript: Family = {
  line: ['//', /(?<![^])#!/y],
  starts: '#',
  block: [cBlock],
  strings: [double, single, { open: '`', close: '`', multiline: true, interpolation: '${' }],
  regex: true,
};
const c: Family = {
  line: ['//'],
  block: [cBlock],
  strings: [{ open: /R"([^\s()\\]{0,16})\(/y, close: ')$1"', multiline: true, escape: 'none' }, double, single],
  code: [/\d'(?=[\da-fA-F])/y],
  starts: 'R0123456789',
};
const java: Family = { line: ['//'], block: [cBlock], strings: [tripleDouble, double, single] };
const python: Family = { line: ['#'], strings: [tripleDouble, tripleSingle, double, single] };
const shell: Family = {
  line: [hashWord],
  strings: [shellDouble, plainSingle],
  code: [/\\[^]/y, /\$#/y],
  starts: '#\\$',
};
const lisp: Family = { line: [';'], strings: [shellDouble], code: [/\\[^]/y], starts: '\\' };
const sql: Family = {
  line: ['--'],
  block: [cBlock],
  strings: [
    { open: "'", close: "'", multiline: true, escape: 'double' },
    { open: '"', close: '"', multiline: true, escape: 'double' },
  ],
};
const markup: Family = { block: [{ open: '<!--', close: '-->' }] };
const css: Family = { block: [cBlock], strings: [double, single] };
const ml: Family = {
  block: [{ open: '(*', close: '*)', nested: true }],
  strings: [tripleDouble, shellDouble],
  code: [/'(?:\\.|[^\\'\n])'/y],
  starts: "'",
};

const families: Readonly<Record<string, Family>> = {
  javascript,
  javascriptreact: javascript,
  typescript: javascript,
  typescriptreact: javascript,
  json: { strings: [double] },
  jsonc: { line: ['//'], block: [cBlock], strings: [double] },
  json5: { line: ['//'], block: [cBlock], strings: [double, single] },
  c,
  cpp: c,
  'cuda-cpp': c,
  'objective-c': c,
  'objective-cpp': c,
  java,
  kotlin: { ...java, block: [nestedBlock] },
  scala: { ...java, block: [nestedBlock] },
  groovy: { ...java, strings: [tripleDouble, tripleSingle, double, single] },
  dart: { ...java, block: [nestedBlock], strings: [tripleDouble, tripleSingle, double, single] },
  swift: { line: ['//'], block: [nestedBlock], strings: [tripleDouble, double] },
  csharp: {
    starts: '$@',
    line: ['//'],
    block: [cBlock],
    strings: [tripleDouble, { open: /(?:\$@|@\$|@)"/y, close: '"', multiline: true, escape: 'double' }, double, single],
  },
  go: {
    line: ['//'],
    block: [cBlock],
    strings: [{ open: '`', close: '`', multiline: true, escape: 'none' }, double, single],
  },
  rust: {
    starts: "'br",
    line: ['//'],
    block: [nestedBlock],
    strings: [{ open: /(?<![A-Za-z0-9_])b?r(#{0,8})"/y, close: '"$1', multiline: true, escape: 'none' }, shellDouble],
    // Characters; what is left of apostrophes are lifetimes.
    code: [/'(?:\\[^]|[^\\'\n])'/y],
  },
  php: { line: ['//', '#'], block: [cBlock], strings: [shellDouble, { ...single, multiline: true }] },
  css,
  scss: { ...css, line: ['//'] },
  less: { ...css, line: ['//'] },
  python,
  ruby: {
    starts: '#',
    line: [hashWord],
    block: [{ open: '\n=begin', close: '\n=end' }],
    strings: [shellDouble, { ...single, multiline: true }, { open: '`', close: '`', multiline: true }],
  },
  perl: { starts: '#', line: [hashWord], strings: [shellDouble, { ...single, multiline: true }] },
  r: { line: ['#'], strings: [shellDouble, { ...single, multiline: true }] },
  julia: { line: ['#'], block: [{ open: '#=', close: '=#', nested: true }], strings: [tripleDouble, double] },
  elixir: { line: ['#'], strings: [tripleDouble, shellDouble, single] },
  shellscript: shell,
  powershell: {
    line: ['#'],
    block: [{ open: '<#', close: '#>' }],
    strings: [
      { open: '"', close: '"', multiline: true, escape: 'double' },
      { open: "'", close: "'", multiline: true, escape: 'double' },
    ],
  },
  dockerfile: shell,
  makefile: { line: ['#'] },
  yaml: {
    starts: `#'`,
    line: [hashWord],
    strings: [double, { open: /(?<![^\s:[{,-])'/y, close: "'", escape: 'double' }],
  },
  toml: {
    line: ['#'],
    strings: [tripleDouble, { ...tripleSingle, escape: 'none' }, double, { ...single, escape: 'none' }],
  },
  ini: { starts: '#', line: [';', hashWord] },
  properties: { line: ['#'] },
  sql,
  lua: {
    block: [{ open: '--[[', close: ']]' }],
    line: ['--'],
    strings: [{ open: '[[', close: ']]', multiline: true, escape: 'none' }, double, single],
  },
  haskell: {
    line: ['--'],
    block: [{ open: '{-', close: '-}', nested: true }],
    strings: [double],
    code: [/'(?:\\[^]|[^\\'\n])'/y],
    starts: "'",
  },
  ocaml: ml,
  fsharp: { ...ml, line: ['//'] },
  clojure: lisp,
  lisp,
  scheme: lisp,
  latex: { starts: '\\', line: ['%'], code: [/\\[^]/y] },
  tex: { starts: '\\', line: ['%'], code: [/\\[^]/y] },
  erlang: { starts: '$', line: ['%'], strings: [shellDouble], code: [/\$[^]/y] },
  vb: { line: ["'"], strings: [{ ...double, escape: 'double' }] },
  html: markup,
  xml: markup,
};

/** Languages whose comments and strings are told from their code. */
export const scannedLanguages: readonly string[] = Object.keys(families);

/**
 * Where the end of a text stands.
 * @param prefix the text before the cursor, from the beginning of the file, line ends `\n`
 * @returns undefined for languages whose rules are not known
 */
export function scopeAtEnd(prefix: string, languageId: string): Scope | undefined {
  if (!Object.hasOwn(families, languageId)) return undefined;
  return new Scanner(prefix, families[languageId]!).run();
}

/** Words after which `/` begins a regular expression. */
const beforeOperand = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/;

const plainTexts = new Map<Family, RegExp>();

/** Text in which nothing can begin or end: most of a file. */
function plainText(family: Family): RegExp {
  let pattern = plainTexts.get(family);
  if (!pattern) {
    const openings = [...(family.line ?? []), ...(family.block ?? []), ...(family.strings ?? [])].map((opening) =>
      typeof opening === 'object' && 'open' in opening ? opening.open : opening,
    );
    const first = openings.flatMap((opening) => (typeof opening === 'string' ? opening[0]! : []));
    const special = `{}${family.starts ?? ''}${first.join('')}`.replace(/[\]\\^-]/g, '\\$&');
    pattern = new RegExp(`[^${special}]+`, 'y');
    plainTexts.set(family, pattern);
  }
  return pattern;
}

class Scanner {
  #at = 0;
  /** Braces open in each interpolation that is open, innermost last, and the string to go back to. */
  readonly #inside: { depth: number; rule: StringRule; close: string }[] = [];

  constructor(
    private readonly text: string,
    private readonly family: Family,
  ) {}

  run(): Scope {
    const { text } = this;
    const plain = plainText(this.family);
    while (this.#at < text.length) {
      plain.lastIndex = this.#at;
      this.#at += plain.exec(text)?.[0].length ?? 0;
      if (this.#at >= text.length) break;
      const scope = this.#step();
      if (scope) return scope;
    }
    return 'code';
  }

  /** One piece of code. @returns the scope in which the text ends, if it ends inside of that piece */
  #step(): Scope | undefined {
    const { text, family } = this;
    for (const pattern of family.code ?? []) {
      if (this.#take(pattern) !== undefined) return undefined;
    }
    for (const block of family.block ?? []) {
      if (this.#take(block.open) !== undefined) return this.#block(block);
    }
    for (const line of family.line ?? []) {
      if (this.#take(line) === undefined) continue;
      const end = text.indexOf('\n', this.#at);
      if (end < 0) return 'comment';
      this.#at = end;
      return undefined;
    }
    if (family.regex && text[this.#at] === '/' && this.#expectsOperand() && this.#take(regexLiteral) !== undefined) {
      return undefined;
    }
    for (const rule of family.strings ?? []) {
      const opened = this.#take(rule.open);
      if (opened !== undefined)
        return this.#string(
          rule,
          rule.close.replace('$1', () => opened),
        );
    }
    return this.#code();
  }

  #code(): Scope | undefined {
    const innermost = this.#inside.at(-1);
    const character = this.text[this.#at++];
    if (!innermost) return undefined;
    if (character === '{') innermost.depth++;
    if (character === '}' && --innermost.depth === 0) {
      this.#inside.pop();
      return this.#string(innermost.rule, innermost.close);
    }
    return undefined;
  }

  #block({ open, close, nested }: { open: string; close: string; nested?: boolean }): Scope | undefined {
    for (let depth = 1; depth > 0;) {
      const end = this.text.indexOf(close, this.#at);
      const inner = nested ? this.text.indexOf(open, this.#at) : -1;
      if (end < 0) return 'comment';
      if (inner >= 0 && inner < end) {
        depth++;
        this.#at = inner + open.length;
      } else {
        depth--;
        this.#at = end + close.length;
      }
    }
    return undefined;
  }

  #string(rule: StringRule, close: string): Scope | undefined {
    const { text } = this;
    const { multiline, interpolation, escape = 'backslash' } = rule;
    while (this.#at < text.length) {
      const character = text[this.#at]!;
      if (escape === 'backslash' && character === '\\') {
        this.#at += 2;
      } else if (text.startsWith(close, this.#at)) {
        this.#at += close.length;
        if (escape !== 'double' || !text.startsWith(close, this.#at)) return undefined;
        this.#at += close.length;
      } else if (character === '\n' && !multiline) {
        return undefined;
      } else if (interpolation !== undefined && text.startsWith(interpolation, this.#at)) {
        this.#at += interpolation.length;
        this.#inside.push({ depth: 1, rule, close });
        return undefined;
      } else {
        this.#at++;
      }
    }
    return 'string';
  }

  /** Goes beyond an opening, if it is here. @returns its first group, or "" */
  #take(opening: string | RegExp): string | undefined {
    if (typeof opening === 'string') {
      if (!this.text.startsWith(opening, this.#at)) return undefined;
      this.#at += opening.length;
      return '';
    }
    opening.lastIndex = this.#at;
    const match = opening.exec(this.text);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match[1] ?? '';
  }

  /** Whether a value, not an operator, comes next: what stands before tells. */
  #expectsOperand(): boolean {
    const before = this.text.slice(Math.max(0, this.#at - 64), this.#at).trimEnd();
    return before === '' || !/[\w$)\]}"'`]$/.test(before) || beforeOperand.test(before);
  }
}

/** A regular expression on one line: `/` inside of a class does not end it. */
const regexLiteral = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;
