import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { CodedError, codeOf, messageOf } from './errors.ts';
import { within } from './lifecycle.ts';
import { modernTls } from './pki-tls.ts';

/*
 * Syslog as RFC 5424 writes it and RFC 5425 (over TLS) and RFC 6587 3.4.1 (over TCP) carry it: `<octets> <message>`.
 * The protocol acknowledges nothing. But a receiver that has read everything must answer the end of a connection with
 * its own (close_notify, RFC 5425 4.4; FIN without TLS), so what was sent on a connection counts as taken when that came.
 */

export interface SyslogMessage {
  /** Facility 13 is "log audit"; severity 4 warning, 5 notice, 6 informational (RFC 5424, 6.2.1). */
  readonly facility: number;
  readonly severity: number;
  /** ms since epoch. */
  readonly time: number;
  readonly host: string;
  readonly app: string;
  readonly kind: string;
  /** Name and private enterprise number, e.g. `audit@32473`. */
  readonly dataId: string;
  readonly data: Readonly<Record<string, string | number>>;
  readonly text: string;
}

/** Receivers must take 2,048 octets and should take 8,192 (RFC 5425, 4.3.1): a longer value ends in an ellipsis. */
const longestValue = 1_000;

/** One message with its length in front. */
export function syslogFrame(message: SyslogMessage): Buffer {
  const { facility, severity, time, data, dataId } = message;
  const header = [
    `<${facility * 8 + severity}>1`,
    new Date(time).toISOString(),
    word(message.host, 255),
    word(message.app, 48),
    '-',
    word(message.kind, 32),
  ].join(' ');
  const parts = Object.entries(data).map(([name, value]) => `${name}="${parameter(String(value))}"`);
  // The mark says that the text is UTF-8 (6.4).
  const text = `${header} [${dataId}${parts.map((part) => ` ${part}`).join('')}] \ufeff${plain(message.text)}`;
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}

/** Printable ASCII without spaces, `-` for nothing. */
function word(text: string, most: number): string {
  return text.replace(/[^\x21-\x7e]/g, '_').slice(0, most) || '-';
}

/** `"`, `\` and `]` are escaped (6.3.3). */
function parameter(text: string): string {
  return plain(text).replace(/["\\\]]/g, '\\$&');
}

/** Control characters would let a line of the audit look like two: they become their pictures (U+2400 and on). */
function plain(text: string): string {
  const short = text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
  return (
    short
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\x00-\x1f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
      .replace(/\x7f/g, '\u2421')
      .replace(/[\x80-\x9f\u2028\u2029]/g, '\ufffd')
  );
}

export interface SyslogServer {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM file of the authority that the server's certificate comes from; null: those that the system trusts. */
  readonly ca: string | null;
}

const connectTimeout = 10_000;
/** For sending and for the answer to our end, together. */
const exchangeTimeout = 15_000;

/**
 * Sends frames on a connection of their own and ends it. Resolves when the server has answered the end: it has read
 * all. Throws SYSLOG_AWAY, SYSLOG_UNTRUSTED or SYSLOG_UNTAKEN; then they may have been taken, all, some, or none.
 */
export async function sendSyslog(server: SyslogServer, frames: readonly Buffer[], signal: AbortSignal): Promise<void> {
  using line = await open(server, signal);
  const abort = () => line.socket.destroy(new Error('it was stopped'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    await within(exchangeTimeout, `sending to ${server.host}`, exchange(line, frames));
  } catch (error) {
    const what = `the syslog server ${server.host} did not take what was sent: ${messageOf(error)}`;
    throw new CodedError('SYSLOG_UNTAKEN', what, { cause: error });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

interface Line extends Disposable {
  readonly socket: Socket;
  /** Whether the end that came was the server's own, and not only that of a connection which somebody cut. */
  wasEnded(): boolean;
}

async function open(server: SyslogServer, signal: AbortSignal): Promise<Line> {
  signal.throwIfAborted();
  const ca = server.ca === null ? null : await readAuthority(server.ca, signal);
  const raw = connectTcp({ host: server.host, port: server.port });
  const line = server.tls ? encrypted(raw, server.host, ca) : plainLine(raw);
  const { socket } = line;
  const abort = () => socket.destroy(new Error('it was stopped'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const ready = opened(socket, server.tls ? 'secureConnect' : 'connect');
    // Without TLS a socket tells of its own failure; with it, that of the connection below comes as well.
    await within(connectTimeout, 'the connection', Promise.race([ready, failed(raw)]));
    return line;
  } catch (error) {
    line[Symbol.dispose]();
    throw explained(error, server);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function readAuthority(file: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal });
  } catch (error) {
    throw new CodedError('SYSLOG_UNTRUSTED', `cannot read syslog.ca (${file}): ${messageOf(error)}`, { cause: error });
  }
}

function plainLine(socket: Socket): Line {
  return { socket, wasEnded: () => true, [Symbol.dispose]: () => void socket.destroy() };
}

function encrypted(raw: Socket, host: string, ca: string | null): Line {
  const watch = new RecordWatch(raw);
  const trust = ca === null ? {} : { ca };
  const name = isIP(host) ? {} : { servername: host };
  const socket = connectTls({ ...modernTls, ...trust, ...name, host, socket: watch, rejectUnauthorized: true });
  return {
    socket,
    wasEnded: () => watch.endsWithAlert,
    [Symbol.dispose]() {
      socket.destroy();
      raw.destroy();
    },
  };
}

function explained(error: unknown, { host, port }: SyslogServer): CodedError {
  const isDistrust = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(codeOf(error));
  const what = isDistrust
    ? `the certificate of the syslog server ${host} is not to be trusted: ${messageOf(error)}`
    : `the syslog server ${host} port ${port} does not answer: ${messageOf(error)}`;
  return new CodedError(isDistrust ? 'SYSLOG_UNTRUSTED' : 'SYSLOG_AWAY', what, { cause: error });
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it closed the connection')));
  });
}

function failed(socket: Socket): Promise<never> {
  return new Promise((_, reject) => {
    socket.once('error', reject);
  });
}

function exchange({ socket, wasEnded }: Line, frames: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let isEnding = false;
    const cut = new Error('the connection was cut');
    socket.on('error', reject);
    socket.on('close', () => reject(cut));
    socket.on('data', () => reject(new Error('it answers, which no syslog server does')));
    socket.on('end', () => (isEnding && wasEnded() ? resolve() : reject(cut)));
    socket.write(Buffer.concat(frames), () => {
      isEnding = true;
      socket.end();
    });
  });
}

const alertRecord = 21;
const dataRecord = 23;
/** An alert inside a record of TLS 1.3: two bytes, the type, and the tag (RFC 8446, 5.2). Tickets are far longer. */
const hiddenAlertBytes = 19;
const recordHeader = 5;

/**
 * A TCP connection under TLS that remembers whether the last record was an alert. Node tells of close_notify and of a
 * bare FIN in the same way; but anybody on the way can send a FIN, and a server that dies does. That the alert is
 * genuine is OpenSSL's business: a forged one is an error.
 */
class RecordWatch extends Duplex {
  endsWithAlert = false;
  readonly #raw: Socket;
  #header = Buffer.alloc(0);
  #left = 0;

  constructor(raw: Socket) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    raw.on('data', (chunk: Buffer) => {
      this.#look(chunk);
      if (!this.push(chunk)) raw.pause();
    });
    raw.on('end', () => this.push(null));
    raw.on('error', (error) => this.destroy(error));
    raw.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#raw.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#raw.destroy();
    done(error);
  }

  /** Walks over the records: type, version (2), length (2), body. */
  #look(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      const missing = recordHeader - this.#header.length;
      this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + missing)]);
      at += missing;
      if (this.#header.length < recordHeader) return;
      const type = this.#header[0] ?? 0;
      this.#left = this.#header.readUInt16BE(3);
      this.endsWithAlert = type === alertRecord || (type === dataRecord && this.#left === hiddenAlertBytes);
      this.#header = Buffer.alloc(0);
    }
  }
}
