/*
 * SIP messages on the wire (RFC 3261 section 7 and 25). Text is latin1 both ways, so that what must be echoed byte by byte (tags,
 * branches) is. Whatever comes is a stranger's until it has been checked: everything here has a bound.
 */

export type Header = readonly [name: string, value: string];

interface Part {
  /** Names are lower case and long (`via`, not `v`), in the order of the wire. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

export interface SipRequest extends Part {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}

export interface SipResponse extends Part {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;

/** Not SIP, or SIP that lies; `why` in a word for counters. */
export interface Garbage {
  readonly kind: 'garbage';
  readonly why: string;
}

export const limits = {
  /** Start line and headers, bytes; real messages take 1 to 2 KB. */
  head: 16_384,
  headers: 96,
  /** One header with its folded lines. */
  line: 4_096,
  body: 16_384,
  /** Of a list (Via, Record-Route), over all of its lines. */
  list: 32,
} as const;

/** RFC 3261 section 7.3.3 and its successors. */
const compact: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  s: 'subject',
  k: 'supported',
  e: 'content-encoding',
  x: 'session-expires',
};

/** Two of these would let two readers understand two messages. */
const single: ReadonlySet<string> = new Set(['from', 'to', 'call-id', 'cseq', 'content-length', 'max-forwards']);
const needed = ['via', 'from', 'to', 'call-id', 'cseq'] as const;

const token = /^[A-Za-z0-9\-.!%*_+`'~]{1,64}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\x00-\x08\x0a-\x1f\x7f]/;

export function garbage(why: string): Garbage {
  return { kind: 'garbage', why };
}

/** Where the head ends and the body begins; null: not within `limits.head`. */
export function headEnd(bytes: Buffer): { readonly end: number; readonly body: number } | null {
  const part = bytes.subarray(0, limits.head + 4);
  const crlf = part.indexOf('\r\n\r\n', 0, 'latin1');
  const lf = part.indexOf('\n\n', 0, 'latin1');
  if (crlf !== -1 && (lf === -1 || crlf < lf)) return { end: crlf, body: crlf + 4 };
  return lf === -1 ? null : { end: lf, body: lf + 2 };
}

/** One datagram, one message: what comes behind the length it states is left out (RFC 3261 section 18.3). */
export function parseDatagram(bytes: Buffer): SipMessage | Garbage {
  const cut = headEnd(bytes);
  if (cut === null) return garbage('no-end-of-head');
  const head = parseHead(bytes.toString('latin1', 0, cut.end));
  if (head.kind === 'garbage') return head;
  const rest = bytes.subarray(cut.body);
  const length = contentLength(head) ?? rest.length;
  if (Number.isNaN(length) || length > limits.body) return garbage('length');
  if (length > rest.length) return garbage('cut-off');
  return { ...head, body: rest.subarray(0, length) };
}

/** NaN: not a number; null: not said. */
export function contentLength(message: Part): number | null {
  const text = headerOf(message, 'content-length');
  if (text === null) return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/** The head without its empty line; the body is empty. */
export function parseHead(text: string): SipMessage | Garbage {
  const lines = text.split(/\r?\n/);
  const first = lines.shift() ?? '';
  const headers = readHeaders(lines);
  if (typeof headers === 'string') return garbage(headers);
  const message = startLine(first, headers);
  if (message.kind === 'garbage') return message;
  for (const name of needed) if (headerOf(message, name) === null) return garbage(`no-${name}`);
  const cseq = cseqOf(message);
  if (cseq === null) return garbage('cseq');
  if (message.kind === 'request' && cseq.method !== message.method) return garbage('cseq');
  return message;
}

function startLine(line: string, headers: readonly Header[]): SipMessage | Garbage {
  if (line.length > limits.line || control.test(line)) return garbage('start-line');
  const body = Buffer.alloc(0);
  const status = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/i.exec(line);
  if (status !== null) {
    return { kind: 'response', status: Number(status[1]), reason: (status[2] ?? '').slice(0, 128), headers, body };
  }
  const [method = '', uri = '', version = '', ...more] = line.split(' ');
  if (more.length > 0 || !/^SIP\/2\.0$/i.test(version) || !token.test(method) || uri === '') {
    return garbage('start-line');
  }
  return { kind: 'request', method, uri, headers, body };
}

/** A word that says what is wrong with them, or the headers. */
function readHeaders(lines: readonly string[]): readonly Header[] | string {
  const headers: [string, string][] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^[ \t]/.test(line)) {
      if (last === undefined) return 'folding';
      last[1] += ` ${line.trim()}`;
      if (last[1].length > limits.line) return 'long-header';
      continue;
    }
    if (line.length > limits.line) return 'long-header';
    if (headers.length >= limits.headers) return 'many-headers';
    const colon = line.indexOf(':');
    const given = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (!token.test(given)) return 'header-name';
    const name = Object.hasOwn(compact, given) ? (compact[given] ?? given) : given;
    if (single.has(name) && seen.has(name)) return `two-${name}`;
    seen.add(name);
    headers.push([name, line.slice(colon + 1).trim()]);
  }
  return headers.some(([, value]) => control.test(value)) ? 'control-character' : headers;
}

/** The first of this name, or null. */
export function headerOf({ headers }: Pick<Part, 'headers'>, name: string): string | null {
  return headers.find(([known]) => known === name)?.[1] ?? null;
}

/** All of this name, one entry for each header line. */
export function linesOf({ headers }: Pick<Part, 'headers'>, name: string): readonly string[] {
  return headers.filter(([known]) => known === name).map(([, value]) => value);
}

/** Entries of a list header over all of its lines, at most `limits.list`. */
export function listOf(message: Pick<Part, 'headers'>, name: string): readonly string[] {
  return linesOf(message, name)
    .flatMap((line) => splitList(line))
    .slice(0, limits.list);
}

/** Splits at commas that are not within quotes or `<>`. */
export function splitList(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  let isQuoted = false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (isQuoted) {
      if (letter === '\\') i++;
      else if (letter === '"') isQuoted = false;
    } else if (letter === '"') isQuoted = true;
    else if (letter === '<') depth++;
    else if (letter === '>') depth = Math.max(0, depth - 1);
    else if (letter === ',' && depth === 0) {
      found.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  found.push(text.slice(start).trim());
  return found.filter((entry) => entry !== '');
}

export function cseqOf(message: Pick<Part, 'headers'>): { readonly number: number; readonly method: string } | null {
  const match = /^(\d{1,10})\s+(\S+)$/.exec(headerOf(message, 'cseq') ?? '');
  const number = Number(match?.[1]);
  const method = match?.[2] ?? '';
  // RFC 3261 section 8.1.1.5: less than 2^31.
  return match !== null && number < 2 ** 31 && token.test(method) ? { number, method } : null;
}

export function callIdOf(message: Pick<Part, 'headers'>): string {
  return headerOf(message, 'call-id') ?? '';
}

const shown: Readonly<Record<string, string>> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  'www-authenticate': 'WWW-Authenticate',
};

function longName(name: string): string {
  return shown[name] ?? name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** `first` without its line end. Content-Length is written here, from what the body is. */
export function writeMessage(first: string, headers: readonly Header[], body: Buffer | string = ''): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body, 'latin1');
  const lines = headers.map(([name, value]) => `${longName(name)}: ${value}\r\n`);
  const head = `${first}\r\n${lines.join('')}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}
