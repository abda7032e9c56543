import type { Node } from '@vscode/tree-sitter-wasm';
import { pointAt } from './edit';

/** Nodes of JavaScript and TypeScript outside of which the names declared in them cannot be seen. */
const BLOCKS = new Set([
  'program',
  'statement_block',
  'class_body',
  'class_static_block',
  'for_statement',
  'for_in_statement',
  'switch_body',
  'catch_clause',
]);

/** Those among them, and those around them, that hold a `var`. */
const FUNCTIONS = new Set([
  'program',
  'function_declaration',
  'function_expression',
  'generator_function',
  'generator_function_declaration',
  'arrow_function',
  'method_definition',
  'class_static_block',
]);

/** Patterns that a name may be declared through. */
const PATTERNS = new Set([
  'object_pattern',
  'array_pattern',
  'pair_pattern',
  'rest_pattern',
  'assignment_pattern',
  'object_assignment_pattern',
]);

/** The part of a pattern that declares; the other is an expression or a property's name. */
const DECLARING_PART: Readonly<Record<string, string>> = {
  pair_pattern: 'value',
  assignment_pattern: 'left',
  object_assignment_pattern: 'left',
};

/** Declarations whose name is seen around them. */
const OUTWARD = new Set([
  'function_declaration',
  'generator_function_declaration',
  'function_signature',
  'class_declaration',
  'abstract_class_declaration',
  'interface_declaration',
  'type_alias_declaration',
  'enum_declaration',
  'internal_module',
  'module',
]);

const USES = new Set(['identifier', 'type_identifier', 'shorthand_property_identifier']);
const NAMES = new Set([...USES, 'shorthand_property_identifier_pattern']);

/**
 * Names that a stretch of JavaScript or TypeScript uses though no declaration of them can be seen there: either nothing in
 * the file declares or mentions them, or all that declares them lies in another scope. Names of the language's own library
 * count as declared, and so does what the file itself uses without declaring: what is unknown is allowed.
 * @param root of the tree of the whole file
 * @param start of the stretch, in UTF-16 units
 * @param end of the stretch
 */
export function undeclaredNames(root: Node, text: string, start: number, end: number): string[] {
  const missing = new Set<string>();
  for (const use of usesIn(root, text, start, end)) {
    const name = use.text;
    if (!missing.has(name) && !isGlobal(name) && !canBeSeen(root, text, use, start, end)) missing.add(name);
  }
  return [...missing];
}

function usesIn(root: Node, text: string, start: number, end: number): Node[] {
  return (
    root
      .descendantsOfType([...USES], pointAt(text, start), pointAt(text, end))
      // A parser that mends a text puts in names of no length.
      .filter((found): found is Node => found !== null && found.text !== '')
      .filter((found) => found.startIndex >= start && found.endIndex <= end)
      .filter((found) => declarationScope(found) === undefined && !namesAProperty(found))
  );
}

/** A name in an import or export list, in a label or in JSX (`<div>`) refers to nothing in this file. */
function namesAProperty({ parent, text }: Node): boolean {
  if (!parent) return false;
  if (/^(import_specifier|export_specifier|namespace_export|labeled_statement|nested_identifier)$/.test(parent.type)) {
    return true;
  }
  return /^jsx_.*element$/.test(parent.type) && /^[a-z]/.test(text);
}

function canBeSeen(root: Node, text: string, use: Node, start: number, end: number): boolean {
  let declaredElsewhere = false;
  let mentioned = false;
  for (const index of occurrences(text, use.text)) {
    const node = root.descendantForIndex(index, index + use.text.length);
    if (!node || node.startIndex !== index || !NAMES.has(node.type)) continue;
    const scope = declarationScope(node);
    if (scope && scope.startIndex <= use.startIndex && use.endIndex <= scope.endIndex) return true;
    if (scope) declaredElsewhere = true;
    else if ((index < start || index >= end) && !namesAProperty(node)) mentioned = true;
  }
  return mentioned && !declaredElsewhere;
}

/** Offsets at which a name stands as a word, the first few hundred. */
function occurrences(text: string, name: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(name); at !== -1 && found.length < 300; at = text.indexOf(name, at + name.length)) {
    const isPart = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}_$]/u.test(character);
    if (!isPart(text[at - 1]) && !isPart(text[at + name.length])) found.push(at);
  }
  return found;
}

/** Where the name that a node declares can be seen; undefined if the node declares none. */
export function declarationScope(node: Node): Node | undefined {
  let child = node;
  let parent = node.parent;
  while (parent && PATTERNS.has(parent.type)) {
    const part = DECLARING_PART[parent.type];
    if (part !== undefined && !isField(parent, part, child)) return undefined;
    child = parent;
    parent = parent.parent;
  }
  if (!parent) return undefined;
  if (OUTWARD.has(parent.type)) return isField(parent, 'name', child) ? blockAround(parent) : undefined;
  switch (parent.type) {
    case 'variable_declarator':
      if (!isField(parent, 'name', child)) return undefined;
      return parent.parent?.type === 'variable_declaration' ? functionAround(parent) : blockAround(parent);
    case 'function_expression':
    case 'generator_function':
    case 'class':
      return isField(parent, 'name', child) ? parent : undefined;
    case 'required_parameter':
    case 'optional_parameter':
      return isField(parent, 'pattern', child) ? (parent.parent?.parent ?? undefined) : undefined;
    case 'formal_parameters':
      return parent.parent ?? undefined;
    case 'arrow_function':
    case 'catch_clause':
      return isField(parent, 'parameter', child) ? parent : undefined;
    case 'for_in_statement':
      return isField(parent, 'left', child) && parent.childForFieldName('kind') ? parent : undefined;
    case 'import_specifier':
      return parent.childForFieldName('alias') && !isField(parent, 'alias', child) ? undefined : rootOf(parent);
    case 'import_clause':
    case 'namespace_import':
      return rootOf(parent);
    case 'type_parameter':
      return isField(parent, 'name', child) ? (parent.parent?.parent ?? undefined) : undefined;
    case 'mapped_type_clause':
      return isField(parent, 'name', child) ? (parent.parent ?? undefined) : undefined;
    case 'infer_type':
      return ancestor(parent, (one) => one.type === 'conditional_type');
    default:
      return undefined;
  }
}

function isField(parent: Node, field: string, child: Node): boolean {
  return parent.childForFieldName(field)?.id === child.id;
}

function blockAround(node: Node): Node | undefined {
  return ancestor(node, ({ type }) => BLOCKS.has(type));
}

function functionAround(node: Node): Node | undefined {
  return ancestor(node, ({ type }) => FUNCTIONS.has(type));
}

function ancestor(node: Node, wanted: (node: Node) => boolean): Node | undefined {
  let one = node.parent;
  while (one && !wanted(one)) one = one.parent;
  return one ?? undefined;
}

function rootOf(node: Node): Node {
  return ancestor(node, ({ parent }) => parent === null) ?? node;
}

/** Of browsers and of TypeScript's library, besides what this process knows itself. */
const OTHER_GLOBALS = (
  'arguments undefined require module exports document window self location navigator history localStorage ' +
  'sessionStorage alert confirm prompt requestAnimationFrame cancelAnimationFrame requestIdleCallback getComputedStyle ' +
  'matchMedia customElements Element HTMLElement HTMLInputElement HTMLDivElement HTMLButtonElement HTMLCanvasElement ' +
  'SVGElement Node NodeList Document DocumentFragment ShadowRoot Text Window Image Audio KeyboardEvent MouseEvent ' +
  'PointerEvent TouchEvent FocusEvent InputEvent UIEvent CustomEvent ResizeObserver IntersectionObserver ' +
  'MutationObserver FileReader XMLHttpRequest Worker Storage CSS DOMParser Partial Required Readonly Record Pick Omit ' +
  'Exclude Extract NonNullable Parameters ConstructorParameters ReturnType InstanceType ThisType Uppercase Lowercase ' +
  'Capitalize Uncapitalize Awaited PromiseLike ArrayLike Iterable Iterator IterableIterator AsyncIterable AsyncIterator ' +
  'AsyncIterableIterator Generator AsyncGenerator ReadonlyArray ReadonlyMap ReadonlySet PropertyKey PropertyDescriptor ' +
  'TemplateStringsArray NodeJS JSX React BufferEncoding describe it test expect beforeEach afterEach beforeAll afterAll ' +
  'before after suite vi jest chai cy const default of as'
).split(' ');

const GLOBALS = new Set([...Object.getOwnPropertyNames(globalThis), ...OTHER_GLOBALS]);

function isGlobal(name: string): boolean {
  return GLOBALS.has(name);
}
