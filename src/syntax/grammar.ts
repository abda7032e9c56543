import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Language, Parser } from '@vscode/tree-sitter-wasm';
import { languageOfPath, type ParserName } from '../languages';

let runtime: Promise<void> | undefined;
const languages = new Map<string, Promise<Language>>();

/** A parser of the language of a file; undefined where there is no grammar for it. Each grammar is loaded once. */
export async function parserFor(path: string): Promise<{ parser: Parser; grammar: ParserName } | undefined> {
  const grammar = languageOfPath(path)?.parser;
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
