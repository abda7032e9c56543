/** What the text at a place is to a reader. In doubt it is code. */
export type Scope = 'code' | 'comment' | 'string';

/** Names of TextMate scopes, by what they say of the text; the first that fits a name decides. */
const MEANINGS: readonly (readonly [pattern: RegExp, scope: Scope | undefined])[] = [
  // Code inside a string: what is interpolated, a command that is substituted, another language.
  [/^(?:meta\.(?:embedded|template\.expression|interpolation|scope\.subshell)|variable\.interpolation)\b/, 'code'],
  [/^(?:source\.|string\.interpolated\.(?:dollar|backtick)\.shell)/, 'code'],
  [/^comment\b/, 'comment'],
  // Text without quotes is a string where a here-document has been opened; elsewhere words, arguments, values.
  [/^string\.unquoted\.(?!.*heredoc)/, undefined],
  // A regular expression is code; Python's raw strings are only named after them.
  [/^string\.regexp(?!\.quoted\.\w+\.python)/, 'code'],
  // Names in quotes, targets of links.
  [/^string\.(?:quoted\.other\.backtick\.sql|other\.link)\b/, 'code'],
  [/^string\b/, 'string'],
];

/**
 * @param scopes of a token, as `vscode-textmate` tells them: the language's own first, the innermost last
 * @returns what the innermost one that says anything says
 */
export function scopeOf(scopes: readonly string[]): Scope {
  for (const name of scopes.toReversed()) {
    const scope = MEANINGS.find(([pattern]) => pattern.test(name))?.[1];
    if (scope !== undefined) return scope;
  }
  return 'code';
}
