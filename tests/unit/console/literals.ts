import { parseSync } from 'vite';

/* Finds sentences that stand in .tsx outside of a dictionary: between tags, and in attributes that people read. */

const readAttributes = new Set(
  'title aria-label aria-description aria-roledescription placeholder alt label okText cancelText description message about header tooltip extra emptyText unCheckedChildren checkedChildren'.split(
    ' ',
  ),
);

/** Units, formats and symbols that are the same in every language. */
const shared = /\b(?:kWh?|MB|GB|kB|Hz|V|A|W|s|ms|PM2\.5|CSV|JSON|PNG|SVG|QR|IP|ID|ISO|UTC|PDF)\b|CO₂/g;

/** How each language calls itself, whichever is on the screen. */
const ownNames = ['中文', 'English'];

const chinese = /[\u3400-\u9fff]/;

function isSentence(text: string): boolean {
  if (ownNames.includes(text)) return false;
  return chinese.test(text) || /[A-Za-z]{2,}/.test(text.replace(shared, ' '));
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}

/** Strings that an expression may come to: of a choice both sides, of a template its fixed parts; never what is handed to a call. */
function stringsOf(node: Node): string[] {
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : [];
    case 'TemplateElement':
      return isNode(node) && typeof node.value === 'object'
        ? [String((node.value as { cooked?: string }).cooked ?? '')]
        : [];
    case 'ConditionalExpression':
      return [node.consequent, node.alternate].filter(isNode).flatMap(stringsOf);
    case 'TemplateLiteral':
    case 'LogicalExpression':
    case 'ParenthesizedExpression':
    case 'JSXExpressionContainer':
    case 'ArrayExpression':
      return childrenOf(node).flatMap(stringsOf);
    case 'BinaryExpression':
      return node.operator === '+' ? childrenOf(node).flatMap(stringsOf) : [];
    default:
      return [];
  }
}

function nameOf(attribute: Node): string {
  const name = attribute.name;
  return isNode(name) ? String(name.name) : '';
}

function found(node: Node): string[] {
  const below = childrenOf(node).flatMap(found);
  if (node.type === 'JSXText') return [String(node.value).trim(), ...below];
  if (node.type === 'JSXAttribute') {
    const { value } = node;
    return readAttributes.has(nameOf(node)) && isNode(value) ? [...stringsOf(value), ...below] : below;
  }
  if (node.type === 'JSXElement' || node.type === 'JSXFragment') {
    const children = Array.isArray(node.children) ? node.children.filter(isNode) : [];
    const shown = children.filter(({ type }) => type === 'JSXExpressionContainer').flatMap(stringsOf);
    return [...shown, ...below];
  }
  // Chinese is never anything but words.
  if (node.type === 'Literal' || node.type === 'TemplateElement')
    return [...stringsOf(node).filter((text) => chinese.test(text)), ...below];
  return below;
}

/** Throws when the source cannot be read. */
export function literalsIn(source: string): string[] {
  const { program, errors } = parseSync('page.tsx', source);
  if (errors[0] !== undefined) throw new Error(errors[0].message);
  return [
    ...new Set(
      childrenOf({ ...program, type: program.type })
        .flatMap(found)
        .filter(isSentence),
    ),
  ];
}
