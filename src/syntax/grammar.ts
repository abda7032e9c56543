import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Language, Parser } from '@vscode/tree-sitter-wasm';

/** Grammars by file extension; a file of another kind cannot be judged. */
const GRAMMARS: Readonly<Record<string, string>> = {
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.tsx': 'tsx',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.jsx': 'javascript',
  '.py': 'python',
};

let runtime: Promise<void> | undefined;
const languages = new Map<string, Promise<Language>>();

/** A parser of the language of a file; undefined where there is no grammar for it. Each grammar is loaded once. */
export async function parserFor(path: string): Promise<{ parser: Parser; grammar: string } | undefined> {
  const grammar = GRAMMARS[extname(path).toLowerCase()];
  if (grammar === undefined) return undefined;
  const folder = grammarFolder();
  runtime ??= Parser.init({ locateFile: (file: string) => join(folder, file) });
  await runtime;
  const loading = languages.get(grammar) ?? Language.load(join(folder, `tree-sitter-${grammar}.wasm`));
  languages.set(grammar, loading);
  const parser = new Parser();
  parser.setLanguage(await loading);
  return { parser, grammar };
}

/** Beside a bundled program; from the sources, where the build put it. */
function grammarFolder(): string {
  const beside = join(__dirname, 'grammars');
  return existsSync(beside) ? beside : join(__dirname, '../../dist/grammars');
}
