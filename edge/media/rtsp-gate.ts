import { randomBytes } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { messageOf } from '#edge/runtime/errors.ts';
import { DigestAuth, parseChallenges } from '#edge/runtime/http-digest.ts';
import type { SourceEnd } from './hub-source.ts';
import { headersOf, messageBytes, type RtspMessage, RtspReader } from './rtsp-messages.ts';

/*
 * Stands between one ffmpeg and one camera, because ffmpeg trusts whoever answers: it gives the password in clear to a server that asks for
 * Basic, follows redirects to any host and takes the password along, and verifies no certificate (libavformat: httpauth.c, rtsp.c,
 * tls_*.c). Here the password is shown by digest only, to the configured host only, over the pinned certificate where there is one; ffmpeg
 * never has it.
 */

export interface RtspLogin {
  readonly username: string;
  readonly password: string;
  /** How the camera's certificate is judged where its video comes by TLS; absent: not at all, as nothing is known of it. */
  readonly tls?: { readonly fingerprint?: string | undefined } | undefined;
  /** The password may be sent in clear where the camera knows nothing better. */
  readonly allowsBasic?: boolean;
}

export interface RtspGateOptions {
  /** Of the camera's stream: `rtsp` or `rtsps`, without user and password. */
  readonly uri: string;
  readonly login: RtspLogin;
  /** Time for a connection to the camera, ms. */
  readonly connectTime?: number;
}

const defaultPort = { rtsp: 554, rtsps: 322 } as const;
const mostPending = 32;
/** What a person must mend is looked at this often, ms. */
const mendPause = 60_000;
/** For a camera that is told goodbye, ms. */
const farewell = 1_000;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** null: this is no RTSP address. */
function targetOf(uri: string): Target | null {
  const found = /^(rtsps?):\/\/(?:[^/?#@]*@)?(\[[^\]]+\]|[^:/?#]+)(?::(\d{1,5}))?(?:[/?]|$)/i.exec(uri);
  if (found === null) return null;
  const [, scheme = '', host = '', port] = found;
  const isTls = scheme.toLowerCase() === 'rtsps';
  const number = port === undefined ? defaultPort[isTls ? 'rtsps' : 'rtsp'] : Number(port);
  return number < 1 || number > 65_535 ? null : { host: host.replace(/^\[|\]$/g, ''), port: number, isTls };
}

/** For one run of one ffmpeg: the first that connects and knows the address is let through, and nobody after it. */
export class RtspGate implements AsyncDisposable {
  readonly #options: RtspGateOptions;
  readonly #server: Server;
  readonly #name = randomBytes(16).toString('hex');
  readonly #sockets = new Set<Socket>();
  #passage: Passage | null = null;
  #uri = '';
  /** What went wrong in words, where this side knows better than ffmpeg. */
  trouble: SourceEnd | null = null;

  private constructor(options: RtspGateOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = 4;
  }

  static async open(options: RtspGateOptions): Promise<RtspGate> {
    const gate = new RtspGate(options);
    await new Promise<void>((resolve, reject) => {
      gate.#server.once('error', reject);
      gate.#server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = gate.#server.address() as AddressInfo;
    gate.#uri = `rtsp://127.0.0.1:${port}/${gate.#name}`;
    return gate;
  }

  /** What ffmpeg is to be shown. */
  get uri(): string {
    return this.#uri;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await this.#passage?.[Symbol.asyncDispose]();
    await closed;
  }

  #accept(client: Socket): void {
    this.#sockets.add(client);
    client.on('close', () => this.#sockets.delete(client));
    client.on('error', () => {}); // 'close' follows
    const own = this.#uri;
    const reader = new RtspReader({
      message: (message) => {
        if (this.#passage?.client === client) return this.#passage.ask(message);
        const uri = message.first.split(' ')[1] ?? '';
        if (this.#passage !== null || !isWithin(uri, own)) return void client.destroy();
        this.#passage = this.#begin(client, own);
        this.#passage.ask(message);
      },
      frames: (bytes) => this.#passage?.client === client && this.#passage.report(bytes),
    });
    client.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) client.destroy();
    });
  }

  #begin(client: Socket, own: string): Passage {
    // Nobody else has business here any more.
    this.#server.close();
    const { login, connectTime = 5_000 } = this.#options;
    const uri = cleaned(this.#options.uri);
    const fail = (trouble: SourceEnd) => {
      this.trouble ??= trouble;
    };
    return new Passage({ client, own, uri, login, connectTime, fail });
  }
}

/** Without user and password, and with nothing in it that could end a line. */
function cleaned(uri: string): string {
  return uri
    .toWellFormed()
    .replace(/^(rtsps?:\/\/)[^/?#@]*@/i, '$1')
    .replace(/[^!-~]+/g, encodeURIComponent);
}

/** `rtsp://127.0.0.1:4711/name` and what ffmpeg hangs at it: `/trackID=1`. */
function isWithin(uri: string, own: string): boolean {
  return uri === own || uri.startsWith(`${own}/`) || uri.startsWith(`${own}?`);
}

interface PassageOptions {
  readonly client: Socket;
  readonly own: string;
  readonly uri: string;
  readonly login: RtspLogin;
  readonly connectTime: number;
  readonly fail: (trouble: SourceEnd) => void;
}

interface Pending {
  readonly message: RtspMessage;
  readonly method: string;
  readonly uri: string;
  /** As ffmpeg numbered it. */
  readonly sequence: string;
  readonly isSigned: boolean;
  /** Times it was sent. */
  readonly rounds: number;
}

/** One connection of ffmpeg and the one to the camera that belongs to it. */
class Passage implements AsyncDisposable {
  readonly #options: PassageOptions;
  readonly #camera: Socket;
  readonly #auth = new DigestAuth();
  readonly #pending = new Map<string, Pending>();
  readonly #ended = Promise.withResolvers<void>();
  /** Encrypted, and for a certificate that was judged. */
  #isProven = false;
  #usesBasic = false;
  #isPlaying = false;
  #sequence = 0;

  constructor(options: PassageOptions) {
    this.#options = options;
    const { client } = options;
    this.#camera = this.#connect();
    const reader = new RtspReader({
      message: (message) => this.#hear(message),
      frames: (bytes) => this.#pass(bytes),
    });
    this.#camera.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) this.#refuse('ended', 'what the camera sends is no RTSP');
    });
    this.#camera.on('close', () => {
      client.end();
      this.#ended.resolve();
    });
    client.on('drain', () => this.#camera.resume());
    // ffmpeg's goodbye is still under way then.
    client.on('close', () => {
      this.#camera.resume();
      this.#camera.end();
    });
  }

  get client(): Socket {
    return this.#options.client;
  }

  /** A request of ffmpeg's. */
  ask(message: RtspMessage): void {
    const [method = '', uri = ''] = message.first.split(' ');
    // An answer of ffmpeg's to a question of the camera: it was none of ours.
    if (method.startsWith('RTSP/')) return;
    const { own, uri: real } = this.#options;
    const [sequence = ''] = headersOf(message, 'cseq');
    const named = this.#withPassword(isWithin(uri, own) ? `${real}${uri.slice(own.length)}` : uri);
    if (named === null) return;
    if (this.#pending.size >= mostPending) this.#refuse('ended', 'the camera leaves requests unanswered');
    else this.#send({ message, method, uri: named, sequence, isSigned: false, rounds: 0 });
  }

  /** Xiongmai's want it in the path; `drivers/onvif/streams.ts` has taken it out there. null: it may not be shown. */
  #withPassword(uri: string): string | null {
    if (!uri.includes('{password}')) return uri;
    const { login } = this.#options;
    if (this.#isProven || login.allowsBasic === true) {
      return uri.replaceAll('{password}', encodeURIComponent(login.password));
    }
    const what = 'the camera wants the password in clear in the address of its video: not sent';
    this.#refuse('password', `${what}; set clearPassword in its address to allow it`, mendPause);
    return null;
  }

  /** What ffmpeg reports of what it received. */
  report(bytes: Buffer): void {
    // A camera that does not read has no use for it.
    if (this.#camera.writableLength < 65_536) this.#camera.write(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#camera.end();
    const late = setTimeout(() => this.#camera.destroy(), farewell);
    await this.#ended.promise;
    clearTimeout(late);
  }

  #connect(): Socket {
    const { uri, connectTime, login } = this.#options;
    const target = targetOf(uri);
    const { host, port, isTls } = target ?? { host: '127.0.0.1', port: 1, isTls: false };
    const judged = login.tls !== undefined && login.tls.fingerprint === undefined;
    const socket = isTls ? tls.connect({ host, port, rejectUnauthorized: judged }) : connect({ host, port });
    socket.setNoDelay(true);
    const late = setTimeout(() => {
      this.#refuse('unreachable', 'the camera does not answer when asked for video');
    }, connectTime);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(late);
      this.#judgeCertificate(socket);
    });
    socket.on('error', (error) => this.#lose(error));
    socket.once('close', () => clearTimeout(late));
    if (target === null) socket.destroy();
    return socket;
  }

  #judgeCertificate(socket: Socket): void {
    const { tls: wanted } = this.#options.login;
    if (!(socket instanceof tls.TLSSocket) || wanted === undefined) return;
    const shown = socket.getPeerCertificate().fingerprint256 ?? '';
    if (wanted.fingerprint !== undefined && shown.toUpperCase() !== wanted.fingerprint.toUpperCase()) {
      this.#refuse('unreachable', 'the camera shows another certificate for its video than the pinned one');
    } else this.#isProven = true;
  }

  #lose(error: unknown): void {
    const { fail } = this.#options;
    const isCertificate = /certificate|CERT|SELF_SIGNED|altnames/i.test(messageOf(error));
    if (isCertificate) fail({ reason: 'unreachable', message: 'the certificate of the camera is not trusted' });
    else if (this.#camera.connecting || this.#sequence === 0 || this.#pending.size > 0) {
      fail({ reason: 'unreachable', message: 'the camera does not take a connection for video' });
    }
  }

  #send(request: Pending): void {
    const { login } = this.#options;
    const { message, method, uri } = request;
    this.#sequence += 1;
    const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`, 'utf8').toString('base64')}`;
    const authorization = this.#usesBasic ? basic : this.#auth.header(login, method, uri, '');
    const kept = message.headers.filter(([name]) => !/^(cseq|authorization)$/i.test(name));
    const signed = authorization === null ? [] : ([['Authorization', authorization]] as const);
    const headers = [['CSeq', String(this.#sequence)] as const, ...kept, ...signed];
    this.#pending.set(String(this.#sequence), { ...request, isSigned: signed.length > 0, rounds: request.rounds + 1 });
    this.#camera.write(messageBytes({ first: `${method} ${uri} RTSP/1.0`, headers, body: message.body }));
  }

  /** An answer of the camera's. */
  #hear(message: RtspMessage): void {
    const status = Number(/^RTSP\/\d\.\d (\d{3})/.exec(message.first)?.[1]);
    const [sequence = ''] = headersOf(message, 'cseq');
    if (Number.isNaN(status)) {
      this.#decline(message, sequence);
      return;
    }
    // Old firmware leaves the number out.
    const [oldest = ''] = this.#pending.keys();
    const number = sequence === '' ? oldest : sequence;
    const asked = this.#pending.get(number);
    // It answers what nobody asked, or the same twice.
    if (asked === undefined) return;
    this.#pending.delete(number);
    if (status >= 300 && status < 400) {
      this.#refuse('missing', 'the camera sends elsewhere for its video: not followed, correct its address');
    } else if (status === 401 && this.#mayAskAgain(message, asked)) this.#send(asked);
    else this.#answer(message, asked, status);
  }

  /** Takes the challenge; false when a password was refused, or must not be shown. */
  #mayAskAgain(message: RtspMessage, { isSigned, rounds }: Pending): boolean {
    const challenges = headersOf(message, 'www-authenticate');
    // A nonce that was used before may only be too old, whatever the camera calls it.
    const { reused } = this.#auth;
    const learnt = this.#auth.learn(challenges);
    if (learnt !== 'none') return !isSigned || ((learnt === 'stale' || reused) && rounds < 3);
    const wantsBasic = parseChallenges(challenges).some(({ scheme }) => scheme === 'basic');
    if (isSigned || !wantsBasic) return false;
    if (this.#isProven || this.#options.login.allowsBasic === true) {
      this.#usesBasic = true;
      return true;
    }
    this.#refuse(
      'password',
      'the camera wants the password in clear for its video (RTSP Basic): not sent; turn on digest at the camera, or set clearPassword in its address',
      mendPause,
    );
    return false;
  }

  #answer(message: RtspMessage, { sequence, method }: Pending, status: number): void {
    const { client, fail } = this.#options;
    if (client.destroyed) return;
    if (method === 'PLAY' && status === 200) this.#isPlaying = true;
    // Who plays has been let in.
    if (!this.#isPlaying && (status === 401 || status === 403)) {
      fail({ reason: 'password', message: 'the camera refuses user or password for its video' });
    }
    const headers = message.headers
      // ffmpeg has no password, so it needs no challenge.
      .filter(([name]) => !/^(cseq|www-authenticate|location)$/i.test(name))
      .map(([name, value]) => [name, /^transport$/i.test(name) ? this.#ownTransport(value) : value] as const);
    client.write(messageBytes({ ...message, headers: [['CSeq', sequence], ...headers] }));
  }

  /** What comes by UDP comes from the camera itself, not from here, and nobody else is reported to. */
  #ownTransport(value: string): string {
    if (/interleaved=/i.test(value)) return value;
    const parts = value.split(';').filter((part) => !/^\s*(source|destination)=/i.test(part));
    const { remoteAddress = '' } = this.#camera;
    return remoteAddress.includes(':') ? parts.join(';') : [...parts, `source=${remoteAddress}`].join(';');
  }

  /** Cameras may ask too (RFC 2326, 10); nothing that they could want is done here. */
  #decline(message: RtspMessage, sequence: string): void {
    const isOptions = message.first.startsWith('OPTIONS ');
    const first = isOptions ? 'RTSP/1.0 200 OK' : 'RTSP/1.0 501 Not Implemented';
    if (this.#camera.writableLength > 65_536) return;
    this.#camera.write(messageBytes({ first, headers: [['CSeq', sequence]], body: Buffer.alloc(0) }));
  }

  #pass(bytes: Buffer): void {
    const { client } = this.#options;
    if (!client.destroyed && !client.write(bytes)) this.#camera.pause();
  }

  #refuse(reason: SourceEnd['reason'], message: string, pause?: number): void {
    const { client, fail } = this.#options;
    fail({ reason, message, ...(pause === undefined ? {} : { pause }) });
    this.#camera.destroy();
    client.destroy();
  }
}
