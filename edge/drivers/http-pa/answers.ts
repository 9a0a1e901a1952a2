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
  /** Of one beginning: the same when it is said again because no answer came. */
  readonly job: string;
}

/** Each value is encoded: a name of the site cannot become another path, or another key. */
export function fill(template: string, fields: object, encode: (text: string) => string): string {
  const known = new Map<string, unknown>(Object.entries(fields));
  return template.replace(/\{(\w+)\}/g, (_, word: string) => encode(String(known.get(word) ?? '')));
}

/** null: it means yes; else what it says instead. */
export function meansYes({ status, text, type }: PaAnswer, call: PaCall, success: PaCalls['success']): string | null {
  const beginning = JSON.stringify(text.slice(0, 60));
  if (status < 200 || status > 299) return `it answers ${status} ${beginning}`;
  if (call.says !== undefined && !text.includes(call.says)) return `it answers ${beginning}`;
  if (success === undefined) {
    // A page to log in comes with 200.
    const isPage = call.says === undefined && type.includes('html') && /type\s*=\s*["']?password/i.test(text);
    return isPage ? 'it answers a page to log in' : null;
  }
  return at(text, success.pointer) === success.is ? null : `it answers ${beginning}`;
}

export interface Status {
  /** null: the answer does not say. */
  readonly playing: boolean | null;
  /** Why it cannot be heard; '': nothing speaks against it. */
  readonly unable: string;
  /** Of what it plays; '': it does not say. */
  readonly job: string;
}

export function statusOf(text: string, status: NonNullable<PaCalls['status']>): Status {
  const value = at(text, status.playing);
  const job = status.job === undefined ? undefined : at(text, status.job);
  const unable = (status.unable ?? []).filter(({ pointer, is }) => at(text, pointer) === is);
  return {
    playing: value === undefined ? null : value === status.is,
    unable: unable.map(({ words }) => words).join('; '),
    job: job === undefined || job === null ? '' : String(job).slice(0, 100),
  };
}

/** RFC 6901; undefined: not JSON, or nothing there. */
export function at(text: string, pointer: string): unknown {
  try {
    return pick(JSON.parse(text), pointer);
  } catch {
    return undefined;
  }
}

/** '' is the whole. */
export function pick(whole: unknown, pointer: string): unknown {
  let found = whole;
  for (const part of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

/** 5xx may come after the sound was begun; 503 and 429 say that it was not. */
export function codeOfStatus(status: number): string {
  if (status === 503 || status === 429) return 'PA_BUSY';
  return status >= 500 ? 'PA_SILENT' : 'PA_NO';
}
