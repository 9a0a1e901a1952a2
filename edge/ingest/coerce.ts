import type { ValueType } from '#edge/domain/device.ts';
import type { Value } from '#edge/domain/reading.ts';

/** A raw value as the point's declared type, or why it is none. */
export type Coerced = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly why: string };

const numberText = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
const trueWords = new Set(['on', 'true', '1', 'yes']);
const falseWords = new Set(['off', 'false', '0', 'no']);
const maxText = 256;

/**
 * Values come as firmware writers liked them: 21.5, "21.5" (Tasmota before 5.12), "ON", 1, true. `map` (from the
 * profile) goes first and decides alone for the words it knows. Anything unclear is refused, never guessed.
 */
export function coerce(raw: unknown, type: ValueType, map?: ReadonlyMap<string, Value>): Coerced {
  if (map !== undefined && (typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean')) {
    const mapped = map.get(String(raw));
    if (mapped !== undefined) return { ok: true, value: mapped };
  }
  if (type === 'number') return toNumber(raw);
  if (type === 'boolean') return toBoolean(raw);
  return toText(raw);
}

function toNumber(raw: unknown): Coerced {
  if (typeof raw === 'number') return Number.isFinite(raw) ? { ok: true, value: raw } : refuse(raw, 'a number');
  if (typeof raw === 'string' && raw.length <= 40) {
    const text = raw.trim();
    const value = numberText.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(value)) return { ok: true, value };
  }
  return refuse(raw, 'a number');
}

function toBoolean(raw: unknown): Coerced {
  if (typeof raw === 'boolean') return { ok: true, value: raw };
  if (raw === 0 || raw === 1) return { ok: true, value: raw === 1 };
  if (typeof raw === 'string' && raw.length <= 16) {
    const word = raw.trim().toLowerCase();
    if (trueWords.has(word)) return { ok: true, value: true };
    if (falseWords.has(word)) return { ok: true, value: false };
  }
  return refuse(raw, 'true or false');
}

function toText(raw: unknown): Coerced {
  if (typeof raw === 'string') {
    return raw.length <= maxText
      ? { ok: true, value: raw }
      : { ok: false, why: `text longer than ${maxText} characters` };
  }
  if (typeof raw === 'number' || typeof raw === 'boolean') return { ok: true, value: String(raw) };
  return refuse(raw, 'text');
}

function refuse(raw: unknown, wanted: string): Coerced {
  const shown = typeof raw === 'string' ? JSON.stringify(raw.slice(0, 40)) : raw === null ? 'null' : typeof raw;
  return { ok: false, why: `${typeof raw === 'number' ? String(raw) : shown} is not ${wanted}` };
}
