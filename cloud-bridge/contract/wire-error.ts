import type { z } from 'zod';

/**
 * What was wrong with bytes, a body or a message of the bridge. `code` is for programs:
 * WIRE_TRUNCATED, WIRE_TOO_LARGE, WIRE_HEADER, WIRE_VERSION, WIRE_CONTENT_TYPE, WIRE_BODY, WIRE_MESSAGE.
 * The message names the field and never repeats its value: what was refused may be personal.
 */
export class WireError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'WireError';
    this.code = code;
  }
}

/** `points[3].ref: must be <device>/<point>; n: ...`, at most three complaints. */
export function describeFields(error: z.ZodError): string {
  const said = error.issues.slice(0, 3).map((issue) => `${formatPath(issue.path)}: ${issue.message}`);
  const more = error.issues.length - said.length;
  return said.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function formatPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(whole)';
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');
}

/** Parses UTF-8 JSON or throws a WireError that says which part it was. */
export function parseJson(bytes: Uint8Array, code: string, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WireError(code, `${what} is not UTF-8 JSON`, { cause: error });
  }
}
