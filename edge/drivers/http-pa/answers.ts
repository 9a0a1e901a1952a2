import type { PaCall, PaCalls } from './presets.ts';
import type { PaAnswer } from './server.ts';

/** What is filled into a path or a body. */
export interface Fields {
  readonly clip: string;
  readonly zone: string;
  readonly level: string;
  readonly item: string;
  readonly rank: string;
  readonly repeat: string;
}

/** Each value is encoded: a name of the site cannot become another path, or another key. */
export function fill(template: string, fields: Fields, encode: (text: string) => string): string {
  const known = new Map(Object.entries(fields));
  return template.replace(/\{(\w+)\}/g, (_, word: string) => encode(known.get(word) ?? ''));
}

/** null: it means yes; else what it says instead. */
export function meansYes({ status, text }: PaAnswer, call: PaCall, success: PaCalls['success']): string | null {
  const beginning = JSON.stringify(text.slice(0, 60));
  if (status < 200 || status > 299) return `it answers ${status} ${beginning}`;
  if (call.says !== undefined && !text.includes(call.says)) return `it answers ${beginning}`;
  if (success === undefined) return null;
  return at(text, success.pointer) === success.is ? null : `it answers ${beginning}`;
}

/** null: the answer does not say. */
export function playingOf(text: string, status: NonNullable<PaCalls['status']>): boolean | null {
  const value = at(text, status.playing);
  return value === undefined ? null : value === status.is;
}

/** RFC 6901; undefined: not JSON, or nothing there. */
function at(text: string, pointer: string): unknown {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const part of pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}
