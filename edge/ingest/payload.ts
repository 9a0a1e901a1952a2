import { isUtf8 } from 'node:buffer';

/*
 * Bytes from strangers -> a JSON value, or a sentence why not. Nothing here throws: a payload that cannot be read is
 * an inbox entry, not an exception.
 */

/** A sensor's message is a few hundred bytes; Zigbee2MQTT's largest state is about 4 KB, a Tasmota STATUS0 about 6 KB. */
export const maxPayloadBytes = 65_536;
/** What an inbox entry may keep of a payload. */
const excerptBytes = 1_024;

export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

/** Text of a payload, or null when it is too long or not UTF-8. */
export function textOf(payload: Buffer): string | null {
  if (payload.length > maxPayloadBytes || !isUtf8(payload)) return null;
  return payload.toString('utf8');
}

export function parseJson(payload: Buffer): Parsed {
  const text = textOf(payload);
  if (text === null) return { ok: false, why: unreadable(payload) };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, why: `not JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'cannot be parsed'}` };
  }
}

/** Like `parseJson`, but a bare word (`Online`, `ON`, `21.5`) is that text. */
export function parseJsonOrText(payload: Buffer): Parsed {
  const parsed = parseJson(payload);
  if (parsed.ok) return parsed;
  const text = textOf(payload);
  return text !== null && text.length > 0 && text.length <= 256 ? { ok: true, value: text } : parsed;
}

export function unreadable(payload: Buffer): string {
  return payload.length > maxPayloadBytes
    ? `${payload.length} bytes; at most ${maxPayloadBytes} are read`
    : 'not valid UTF-8';
}

/** At most 1,024 bytes of the payload as text; control characters and broken UTF-8 become U+FFFD. */
export function excerptOf(payload: Buffer): string {
  const text = payload
    .subarray(0, excerptBytes)
    .toString('utf8')
    .replace(/[^\P{Cc}\n\t]/gu, '\u{fffd}');
  // One broken byte becomes a three-byte U+FFFD: the text may have to be shorter than the bytes were.
  let end = text.length;
  while (Buffer.byteLength(text.slice(0, end)) > excerptBytes) end = Math.floor(end * 0.9);
  return text.slice(0, end);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own property; inherited ones (`__proto__`, `constructor`) do not exist for us. */
export function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

/**
 * The value at a path such as `temperature`, `ENERGY.Power` or `ENERGY.Power.0`; undefined when it is not there.
 * A key that contains the dots itself wins.
 */
export function valueAt(root: unknown, path: string): unknown {
  const direct = own(root, path);
  if (direct !== undefined) return direct;
  return path.includes('.') ? valueAtKeys(root, path.split('.')) : undefined;
}

export function valueAtKeys(root: unknown, keys: readonly string[]): unknown {
  let node: unknown = root;
  for (const key of keys) {
    node = own(node, key);
    if (node === undefined) return undefined;
  }
  return node;
}
