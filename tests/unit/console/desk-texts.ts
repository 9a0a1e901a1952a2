import { readFileSync } from 'node:fs';
import { parseSync } from 'vite';

/* Every English text that a file of ours can say to people: its string literals that are sentences and have no Chinese beside them. */

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

const childrenOf = (node: Node): Node[] =>
  Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);

/** What stands in the place of each value that is only known when it is said. */
const example = '7';

function textOf(node: Node): string | null {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null;
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node.quasis)) return null;
  return (node.quasis as { value: { cooked?: string } }[]).map(({ value }) => value.cooked ?? '').join(example);
}

const nameOf = (node: unknown): string =>
  isNode(node) ? String(node.name ?? node.value ?? nameOf(node.property) ?? '') : '';

/** What goes to the log, is a mistake of a caller, or has its Chinese beside it. */
function isForOthers(node: Node): boolean {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
      return node.source !== null && node.source !== undefined;
    case 'CallExpression': {
      const { callee } = node;
      const owner = isNode(callee) ? nameOf(callee.object) : '';
      return owner === 'log' || owner === '#log' || owner === 'z' || ['refine', 'regex'].includes(nameOf(callee));
    }
    // Problems of the API have codes, and the console its own words for them.
    case 'NewExpression':
      return /Error$/.test(nameOf(node.callee));
    case 'Property':
      return ['en', 'zh'].includes(nameOf(node.key));
    case 'TSTypeAnnotation':
    case 'TSTypeAliasDeclaration':
    case 'TSInterfaceDeclaration':
      return true;
    default:
      return false;
  }
}

function textsIn(node: Node): string[] {
  if (isForOthers(node)) return [];
  const own = textOf(node);
  return [...(own === null ? [] : [own]), ...childrenOf(node).flatMap(textsIn)];
}

/** Two words of English beside each other are more than a code. */
const isSentence = (text: string) => /[A-Za-z']{2,} [A-Za-z']{2,}/.test(text);

export function deskTexts(file: string): string[] {
  const { program } = parseSync(file, readFileSync(file, 'utf8'));
  return [...new Set(textsIn(program as unknown as Node).filter(isSentence))];
}
