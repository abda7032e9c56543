const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * What a text would need at its end for its own brackets, quotes and blocks to be closed; undefined where that cannot be
 * said, since it ends in the middle of an expression. Quotes are followed within a line, templates and comments roughly.
 */
export function closersOf(text: string, grammar: string): string | undefined {
  const code = text.trimEnd();
  if (/(?:[=+\-*/%&|^<>?,.]|=>|\b(?:return|extends|implements|new|in|of|and|or|not|as|await|typeof))$/.test(code)) {
    return undefined;
  }
  const open: string[] = [];
  let quote = '';
  for (let i = 0; i < code.length; i++) {
    const character = code[i] as string;
    if (character === '\\') {
      i++;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\n' && quote !== '`') quote = '';
    } else if (/["'`]/.test(character)) {
      quote = character;
    } else if (character === '/' && code[i + 1] === '/') {
      const end = code.indexOf('\n', i);
      i = end === -1 ? code.length : end;
    } else if (CLOSERS[character] !== undefined) {
      open.push(CLOSERS[character]);
    } else if (character === open.at(-1)) {
      open.pop();
    }
  }
  const body = grammar === 'python' && code.endsWith(':') && open.length === 0 ? ' pass' : '';
  return quote + body + open.reverse().join('');
}
