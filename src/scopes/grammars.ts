import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IGrammar, Registry } from 'vscode-textmate';
import { languageOf } from '../languages';

/** A file of PHP is HTML with PHP in it, anywhere; the grammar `source.php` knows only what stands between the tags. */
const PHP_FILE = {
  scopeName: 'text.html.php',
  patterns: [{ include: 'text.html.basic' }],
  injections: {
    'L:text.html.php - meta.embedded.block.php': {
      patterns: [
        {
          begin: '<\\?(?:(?i:php)\\b|=)?',
          end: '\\?>',
          name: 'meta.embedded.block.php',
          contentName: 'source.php',
          patterns: [{ include: 'source.php' }],
        },
      ],
    },
  },
};

let registry: Promise<Registry> | undefined;

/**
 * The TextMate grammar of a language, which marks comments and strings; undefined where there is none. Everything is
 * loaded when it is first asked for: the engine of regular expressions, the grammar, and those that it embeds.
 */
export async function grammarFor(languageId: string): Promise<IGrammar | undefined> {
  const scopeName = languageOf(languageId)?.textMate;
  if (scopeName === undefined) return undefined;
  registry ??= openRegistry(grammarFolder());
  return (await (await registry).loadGrammar(scopeName)) ?? undefined;
}

async function openRegistry(folder: string): Promise<Registry> {
  const { createOnigScanner, createOnigString, loadWASM } = await import('vscode-oniguruma');
  const { parseRawGrammar, Registry } = await import('vscode-textmate');
  const wasm = await readFile(join(folder, 'onig.wasm'));
  await loadWASM(new Uint8Array(wasm).buffer);
  return new Registry({
    onigLib: Promise.resolve({ createOnigScanner, createOnigString }),
    loadGrammar: async (scopeName) => {
      if (scopeName === PHP_FILE.scopeName) return parseRawGrammar(JSON.stringify(PHP_FILE), 'php.json');
      const path = join(folder, `${scopeName}.json`);
      // What does not ship is left out of the grammars that embed it.
      return existsSync(path) ? parseRawGrammar(await readFile(path, 'utf8'), path) : null;
    },
  });
}

/** Beside a bundled program; from the sources, where the build put it. */
function grammarFolder(): string {
  const beside = join(__dirname, 'textmate');
  return existsSync(beside) ? beside : join(__dirname, '../../dist/textmate');
}
