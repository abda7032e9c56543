import type { ParserName } from '../languages';

/** What the syntax check has to know of a grammar besides its name: its kinds of nodes. */
export interface Rules {
  /** Nodes whose named children stand one after the other: statements, members, elements, arguments. */
  readonly lists: ReadonlySet<string>;
  /** Comments and strings. */
  readonly texts: ReadonlySet<string>;
  /** Blocks without an end of their own: they are over when a line is indented less. */
  readonly openEnded: ReadonlySet<string>;
  /** Whether `undeclaredNames` knows how names are declared. */
  readonly names: boolean;
}

/** What the parser could not make sense of holds statements, too. */
const ERROR = 'ERROR';

const ecmaScript: Rules = {
  lists: new Set([
    ...['program', 'statement_block', 'class_body', 'interface_body', 'object_type', 'enum_body', 'switch_body', ERROR],
    ...['object', 'array', 'arguments', 'formal_parameters', 'type_parameters', 'type_arguments'],
    ...['named_imports', 'export_clause', 'object_pattern', 'array_pattern'],
  ]),
  texts: new Set(['comment', 'string', 'template_string', 'regex']),
  openEnded: new Set(),
  names: true,
};

const python: Rules = {
  lists: new Set(['module', 'block', 'argument_list', 'parameters', 'list', 'tuple', 'set', 'dictionary', ERROR]),
  texts: new Set(['comment', 'string']),
  openEnded: new Set(['block', 'module']),
  names: false,
};

/** The one record of each grammar of the syntax check. */
export const RULES: Readonly<Record<ParserName, Rules>> = {
  javascript: ecmaScript,
  typescript: ecmaScript,
  tsx: ecmaScript,
  python,
};
