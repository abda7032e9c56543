import type { Node } from '@vscode/tree-sitter-wasm';
import type { ParserName } from '../languages';
import { declarationScope } from './names';
import { pythonScope } from './pythonNames';

/** Leaves that are names of variables, functions and types: none of properties. */
const NAMES = new Set([
  'identifier',
  'type_identifier',
  'shorthand_property_identifier',
  'shorthand_property_identifier_pattern',
]);

/** Places that are looked at: a name that stands in more is not worth the time. */
const MAX_PLACES = 500;

/** Where the name that a node declares can be seen; undefined if it declares none. */
export function scopeOfDeclaration(node: Node, grammar: ParserName): Node | undefined {
  return grammar === 'python' ? pythonScope(node) : declarationScope(node);
}

/**
 * Where a name still stands though it was renamed where it is declared: in the declaration's scope, but where an inner
 * declaration of the old name is seen.
 * @param at where the new name stands, in UTF-16 units
 * @returns offsets in order; undefined where the place declares nothing, where the old name is declared in the same scope
 * still, or where the new name is declared there twice
 */
export function staleNames(
  root: Node,
  text: string,
  grammar: ParserName,
  { at, oldName, newName }: { at: number; oldName: string; newName: string },
): number[] | undefined {
  const node = nameAt(root, at, newName.length);
  const scope = node && scopeOfDeclaration(node, grammar);
  if (!scope) return undefined;
  const [olds, news] = [oldName, newName].map((name) => namesIn(root, text, name, scope));
  if (!olds || !news) return undefined;
  const declared = (nodes: readonly Node[]) => nodes.flatMap((one) => scopeOfDeclaration(one, grammar) ?? []);
  const twice = declared(news.filter((one) => one.startIndex !== at)).some((other) => same(other, scope));
  // Python's names are declared by every assignment; elsewhere a second declaration of the old name keeps it alive.
  if (grammar !== 'python' && (twice || declared(olds).some((other) => same(other, scope)))) return undefined;
  const inner = declared(olds).filter((other) => !same(other, scope));
  return olds
    .map((one) => one.startIndex)
    .filter((index) => !inner.some((other) => index >= other.startIndex && index < other.endIndex));
}

/** Whether a declaration of a name can be seen at a place. */
export function declaredAt(root: Node, text: string, grammar: ParserName, name: string, at: number): boolean {
  return (namesIn(root, text, name, root) ?? []).some((node) => {
    const scope = scopeOfDeclaration(node, grammar);
    return scope !== undefined && scope.startIndex <= at && at < scope.endIndex;
  });
}

/** Nodes of a name within a scope, in order; undefined if there are too many. */
function namesIn(root: Node, text: string, name: string, scope: Node): Node[] | undefined {
  const found: Node[] = [];
  for (let at = text.indexOf(name, scope.startIndex); at !== -1 && at < scope.endIndex;) {
    const node = nameAt(root, at, name.length);
    if (node) found.push(node);
    if (found.length > MAX_PLACES) return undefined;
    at = text.indexOf(name, at + name.length);
  }
  return found;
}

/** The name that stands at a place; undefined where something else does, or a name of a property. */
function nameAt(root: Node, at: number, length: number): Node | undefined {
  const node = root.descendantForIndex(at, at + length);
  if (!node || node.startIndex !== at || node.endIndex !== at + length || !NAMES.has(node.type)) return undefined;
  return isProperty(node) ? undefined : node;
}

/** In Python names of properties and of arguments are identifiers, too. */
function isProperty({ parent, id }: Node): boolean {
  if (parent?.type === 'attribute') return parent.childForFieldName('attribute')?.id === id;
  return parent?.type === 'keyword_argument' && parent.childForFieldName('name')?.id === id;
}

function same(one: Node, other: Node): boolean {
  return one.id === other.id;
}
