import type { Node } from '@vscode/tree-sitter-wasm';
import type { Rules } from './rules';

/**
 * Where the syntax node that a text begins, or goes on with, ends. The node is one element of the innermost list that holds
 * the text: a statement, a member, an argument. Where the list itself is new, since nothing else stands in it, it is the
 * list: the body of a function that has just been begun.
 * @param root the tree of the file with the text in it
 * @param start where the text begins in the file; @param text the text: whole lines
 * @returns lines of the text up to the node's end; undefined where the node goes on, or where its end cannot be seen yet
 */
export function unitLines(root: Node, start: number, text: string, rules: Rules): number | undefined {
  const end = start + text.trimEnd().length;
  const first = start + text.search(/\S/);
  // In the middle of a comment or a string there is its line, and no block.
  if (insideText(root, start, rules)) return lineOf(text, 0);
  let unit = climb(root.descendantForIndex(first), rules);
  // A comment belongs to what follows it.
  while (unit?.type === 'comment') unit = unit.nextNamedSibling ?? undefined;
  const list = unit?.parent;
  if (!unit || !list || unit.startIndex >= end) return undefined;
  const node = isNew(list, start, end) ? list : unit;
  if (node.endIndex > end || isOpenEnded(node, rules)) return undefined;
  return lineOf(text, node.endIndex - start);
}

/** The element of a list that a node is, or is part of. */
function climb(node: Node | null, { lists }: Rules): Node | undefined {
  for (let at = node; at?.parent; at = at.parent) if (lists.has(at.parent.type)) return at;
  return undefined;
}

function insideText(root: Node, index: number, { texts }: Rules): boolean {
  for (let at = root.descendantForIndex(Math.max(0, index - 1), index); at; at = at.parent) {
    if (texts.has(at.type) && at.startIndex < index && at.endIndex > index) return true;
  }
  return false;
}

/** Whether everything that stands in a list begins in the text. */
function isNew(list: Node, start: number, end: number): boolean {
  if (list.type === 'ERROR') return false;
  const elements = list.namedChildren.filter((child) => child !== null && child.type !== 'comment');
  return elements.every((child) => child !== null && child.startIndex >= start && child.startIndex < end);
}

function isOpenEnded(node: Node, { openEnded }: Rules): boolean {
  for (let at: Node | null = node; at; at = at.lastChild) if (openEnded.has(at.type)) return true;
  return false;
}

/** Lines of a text up to and with the one that holds an offset's character before it; blank ones at its beginning count. */
function lineOf(text: string, offset: number): number {
  const before = text.slice(0, Math.max(offset, text.search(/\S/)));
  return before.split('\n').length;
}
