import type { Node } from '@vscode/tree-sitter-wasm';

/** Nodes of Python that hold the names that are assigned in them. */
const FUNCTIONS = new Set(['function_definition', 'lambda', 'module', 'class_definition']);

const COMPREHENSIONS = new Set([
  'list_comprehension',
  'set_comprehension',
  'dictionary_comprehension',
  'generator_expression',
]);

/** Through these a name is assigned as well. */
const PATTERNS = new Set(['pattern_list', 'tuple_pattern', 'list_pattern', 'list_splat_pattern', 'as_pattern_target']);

/** Parameters beside the plain ones, and the field that holds the name. */
const PARAMETERS: Readonly<Record<string, string | undefined>> = {
  default_parameter: 'name',
  typed_default_parameter: 'name',
  typed_parameter: undefined,
  dictionary_splat_pattern: undefined,
};

/** Statements that assign, and the field of what is assigned. */
const ASSIGNMENTS: Readonly<Record<string, string>> = {
  assignment: 'left',
  named_expression: 'name',
  for_statement: 'left',
};

/**
 * Where the name that a node of Python declares can be seen; undefined if it declares none, or an attribute of a class,
 * whose uses have a dot before them.
 */
export function pythonScope(node: Node): Node | undefined {
  let child = node;
  let parent = node.parent;
  while (parent && (PATTERNS.has(parent.type) || isStar(parent))) {
    child = parent;
    parent = parent.parent;
  }
  if (!parent) return undefined;
  if (Object.hasOwn(PARAMETERS, parent.type)) {
    const field = PARAMETERS[parent.type];
    const names = field === undefined ? parent.firstNamedChild?.id === child.id : isField(parent, field, child);
    return names ? functionOfParameter(parent) : undefined;
  }
  const assigned = ASSIGNMENTS[parent.type];
  if (assigned !== undefined) return isField(parent, assigned, child) ? holder(parent) : undefined;
  switch (parent.type) {
    case 'parameters':
    case 'lambda_parameters':
      return parent.parent ?? undefined;
    case 'function_definition':
    case 'class_definition':
      return isField(parent, 'name', child) ? holder(parent) : undefined;
    case 'for_in_clause':
      return isField(parent, 'left', child) ? around(parent, COMPREHENSIONS) : undefined;
    case 'as_pattern':
      return isField(parent, 'alias', child) ? holder(parent) : undefined;
    case 'aliased_import':
      return isField(parent, 'alias', child) ? holder(parent) : undefined;
    case 'dotted_name':
      return imported(parent) ? holder(parent) : undefined;
    default:
      return undefined;
  }
}

/** `import name` and `from module import name`. */
function imported(name: Node): boolean {
  const { parent } = name;
  if (!parent || name.namedChildCount !== 1) return false;
  if (parent.type === 'import_statement') return true;
  return parent.type === 'import_from_statement' && !isField(parent, 'module_name', name);
}

/** `*rest` and `**rest` among parameters. */
function isStar({ type, parent }: Node): boolean {
  return type === 'dictionary_splat_pattern' && parent?.type === 'typed_parameter';
}

function functionOfParameter(parameter: Node): Node | undefined {
  return parameter.parent?.parent ?? undefined;
}

/** What holds a name that a statement assigns; none for a class, whose attributes are used with a dot. */
function holder(statement: Node): Node | undefined {
  const found = around(statement, FUNCTIONS);
  return found?.type === 'class_definition' ? undefined : found;
}

function around(node: Node, types: ReadonlySet<string>): Node | undefined {
  let one = node.parent;
  while (one && !types.has(one.type)) one = one.parent;
  return one ?? undefined;
}

function isField(parent: Node, field: string, child: Node): boolean {
  return parent.childForFieldName(field)?.id === child.id;
}
