import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer, isIP, type Server, type Socket as Stream } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import alawmulaw from 'alawmulaw';
import { type SipBehaviour, usual } from './sip-speaker-behaviour.ts';
import { headersOf, pair, reasonOf, response } from './sip-speaker-text.ts';
import { dominantTone } from './tone.ts';

export interface SipSpeakerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** PEM, for TLS. */
  readonly identity?: { readonly key: string; readonly cert: string };
  readonly behaviour?: Partial<SipBehaviour>;
}

export interface SipHeard {
  readonly invites: number;
  readonly calls: number;
  readonly acks: number;
  readonly byes: number;
  readonly cancels: number;
  readonly options: number;
  readonly registers: number;
  readonly packets: number;
  readonly reports: number;
  /** RTP packets since the present or last call began. */
  readonly tone: number | null;
  readonly payloadType: number | null;
  /** INVITE to the first packet of the last call, ms. */
  readonly firstPacketAfter: number | null;
  /** Gaps between packets, ms. */
  readonly gaps: readonly number[];
  /** Is there a call now? */
  readonly active: number;
  readonly lastInvite: string;
  readonly requests: readonly string[];
}

export interface SipSpeaker extends AsyncDisposable {
  readonly port: number;
  readonly uri: string;
  heard(): SipHeard;
  behave(changes: Partial<SipBehaviour>): void;
  /** Hangs up all calls. */
  hangUp(): void;
  /** A re-INVITE with this direction: `sendonly` and `inactive` are hold. */
  reinvite(direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive', codecs?: readonly number[]): void;
  /** Sends bytes to where the present call's sound goes to, from a port of its own: an attacker beside it. */
  inject(bytes: Buffer): Promise<void>;
  /** Whatever it likes to say to the caller, from its own address. */
  say(bytes: Buffer): void;
  /** What the caller answered to re-INVITEs and the like. */
  readonly answers: readonly string[];
}

const names: Readonly<Record<number, string>> = { 0: 'PCMU/8000', 8: 'PCMA/8000', 9: 'G722/8000' };

type Reply = (text: string) => void;
interface Talk {
  readonly id: string;
  readonly tag: string;
  readonly invite: Map<string, string>;
  readonly reply: Reply;
  readonly rtp: Socket;
  readonly rtcp: Socket;
  far: { address: string; port: number };
  payloadType: number;
  cseq: number;
  started: number;
  acked: boolean;
  again: NodeJS.Timeout | undefined;
  sender: NodeJS.Timeout | undefined;
  reporter: NodeJS.Timeout | undefined;
}

/**
 * A SIP loudspeaker: takes calls over real sockets, counts and decodes what it hears. Written apart from the driver, so that a mistake of
 * the one is none of the other.
 */
export async function startSipSpeaker(options: SipSpeakerOptions): Promise<SipSpeaker> {
  const speaker = new Speaker(options);
  await speaker.listen();
  return speaker;
}

class Speaker implements SipSpeaker {
  readonly #host: string;
  readonly #transport: 'udp' | 'tcp' | 'tls';
  readonly #identity: { readonly key: string; readonly cert: string } | undefined;
  readonly #talks = new Map<string, Talk>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #nonces = new Map<string, number>();
  readonly #streams = new Set<Stream>();
  readonly #requests: string[] = [];
  readonly answers: string[] = [];
  #behaviour: SipBehaviour;
  #wanted: number;
  #socket: Socket | null = null;
  #server: Server | null = null;
  #counts = { invites: 0, calls: 0, acks: 0, byes: 0, cancels: 0, options: 0, registers: 0, packets: 0, reports: 0 };
  #samples: number[] = [];
  #payloadType: number | null = null;
  #inviteAt = 0;
  #firstAfter: number | null = null;
  #lastPacketAt: number | null = null;
  #gaps: number[] = [];
  #lastInvite = '';
  #last: Talk | null = null;
  #lastReply: Reply = () => {};
  readonly #cancelled = new Set<string>();

  constructor({ host, port = 0, transport = 'udp', identity, behaviour = {} }: SipSpeakerOptions) {
    this.#host = host;
    this.#wanted = port;
    this.#transport = transport;
    this.#identity = identity;
    this.#behaviour = { ...usual, ...behaviour };
  }

  get port(): number {
    return this.#wanted;
  }

  get uri(): string {
    return `sip:hall@${this.#written}:${this.#wanted}`;
  }

  get #written(): string {
    return isIP(this.#host) === 6 ? `[${this.#host}]` : this.#host;
  }

  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#transport === 'udp') {
      const socket = createSocket(isIP(this.#host) === 6 ? 'udp6' : 'udp4');
      socket.once('error', reject);
      socket.bind(this.#wanted, this.#host, resolve);
      await promise;
      this.#wanted = socket.address().port;
      this.#socket = socket;
      socket.on('message', (bytes, from) => {
        const reply: Reply = (text) => this.#socket?.send(Buffer.from(text, 'latin1'), from.port, from.address);
        this.#take(bytes.toString('latin1'), reply, from.address, from.port);
      });
      return;
    }
    const take = (stream: Stream) => this.#stream(stream);
    const server = this.#transport === 'tls' ? createTlsServer({ ...this.#identity }, take) : createServer(take);
    // A caller that does not trust us breaks off.
    server.on('tlsClientError', () => {});
    server.once('error', reject);
    server.listen(this.#wanted, this.#host, resolve);
    await promise;
    const at = server.address();
    this.#wanted = typeof at === 'object' && at !== null ? at.port : this.#wanted;
    this.#server = server;
  }

  #stream(stream: Stream): void {
    this.#streams.add(stream);
    let text = '';
    const reply: Reply = (said) => stream.write(said, 'latin1');
    stream.on('error', () => {});
    stream.on('close', () => this.#streams.delete(stream));
    stream.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const length = Number(/^content-length:\s*(\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
        if (text.length < end + 4 + length) return;
        const message = text.slice(0, end + 4 + length);
        text = text.slice(end + 4 + length);
        this.#take(message, reply, stream.remoteAddress ?? '', stream.remotePort ?? 0);
      }
    });
  }

  #take(text: string, reply: Reply, address: string, port: number): void {
    this.#lastReply = reply;
    const [first = ''] = text.split('\r\n', 1);
    const headers = headersOf(text);
    if (first.startsWith('SIP/2.0')) {
      this.#answered(first, headers, text, reply);
      return;
    }
    const method = first.split(' ')[0] ?? '';
    this.#requests.push(text);
    if (this.#requests.length > 500) this.#requests.shift();
    const { answer } = this.#behaviour;
    if (answer === 'silent') return;
    const respond = (status: number, reason: string, more = '', body = '', tag = 'simulated') =>
      reply(
        response({ status, reason, headers, more, body, tag, address, port, recordRoute: this.#behaviour.recordRoute }),
      );
    if (method === 'OPTIONS') {
      this.#counts.options++;
      if (this.#denies(method, text, respond)) return;
      respond(200, 'OK');
      return;
    }
    if (method === 'REGISTER') {
      this.#counts.registers++;
      if (this.#denies(method, text, respond)) return;
      const contact = headers.get('contact') ?? '';
      respond(200, 'OK', `Contact: ${contact};expires=${headers.get('expires') ?? '60'}\r\n`);
      return;
    }
    if (method === 'ACK') {
      this.#acknowledged(headers);
      return;
    }
    if (method === 'CANCEL') {
      this.#cancel(headers, respond);
      return;
    }
    if (method === 'BYE') {
      this.#bye(headers, respond);
      return;
    }
    if (method === 'INVITE') {
      this.#invite(text, headers, respond, reply);
      return;
    }
    respond(405, 'Method Not Allowed');
  }

  #invite(text: string, headers: Map<string, string>, respond: Respond, reply: Reply): void {
    this.#counts.invites++;
    if (this.#counts.invites <= this.#behaviour.lostInvites) return;
    this.#lastInvite = text;
    const id = headers.get('call-id') ?? '';
    const known = this.#talks.get(id);
    if (known !== undefined && known.invite.get('cseq') === headers.get('cseq')) return;
    const { answer, delay, login, needsAutoAnswer, trying, redirect } = this.#behaviour;
    if (trying) respond(100, 'Trying', '', '', '');
    if (login !== null && this.#denies('INVITE', text, respond)) return;
    this.#inviteAt = performance.now();
    if (redirect !== null) {
      respond(302, 'Moved Temporarily', `Contact: <${redirect}>\r\n`);
      return;
    }
    if (typeof answer === 'number') {
      this.#later(delay, () => respond(answer, reasonOf(answer)));
      return;
    }
    const asksFor = /alert-autoanswer|answer-after=0|Answer-Mode: Auto/i.test(text);
    if (answer === 'ring' || (needsAutoAnswer && !asksFor)) {
      respond(180, 'Ringing', '', '', `ring-${id.slice(0, 8)}`);
      return;
    }
    if (delay > 0) respond(180, 'Ringing', '', '', `t-${id.slice(0, 8)}`);
    this.#later(delay, () => {
      if (!this.#cancelled.delete(id)) void this.#answer(text, headers, id, reply, respond);
    });
  }

  async #answer(text: string, invite: Map<string, string>, id: string, reply: Reply, respond: Respond): Promise<void> {
    const offered = /m=audio (\d+) RTP\/AVP ([\d ]+)/.exec(text);
    const address = /c=IN IP[46] (\S+)/.exec(text)?.[1] ?? this.#host;
    const types = (offered?.[2] ?? '').trim().split(' ').map(Number);
    const payloadType = this.#behaviour.codecs.find((type) => types.includes(type));
    if (payloadType === undefined) return respond(488, 'Not Acceptable Here');
    const tag = `t-${id.slice(0, 8)}`;
    const [rtp, rtcp] = await pair(this.#host);
    const talk: Talk = {
      ...{ id, tag, invite, reply, rtp, rtcp, far: { address, port: Number(offered?.[1]) }, payloadType, cseq: 1 },
      ...{ started: this.#inviteAt, acked: false, again: undefined, sender: undefined, reporter: undefined },
    };
    this.#talks.set(id, talk);
    this.#last = talk;
    this.#counts.calls++;
    this.#firstAfter = null;
    this.#lastPacketAt = null;
    this.#gaps = [];
    rtp.on('message', (bytes) => this.#sound(talk, bytes));
    rtcp.on('message', () => {
      this.#counts.reports++;
    });
    const contact = `Contact: <sip:hall@${this.#written}:${this.port}${this.#transport === 'udp' ? '' : `;transport=${this.#transport}`}>\r\n`;
    const type = 'Content-Type: application/sdp\r\n';
    const body = this.#sdp(talk, [payloadType], 'sendrecv');
    const ok = () => respond(200, 'OK', contact + type, body, tag);
    ok();
    if (this.#behaviour.forks) respond(200, 'OK', contact + type, body, `${tag}-other`);
    const again = (pause: number) => {
      talk.again = setTimeout(() => {
        ok();
        again(pause * 2);
      }, pause);
    };
    again(this.#behaviour.lostAcks > 0 ? 60 : 500);
    this.#talkBack(talk);
  }

  #sdp(talk: Talk, codecs: readonly number[], direction: string): string {
    const at = `IN IP${isIP(this.#host) === 6 ? 6 : 4} ${this.#host}`;
    const maps = codecs.map((type) => `a=rtpmap:${type} ${names[type] ?? 'PCMA/8000'}\r\n`).join('');
    const { port } = talk.rtp.address();
    return `v=0\r\no=hall 1 ${talk.cseq} ${at}\r\ns=-\r\nc=${at}\r\nt=0 0\r\nm=audio ${port} RTP/AVP ${codecs.join(' ')}\r\n${maps}a=ptime:20\r\na=${direction}\r\n`;
  }

  #sound(talk: Talk, bytes: Buffer): void {
    if (bytes.length < 12 || bytes.readUInt8(0) >> 6 !== 2) return;
    const now = performance.now();
    this.#counts.packets++;
    this.#firstAfter ??= now - talk.started;
    if (this.#lastPacketAt !== null) this.#gaps.push(now - this.#lastPacketAt);
    if (this.#gaps.length > 5_000) this.#gaps.shift();
    this.#lastPacketAt = now;
    const type = bytes.readUInt8(1) & 0x7f;
    this.#payloadType = type;
    if (type === 0 || type === 8) {
      const decode = type === 8 ? alawmulaw.alaw.decode : alawmulaw.mulaw.decode;
      this.#samples.push(...decode(bytes.subarray(12)));
      if (this.#samples.length > 16_000) this.#samples.splice(0, this.#samples.length - 8_000);
    }
    if (this.#behaviour.talkback === 'echo') talk.rtp.send(bytes, talk.far.port, talk.far.address);
    if (this.#behaviour.reports !== null)
      talk.reporter ??= this.#report(talk, bytes.readUInt32BE(8), bytes.readUInt16BE(2));
  }

  #report(talk: Talk, ssrc: number, first: number): NodeJS.Timeout {
    let highest = first;
    talk.rtp.on('message', (bytes) => {
      highest = bytes.length > 4 ? bytes.readUInt16BE(2) : highest;
    });
    return setInterval(() => {
      const report = Buffer.alloc(32);
      report.writeUInt8(0x81, 0);
      report.writeUInt8(201, 1);
      report.writeUInt16BE(7, 2);
      report.writeUInt32BE(4711, 4);
      report.writeUInt32BE(ssrc, 8);
      report.writeUInt32BE(highest, 16);
      talk.rtcp.send(report, talk.far.port + 1, talk.far.address);
    }, this.#behaviour.reports ?? 1_000);
  }

  #talkBack(talk: Talk): void {
    const { talkback } = this.#behaviour;
    if (typeof talkback !== 'number') return;
    let n = 0;
    talk.sender = setInterval(() => {
      const pcm = Int16Array.from(
        { length: 160 },
        (_, i) => 8_000 * Math.sin((2 * Math.PI * talkback * (n * 160 + i)) / 8_000),
      );
      const encode = talk.payloadType === 8 ? alawmulaw.alaw.encode : alawmulaw.mulaw.encode;
      const head = Buffer.alloc(12);
      head.writeUInt8(0x80, 0);
      head.writeUInt8(talk.payloadType, 1);
      head.writeUInt16BE(n & 0xffff, 2);
      head.writeUInt32BE((n * 160) >>> 0, 4);
      head.writeUInt32BE(815, 8);
      n++;
      talk.rtp.send(Buffer.concat([head, encode(pcm)]), talk.far.port, talk.far.address);
    }, 20);
  }

  #acknowledged(headers: Map<string, string>): void {
    this.#counts.acks++;
    const talk = this.#talks.get(headers.get('call-id') ?? '');
    if (talk === undefined || this.#counts.acks <= this.#behaviour.lostAcks) return;
    talk.acked = true;
    clearTimeout(talk.again);
  }

  #cancel(headers: Map<string, string>, respond: Respond): void {
    this.#counts.cancels++;
    respond(200, 'OK');
    const id = headers.get('call-id') ?? '';
    this.#cancelled.add(id);
    headers.set('cseq', (headers.get('cseq') ?? '').replace('CANCEL', 'INVITE'));
    respond(487, 'Request Terminated');
  }

  #bye(headers: Map<string, string>, respond: Respond): void {
    this.#counts.byes++;
    const id = headers.get('call-id') ?? '';
    const talk = this.#talks.get(id);
    respond(talk === undefined ? 481 : 200, talk === undefined ? 'No such call' : 'OK');
    // The other telephone of a fork hangs up for itself.
    if (talk !== undefined && (headers.get('to') ?? '').endsWith(talk.tag)) this.#end(talk);
  }

  #end(talk: Talk): void {
    this.#talks.delete(talk.id);
    for (const timer of [talk.again, talk.sender, talk.reporter]) clearTimeout(timer);
    talk.rtp.close();
    talk.rtcp.close();
  }

  /** True when it asked for a password instead. */
  #denies(method: string, text: string, respond: Respond): boolean {
    const { login, algorithm, nonceUses } = this.#behaviour;
    if (login === null) return false;
    const field = (name: string) =>
      new RegExp(`[ ,]${name}="?([^",\\r\\n]*)"?`).exec(/^Authorization: (.*)$/im.exec(text)?.[0] ?? '')?.[1] ?? '';
    const nonce = field('nonce');
    const uses = this.#nonces.get(nonce);
    const hash = (what: string) =>
      createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(what)
        .digest('hex');
    const plain = hash(`${login.username}:${login.realm}:${login.password}`);
    const secret = algorithm === 'MD5-sess' ? hash(`${plain}:${nonce}:${field('cnonce')}`) : plain;
    const proof = hash(
      `${secret}:${nonce}:${field('nc')}:${field('cnonce')}:auth:${hash(`${method}:${field('uri')}`)}`,
    );
    const isRight = uses !== undefined && field('response') === proof && Number.parseInt(field('nc'), 16) > uses;
    if (isRight && uses < nonceUses) {
      this.#nonces.set(nonce, Number.parseInt(field('nc'), 16));
      return false;
    }
    const fresh = randomBytes(8).toString('hex');
    this.#nonces.set(fresh, 0);
    const stale = isRight ? ', stale=true' : '';
    respond(
      401,
      'Unauthorized',
      `WWW-Authenticate: Digest realm="${login.realm}", nonce="${fresh}", algorithm=${algorithm}, qop="auth"${stale}\r\n`,
    );
    return true;
  }

  #answered(first: string, headers: Map<string, string>, text: string, reply: Reply): void {
    this.answers.push(text);
    const cseq = headers.get('cseq') ?? '';
    if (!cseq.endsWith('INVITE') || !first.startsWith('SIP/2.0 2')) return;
    const talk = this.#talks.get(headers.get('call-id') ?? '');
    if (talk !== undefined) reply(this.#inDialog(talk, 'ACK', Number(cseq.split(' ')[0])));
  }

  #inDialog(talk: Talk, method: string, cseq: number, body = ''): string {
    const contact = /<([^>]+)>/.exec(talk.invite.get('contact') ?? '')?.[1] ?? '';
    const at = `${this.#written}:${this.port}`;
    const type = body === '' ? '' : 'Content-Type: application/sdp\r\n';
    return (
      `${method} ${contact} SIP/2.0\r\nVia: SIP/2.0/${this.#transport.toUpperCase()} ${at};branch=z9hG4bK${randomBytes(6).toString('hex')};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: ${talk.invite.get('to')};tag=${talk.tag}\r\nTo: ${talk.invite.get('from')}\r\nCall-ID: ${talk.id}\r\n` +
      `CSeq: ${cseq} ${method}\r\nContact: <sip:hall@${at}>\r\n${type}Content-Length: ${body.length}\r\n\r\n${body}`
    );
  }

  heard(): SipHeard {
    const window = () => Int16Array.from(this.#samples.slice(-1_600));
    return {
      ...this.#counts,
      // Looked for only when it is asked for: forty speakers are asked how many packets they have.
      get tone() {
        return dominantTone(window(), 8_000);
      },
      ...{ payloadType: this.#payloadType, firstPacketAfter: this.#firstAfter },
      ...{ gaps: this.#gaps, active: this.#talks.size, lastInvite: this.#lastInvite, requests: this.#requests },
    };
  }

  behave(changes: Partial<SipBehaviour>): void {
    this.#behaviour = { ...this.#behaviour, ...changes };
  }

  hangUp(): void {
    for (const talk of [...this.#talks.values()]) {
      talk.reply(this.#inDialog(talk, 'BYE', talk.cseq++));
      this.#end(talk);
    }
  }

  reinvite(direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive', codecs?: readonly number[]): void {
    for (const talk of this.#talks.values()) {
      talk.reply(this.#inDialog(talk, 'INVITE', talk.cseq++, this.#sdp(talk, codecs ?? [talk.payloadType], direction)));
    }
  }

  async inject(bytes: Buffer): Promise<void> {
    const far = this.#last?.far;
    if (far === undefined) return;
    const socket = createSocket(isIP(far.address) === 6 ? 'udp6' : 'udp4');
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.send(bytes, far.port, far.address, () => socket.close(() => resolve()));
    await promise;
  }

  say(bytes: Buffer): void {
    this.#lastReply(bytes.toString('latin1'));
  }

  #later(ms: number, act: () => void): void {
    if (ms === 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const talk of [...this.#talks.values()]) this.#end(talk);
    for (const stream of this.#streams) stream.destroy();
    const socket = this.#socket;
    this.#socket = null;
    await new Promise<void>((done) => (socket === null ? done() : socket.close(() => done())));
    await new Promise<void>((done) => (this.#server === null ? done() : this.#server.close(() => done())));
  }
}

type Respond = (status: number, reason: string, more?: string, body?: string, tag?: string) => void;
