/*
 * SNMPv3 without a signature: net-snmp takes an answer that says of itself that it is not signed. Whoever can put a datagram into
 * the line could then say anything. So what is neither signed nor encrypted goes no further, but for Reports, which an agent
 * sends before both sides know each other (RFC 3414 section 4) and which carry no values.
 */

const signed = 0b01;
const encrypted = 0b10;
const tags = { integer: 0x02, octets: 0x04, sequence: 0x30, report: 0xa8 } as const;

/** Whether a datagram may be an answer of SNMPv3 with authPriv, or is a Report. Never throws. */
export function isProvable(bytes: Buffer): boolean {
  const message = next(bytes, 0, tags.sequence);
  const version = message && next(bytes, message.at, tags.integer);
  const global = version && next(bytes, version.end, tags.sequence);
  const id = global && next(bytes, global.at, tags.integer);
  const size = id && next(bytes, id.end, tags.integer);
  const flags = size && next(bytes, size.end, tags.octets);
  const security = global && next(bytes, global.end, tags.octets);
  if (!flags || !security || flags.end - flags.at !== 1) return false;
  const level = (bytes[flags.at] ?? 0) & (signed | encrypted);
  if (level === (signed | encrypted)) return bytes[security.end] === tags.octets;
  const scoped = next(bytes, security.end, tags.sequence);
  const engine = scoped && next(bytes, scoped.at, tags.octets);
  const context = engine && next(bytes, engine.end, tags.octets);
  return context !== null && bytes[context.end] === tags.report;
}

interface Span {
  readonly at: number;
  readonly end: number;
}

/** Content of the element at `at`; null when it is another one, or does not fit. */
function next(bytes: Buffer, at: number, tag: number): Span | null {
  const first = bytes[at + 1];
  if (bytes[at] !== tag || first === undefined) return null;
  const more = first < 0x80 ? 0 : first - 0x80;
  if (more > 3 || at + 2 + more > bytes.length) return null;
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  return start + length <= bytes.length ? { at: start, end: start + length } : null;
}
