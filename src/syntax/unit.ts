import type { Node } from '@vscode/tree-sitter-wasm';

/** Nodes whose named children stand one after the other: statements, members, elements, arguments. */
const LISTS = new Set([
  'program',
  'statement_block',
  'class_body',
  'interface_body',
  'object_type',
  'enum_body',
  'switch_body',
  'object',
  'array',
  'arguments',
  'formal_parameters',
  'type_parameters',
  'type_arguments',
  'named_imports',
  'export_clause',
  'object_pattern',
  'array_pattern',
  // Python
  'module',
  'block',
  'argument_list',
  'parameters',
  'list',
  'tuple',
  'set',
  'dictionary',
  // What the parser could not make sense of.
  'ERROR',
]);

const TEXTS = new Set(['comment', 'string', 'template_string', 'regex']);

/** Python's blocks have no end of their own: they are over when a line is indented less. */
const OPEN_ENDED = new Set(['block', 'module']);

/**
 * Where the syntax node that a text begins, or goes on with, ends. The node is one element of the innermost list that holds
 * the text: a statement, a member, an argument. Where the list itself is new, since nothing else stands in it, it is the
 * list: the body of a function that has just been begun.
 * @param root the tree of the file with the text in it
 * @param start where the text begins in the file; @param text the text: whole lines
 * @returns lines of the text up to the node's end; undefined where the node goes on, or where its end cannot be seen yet
 */
export function unitLines(root: Node, start: number, text: string): number | undefined {
  const end = start + text.trimEnd().length;
  const first = start + text.search(/\S/);
  // In the middle of a comment or a string there is its line, and no block.
  if (insideText(root, start)) return lineOf(text, 0);
  let unit = climb(root.descendantForIndex(first));
  // A comment belongs to what follows it.
  while (unit?.type === 'comment') unit = unit.nextNamedSibling ?? undefined;
  const list = unit?.parent;
  if (!unit || !list || unit.startIndex >= end) return undefined;
  const node = isNew(list, start, end) ? list : unit;
  if (node.endIndex > end || isOpenEnded(node)) return undefined;
  return lineOf(text, node.endIndex - start);
}

/** The element of a list that a node is, or is part of. */
function climb(node: Node | null): Node | undefined {
  for (let at = node; at?.parent; at = at.parent) if (LISTS.has(at.parent.type)) return at;
  return undefined;
}

function insideText(root: Node, index: number): boolean {
  for (let at = root.descendantForIndex(Math.max(0, index - 1), index); at; at = at.parent) {
    if (TEXTS.has(at.type) && at.startIndex < index && at.endIndex > index) return true;
  }
  return false;
}

/** Whether everything that stands in a list begins in the text. */
function isNew(list: Node, start: number, end: number): boolean {
  if (list.type === 'ERROR') return false;
  const elements = list.namedChildren.filter((child) => child !== null && child.type !== 'comment');
  return elements.every((child) => child !== null && child.startIndex >= start && child.startIndex < end);
}

function isOpenEnded(node: Node): boolean {
  for (let at: Node | null = node; at; at = at.lastChild) if (OPEN_ENDED.has(at.type)) return true;
  return false;
}

/** Lines of a text up to and with the one that holds an offset's character before it; blank ones at its beginning count. */
function lineOf(text: string, offset: number): number {
  const before = text.slice(0, Math.max(offset, text.search(/\S/)));
  return before.split('\n').length;
}
