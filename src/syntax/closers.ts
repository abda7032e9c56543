import { LANGUAGES } from '../languages';
import { familyOf, type Family } from './families';
import { scan } from './scanner';

/**
 * What a text would need at its end for its own brackets, quotes, tags and blocks to be closed; undefined where that cannot
 * be said, since it ends in the middle of an expression.
 */
export function closersOf(text: string, grammar: string): string | undefined {
  const code = text.trimEnd();
  if (/(?:[=+\-*/%&|^<>?,.]|=>|\b(?:return|extends|implements|new|in|of|and|or|not|as|await|typeof))$/.test(code)) {
    return undefined;
  }
  const { open } = scan(code, familyOfGrammar(grammar));
  const close = open.filter(({ soft, kind }) => !soft && kind !== 'angle').map((frame) => frame.close);
  const body = grammar === 'python' && code.endsWith(':') && close.length === 0 ? ' pass' : '';
  return body + close.reverse().join('');
}

function familyOfGrammar(grammar: string): Family {
  const language = Object.values(LANGUAGES).find(({ parser }) => parser === grammar);
  return familyOf(`.${language?.endings?.[0]}`);
}
