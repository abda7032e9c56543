import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { copyAt } from '../../../src/completion/copy';
import { heal } from '../../../src/completion/heal';
import { ContextMemory } from '../../../src/memory/context';
import { SPECIAL, tinyTokenizer } from '../../fixtures';

const tokenizer = tinyTokenizer();
const cursor = { indentation: 0, finishedLine: false, maxLines: 1 };

/** What is offered behind a text, where `known` stands elsewhere. */
function after(known: string, typed: string, maxLines = 1) {
  const memory = new ContextMemory(tokenizer, tokenizer.size, 64);
  memory.show([{ key: 'related', text: known, own: false }], 0);
  const window = tokenizer.encode(typed);
  const find = (context: readonly number[]) => memory.draft(context, 40);
  const options = { endTokens: [SPECIAL.end], cursor: { ...cursor, maxLines } };
  return copyAt(find, window, heal(window, tokenizer), tokenizer, options);
}

describe('the copy of what stands elsewhere', () => {
  const known = 'const registry = createRegistry(options);\nregistry.announce(everyone, loudly);\n';

  const table: [typed: string, copy: string][] = [
    ['registry.announce(', 'everyone, loudly);'],
    ['const registry =', ' createRegistry(options);'],
    // The end of what was typed is the beginning of a token there.
    ['const registry = createReg', 'istry(options);'],
    ['registry.annou', 'nce(everyone, loudly);'],
  ];
  for (const [typed, copy] of table) {
    test(`${JSON.stringify(typed)} goes on as it did there`, () => {
      const candidate = after(known, typed);
      assert.equal(candidate?.text, copy);
      assert.equal(tokenizer.decode([...heal(tokenizer.encode(typed), tokenizer).tokens, ...candidate.tokens]).trimEnd(), typed + copy); // prettier-ignore
    });
  }

  test('it has as many lines as are wanted', () => {
    assert.equal(after(known, 'const registry', 2)?.text, ' = createRegistry(options);\nregistry.announce(everyone, loudly);'); // prettier-ignore
  });

  test('where nothing like it is known, or what is known goes on otherwise, there is none', () => {
    assert.equal(after('', 'const registry'), undefined);
    assert.equal(after('§ ¶\n', 'zq'), undefined);
  });
});
