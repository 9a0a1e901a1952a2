/* What goes over one RTSP connection (RFC 2326): messages with headers, and between them binary frames of RTP (10.12), cut as bytes come. */

/** One request or answer; its first line and headers as they came. */
export interface RtspMessage {
  readonly first: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface RtspParts {
  message(message: RtspMessage): void;
  /** Whole frames or parts of one, in order: to be passed on as they are. */
  frames(bytes: Buffer): void;
}

const longestHead = 16_384;
const longestBody = 65_536;
/** Some cameras put line ends or padding between frames. More than this without anything that makes sense is no RTSP. */
const mostNoise = 65_536;
const frameMark = 0x24;
const isLetter = (byte: number) => byte >= 0x41 && byte <= 0x5a;

/** All values of a header, in order. */
export function headersOf({ headers }: RtspMessage, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

export function messageBytes({ first, headers, body }: RtspMessage): Buffer {
  const lines = [first, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]);
}

/** Cuts one direction of a connection. `push` is false when what comes is no RTSP: nothing more can be made of it. */
export class RtspReader {
  readonly #parts: RtspParts;
  /** The begin of a message, or of the four bytes before a frame. */
  #held: Buffer = Buffer.alloc(0);
  /** Bytes of the frame that is passing. */
  #passing = 0;
  #noise = 0;

  constructor(parts: RtspParts) {
    this.#parts = parts;
  }

  push(chunk: Buffer): boolean {
    let bytes = chunk;
    if (this.#held.length > 0) bytes = Buffer.concat([this.#held, chunk]);
    this.#held = bytes.subarray(0, 0);
    let at = 0;
    while (at < bytes.length) {
      const through = this.#frames(bytes, at);
      if (through > at) this.#parts.frames(bytes.subarray(at, through));
      at = through;
      const first = bytes[at];
      if (first === undefined) break;
      if (first === frameMark) return this.#keep(bytes, at);
      if (!isLetter(first)) {
        at += 1;
        this.#noise += 1;
        if (this.#noise > mostNoise) return false;
        continue;
      }
      const end = this.#message(bytes, at);
      if (end === 'broken') return false;
      if (end === 'more') return this.#keep(bytes, at);
      at = end;
    }
    return true;
  }

  /** Where the frames that begin at `at` end, as far as they are here. */
  #frames(bytes: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const part = Math.min(this.#passing, bytes.length - at);
      at += part;
      this.#passing -= part;
      if (this.#passing > 0 || at + 4 > bytes.length || bytes[at] !== frameMark) return at;
      this.#passing = 4 + bytes.readUInt16BE(at + 2);
      this.#noise = 0;
    }
  }

  #keep(bytes: Buffer, at: number): boolean {
    this.#held = bytes.subarray(at);
    return this.#held.length <= longestHead + longestBody;
  }

  #message(bytes: Buffer, at: number): number | 'more' | 'broken' {
    const end = bytes.indexOf('\r\n\r\n', at, 'latin1');
    if (end === -1) return bytes.length - at > longestHead ? 'broken' : 'more';
    if (end - at > longestHead) return 'broken';
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const headers = lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const] : [];
    });
    const told = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? '0';
    const length = /^\d{1,7}$/.test(told) ? Number(told) : Number.NaN;
    if (!(length <= longestBody)) return 'broken';
    const after = end + 4 + length;
    if (after > bytes.length) return 'more';
    this.#noise = 0;
    this.#parts.message({ first, headers, body: bytes.subarray(end + 4, after) });
    return after;
  }
}
