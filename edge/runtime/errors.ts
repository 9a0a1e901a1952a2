/**
 * A fault with a code that programs can test and a message that people can act on.
 * Codes are UPPER_SNAKE, prefixed by the room's word: `MODBUS_TIMEOUT`, `SITE_INVALID`, `BROKER_PORT_TAKEN`.
 */
export class CodedError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CodedError';
    this.code = code;
  }
}

/** The message of anything that was thrown (libraries throw strings and plain objects too). */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}

/** The code of a coded or system error (`ECONNREFUSED`), or '' when it has none. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return '';
}
