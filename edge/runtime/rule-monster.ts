import { ruleLimits } from './rule-schema.ts';

/* The first look at what somebody sent, before anything walks through it. */

/** Levels of maps and lists; `nesting` of conditions takes two each, and what is around and inside a dozen more. */
const deepest = 32;
const mostNodes = 20_000;

/**
 * What is too large, too deep, no tree or no plain data: nothing behind here expects that. null: it can be looked at. Goes
 * without recursion, because what it guards against is what overflows a stack.
 */
export function findMonster(body: unknown): string | null {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: body, depth: 0 }];
  let nodes = 0;
  let bytes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    nodes += 1;
    if (nodes > mostNodes) return `has more than ${mostNodes} values`;
    if (depth > deepest) return `is nested more than ${deepest} deep`;
    if (typeof value === 'string') bytes += value.length;
    if (bytes > ruleLimits.bytes) return `has more than ${ruleLimits.bytes} characters`;
    if (typeof value !== 'object' || value === null) {
      if (['bigint', 'function', 'symbol'].includes(typeof value)) return `holds a ${typeof value}`;
      continue;
    }
    if (!Array.isArray(value) && !isPlain(value)) return 'holds what is no plain data';
    const isList = Array.isArray(value);
    if (isList && value.length > mostNodes) return `has more than ${mostNodes} values`;
    for (const [key, inner] of Object.entries(value)) {
      if (key === '__proto__') return 'has a key "__proto__"';
      if (!isList) bytes += key.length;
      open.push({ value: inner, depth: depth + 1 });
    }
  }
  return null;
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
}
