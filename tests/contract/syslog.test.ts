import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditLine } from '#edge/domain/audit.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openPki, type Pki } from '#edge/runtime/pki.ts';
import { sendSyslog, syslogFrame } from '#edge/runtime/syslog.ts';
import {
  type AuditForward,
  type AuditForwardOptions,
  type NumberedLine,
  startAuditForward,
} from '#edge/web/audit-forward.ts';
import { freePorts } from '../system/free-ports.ts';

/* The audit to a syslog server: a receiver that takes RFC 5424/5425 at their word, and Debian's rsyslog where it is. */

const soon = { timeout: 15_000 };
const quick = { look: 30, backoffFirst: 30, backoffCap: 100 };
const folder = mkdtempSync(join(tmpdir(), 'syslog-'));
const caFile = join(folder, 'ca.crt');
let pki: Pki;
beforeAll(async () => {
  pki = await openPki({ data: folder, names: [], own: null, clock: systemClock, log: silentLog });
  writeFileSync(caFile, pki.authority);
});
afterAll(() => {
  pki?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Received {
  readonly priority: number;
  readonly time: string;
  readonly app: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, string>>;
  readonly text: string;
}

/** RFC 5424, section 6, and nothing that is not in it. */
function parse(message: string): Received {
  const header =
    /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) /;
  const [head, priority, time = '', , app = '', , kind = ''] = header.exec(message) ?? [];
  if (head === undefined) throw new Error(`no header: ${message}`);
  const element =
    /^\[[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}((?: [a-z]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] \ufeff(.*)$/su;
  const [, inner = null, text = ''] = element.exec(message.slice(head.length)) ?? [];
  if (inner === null) throw new Error(`no structured data: ${message}`);
  const pairs = [...inner.matchAll(/ ([a-z]+)="((?:[^"\\\]]|\\["\\\]])*)"/gsu)];
  const data = Object.fromEntries(pairs.map(([, name, value = '']) => [name, value.replace(/\\(["\\\]])/g, '$1')]));
  return { priority: Number(priority), time, app, kind, data, text };
}

/** Cuts what came by its announced lengths (RFC 5425, 4.3). */
function cut(bytes: Buffer): { messages: string[]; rest: number } {
  const messages: string[] = [];
  let at = 0;
  for (;;) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? '' : bytes.toString('latin1', at, space);
    if (!/^[1-9]\d*$/.test(length) || space + 1 + Number(length) > bytes.length) break;
    messages.push(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        bytes.subarray(space + 1, space + 1 + Number(length)),
      ),
    );
    at = space + 1 + Number(length);
  }
  return { messages, rest: bytes.length - at };
}

class Receiver implements AsyncDisposable {
  readonly got: Received[] = [];
  connections = 0;
  /** Breaks this many connections after they sent something, unanswered. */
  breaks = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(certificate: { cert: string; key: string }) {
    this.#server = createServer({ ...certificate, allowHalfOpen: true }, (socket) => {
      this.connections += 1;
      const chunks: Buffer[] = [];
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        if (this.breaks > 0) {
          this.breaks -= 1;
          socket.destroy();
        } else chunks.push(chunk);
      });
      socket.on('end', () => {
        const { messages, rest } = cut(Buffer.concat(chunks));
        if (rest > 0) throw new Error(`${rest} bytes are no message`);
        this.got.push(...messages.map(parse));
        socket.end();
      });
    });
    this.#server.on('tlsClientError', () => {});
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  get numbers(): number[] {
    return this.got.map(({ data }) => Number(data.seq));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An audit that grows. */
class Lines {
  readonly all: NumberedLine[] = [];
  created = 1_790_000_000_000;

  add(line: Partial<AuditLine> = {}): void {
    const seq = this.all.length + 1;
    const base = {
      time: systemClock.now(),
      who: 'person:lin',
      from: '10.0.0.7',
      what: `request fan/on=true`,
      why: 'warm',
      result: 'accepted',
    };
    this.all.push({ ...base, ...line, seq, hash: seq.toString(16).padStart(64, '0') });
  }

  readonly source = {
    audit: (after: number, limit: number) => this.all.filter(({ seq }) => seq > after).slice(0, limit),
    auditHead: () => this.all.at(-1) ?? null,
    meta: () => ({ created: this.created }),
  };
}

function forward(
  lines: Lines,
  port: number,
  more: Partial<AuditForwardOptions> & { data: string },
): Promise<AuditForward> {
  const server = { host: 'localhost', port, tls: true, ca: caFile };
  const common = {
    server,
    campus: '2151009901',
    source: lines.source,
    clock: systemClock,
    log: silentLog,
    times: quick,
  };
  return startAuditForward({ ...common, ...more });
}

const room = () => mkdtempSync(join(folder, 'room-'));

describe('a line of the audit', () => {
  test('arrives with all its fields, as RFC 5424 has it, and the time at which it happened', async () => {
    await using server = new Receiver(pki.server);
    const lines = new Lines();
    lines.add({ time: 1_790_000_000_123 });
    lines.add({ who: 'person:guard', what: 'sign-in guard', why: '', result: 'refused: wrong password' });
    await using _own = await forward(lines, await server.listen(), { data: room() });
    await expect.poll(() => server.got, soon).toHaveLength(2);
    expect(server.got[0]).toEqual({
      priority: 13 * 8 + 6,
      time: '2026-09-21T14:13:20.123Z',
      app: 'campus-edge',
      kind: 'request',
      data: {
        seq: '1',
        campus: '2151009901',
        who: 'person:lin',
        from: '10.0.0.7',
        what: 'request fan/on=true',
        why: 'warm',
        result: 'accepted',
        hash: '1'.padStart(64, '0'),
      },
      text: 'person:lin: request fan/on=true -> accepted (warm)',
    });
    expect(server.got[1]).toMatchObject({ priority: 13 * 8 + 4, kind: 'sign-in' });
  });

  test('cannot break out of its frame: quotes, brackets, newlines, NUL, lone surrogates, other scripts, great length', async () => {
    await using server = new Receiver(pki.server);
    const nasty = [
      'say "]" \\" and [x y="z"]',
      'one\n99 <0>1 two\r\n\0end\x1b[31m\x7f\x9b',
      '空调太热，请关 🔥',
      'half \ud83d a pair',
      'x'.repeat(100_000),
      '\u2028\ufeff',
    ];
    const lines = new Lines();
    for (const why of nasty) lines.add({ why, what: `${why.slice(0, 60)}` });
    await using _own = await forward(lines, await server.listen(), { data: room() });
    await expect.poll(() => server.numbers, soon).toEqual([1, 2, 3, 4, 5, 6]);
    const why = server.got.map(({ data }) => data.why);
    expect(why[0]).toBe(nasty[0]);
    expect(why[1]).toBe('one␊99 <0>1 two␍␊␀end␛[31m␡\ufffd');
    expect(why[2]).toBe(nasty[2]);
    expect(why[3]).toBe('half \ufffd a pair');
    expect(why[4]).toHaveLength(1_000);
    const longest = syslogFrame({
      ...{ facility: 13, severity: 6, time: 0, host: 'h'.repeat(300), app: 'a', kind: '', dataId: 'audit@32473' },
      data: Object.fromEntries(['a', 'b', 'c'].map((name) => [name, '字'.repeat(5_000)])),
      text: '字'.repeat(5_000),
    });
    expect(longest.length).toBeLessThan(20_000);
  });
});

describe('what is forwarded', () => {
  test('arrives in order and goes on where it left off after a restart, with no line left out', async () => {
    await using server = new Receiver(pki.server);
    const port = await server.listen();
    const lines = new Lines();
    const data = room();
    for (let n = 0; n < 450; n++) lines.add();
    {
      await using own = await forward(lines, port, { data });
      await expect.poll(() => own.state(), soon).toMatchObject({ seq: 450, waiting: 0, oldest: null, error: null });
    }
    for (let n = 0; n < 5; n++) lines.add();
    await using own = await forward(lines, port, { data });
    await expect.poll(() => own.state().seq, soon).toBe(455);
    expect(server.numbers).toEqual(Array.from({ length: 455 }, (_, n) => n + 1));
    expect(server.connections).toBe(4);
  });

  test('waits while the server is away, says so, and is sent when it comes', async () => {
    const [port = 0] = await freePorts(1);
    const lines = new Lines();
    lines.add();
    await using own = await forward(lines, port, { data: room() });
    await expect.poll(() => own.state().error, soon).toMatch(/^the syslog server localhost port \d+ does not answer/);
    expect(own.state()).toMatchObject({ seq: 0, waiting: 1, oldest: lines.all[0]?.time, sent: null });
    await using server = new Receiver(pki.server);
    await server.listen(port);
    await expect.poll(() => own.state(), soon).toMatchObject({ seq: 1, waiting: 0, oldest: null, error: null });
    expect(server.numbers).toEqual([1]);
  });

  test('is sent again when the connection broke before the server had read it all', async () => {
    await using server = new Receiver(pki.server);
    server.breaks = 3;
    const lines = new Lines();
    for (let n = 0; n < 10; n++) lines.add();
    await using own = await forward(lines, await server.listen(), { data: room() });
    await expect.poll(() => own.state().seq, soon).toBe(10);
    expect(server.numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(server.connections).toBeGreaterThanOrEqual(4);
  });

  test('is late after its time, once, and is said to be well again', async () => {
    const [port = 0] = await freePorts(1);
    const said: string[] = [];
    const note = (_fields: object, message: string) => void said.push(message);
    const log = Object.assign(Object.create(silentLog), { error: note, info: note, warn: note });
    const lines = new Lines();
    lines.add({ time: systemClock.now() - 2 * 3_600_000 });
    await using own = await forward(lines, port, { data: room(), log });
    const late = 'the audit has not reached the syslog server for too long';
    await expect.poll(() => said, soon).toContain(late);
    await using server = new Receiver(pki.server);
    await server.listen(port);
    await expect.poll(() => own.state().seq, soon).toBe(1);
    await expect.poll(() => said, soon).toContain('the audit is forwarded again');
    expect(said.filter((message) => message === late)).toHaveLength(1);
  });

  test('begins anew with another database, and with one that was brought back', async () => {
    await using server = new Receiver(pki.server);
    const lines = new Lines();
    for (let n = 0; n < 3; n++) lines.add();
    await using own = await forward(lines, await server.listen(), { data: room() });
    await expect.poll(() => own.state().seq, soon).toBe(3);
    lines.all.length = 2; // a back-up that is one line behind
    await expect.poll(() => server.numbers, soon).toEqual([1, 2, 3, 1, 2]);
    lines.created += 1;
    await expect.poll(() => server.numbers, soon).toEqual([1, 2, 3, 1, 2, 1, 2]);
  });
});

describe('a server that is not who it should be', () => {
  test('gets nothing: of a foreign authority, under a wrong name, or no syslog server at all', async () => {
    const other = await openPki({ data: room(), names: [], own: null, clock: systemClock, log: silentLog });
    await using foreign = new Receiver(other.server);
    await using ours = new Receiver(pki.server);
    const frames = [Buffer.from(`100 ${'x'.repeat(100)}`)];
    const signal = AbortSignal.timeout(20_000);
    const to = { host: '127.0.0.1', tls: true, ca: caFile };
    await expect(sendSyslog({ ...to, port: await foreign.listen() }, frames, signal)).rejects.toMatchObject({
      code: 'SYSLOG_UNTRUSTED',
    });
    const port = await ours.listen();
    await expect(sendSyslog({ ...to, ca: null, port }, frames, signal)).rejects.toMatchObject({
      code: 'SYSLOG_UNTRUSTED',
    });
    await expect(sendSyslog({ ...to, host: '127.0.0.2', port }, frames, signal)).rejects.toMatchObject({
      code: expect.stringMatching(/SYSLOG_(AWAY|UNTRUSTED)/),
    });
    const chatty = createPlainServer(
      (socket) => void socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    chatty.listen(0, '127.0.0.1');
    await once(chatty, 'listening');
    const address = chatty.address();
    const plain = { ...to, tls: false, port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
    await expect(sendSyslog(plain, frames, signal)).rejects.toMatchObject({ code: 'SYSLOG_UNTAKEN' });
    chatty.close();
    expect([foreign.got, ours.got]).toEqual([[], []]);
    other[Symbol.dispose]();
  });
});

const rsyslogd = ['/usr/sbin/rsyslogd', 'rsyslogd'].find(
  (name) => spawnSync(name, ['-v'], { timeout: 10_000 }).status === 0,
);
const driver = ['lmnsd_ossl.so', 'lmnsd_gtls.so'].find(
  (file) => spawnSync('sh', ['-c', `ls /usr/lib/*/rsyslog/${file}`]).status === 0,
);
const canRun = rsyslogd !== undefined && driver !== undefined;
if (!canRun) console.warn('SKIPPED: rsyslog: install the Debian packages rsyslog and rsyslog-openssl to run it');

describe.skipIf(!canRun)('rsyslog', () => {
  test('takes the audit over TLS, parses every field, and misses none when it is killed and comes back', async () => {
    const data = room();
    const [port = 0] = await freePorts(1);
    const out = join(data, 'audit.log');
    const file = (name: string, text: string) => {
      writeFileSync(join(data, name), text);
      return join(data, name);
    };
    const net = driver === 'lmnsd_ossl.so' ? 'ossl' : 'gtls';
    mkdirSync(join(data, 'work'));
    chmodSync(data, 0o755);
    const config = file(
      'rsyslog.conf',
      `global(workDirectory="${data}/work" defaultNetstreamDriver="${net}"
  defaultNetstreamDriverCAFile="${caFile}"
  defaultNetstreamDriverCertFile="${file('server.crt', pki.server.cert)}"
  defaultNetstreamDriverKeyFile="${file('server.key', pki.server.key)}")
module(load="imtcp" StreamDriver.Name="${net}" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" address="127.0.0.1" port="${port}")
template(name="fields" type="string" string="%PRI%|%APP-NAME%|%MSGID%|%STRUCTURED-DATA%|%msg%\\n")
action(type="omfile" file="${out}" template="fields")
`,
    );
    let daemon: ChildProcess | undefined;
    const start = () => {
      daemon = spawn(rsyslogd ?? '', ['-n', '-f', config, '-i', join(data, 'pid')], { stdio: 'ignore' });
    };
    const written = (): string[] => {
      try {
        return readFileSync(out, 'utf8').split('\n').filter(Boolean);
      } catch {
        return [];
      }
    };
    const lines = new Lines();
    lines.add({ why: '教室太热 "]" \\' });
    start();
    try {
      await using own = await forward(lines, port, { data, times: quick });
      await expect.poll(written, soon).toHaveLength(1);
      expect(written()[0]).toMatch(
        /^110\|campus-edge\|request\|\[audit@32473 seq="1" campus="2151009901" who="person:lin"/,
      );
      expect(written()[0]).toContain('why="教室太热 \\"\\]\\" \\\\"');
      expect(written()[0]).toMatch(/person:lin: request fan\/on=true -> accepted/);
      daemon?.kill('SIGKILL');
      for (let n = 0; n < 300; n++) lines.add();
      await expect.poll(() => own.state().error, soon).not.toBeNull();
      start();
      const numbers = () => new Set(written().map((line) => /seq="(\d+)"/.exec(line)?.[1]));
      await expect.poll(() => numbers().size, soon).toBe(301);
      await expect.poll(() => own.state(), soon).toMatchObject({ seq: 301, waiting: 0, error: null });
    } finally {
      daemon?.kill('SIGKILL');
    }
  });
});
