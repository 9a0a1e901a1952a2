import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';
import { CameraAuth } from './camera-auth.ts';
import type { RtspClip } from './rtsp-clip.ts';
import { RtspConnection } from './rtsp-connection.ts';
import { LiveStream } from './rtsp-stream.ts';

/** What a camera's RTSP server does wrong, until it is told otherwise. */
export type RtspFault =
  | 'none'
  /** Every password is wrong. */
  | 'unauthorized'
  /** 404, as after a change of profiles. */
  | 'missing'
  /** 503. */
  | 'busy'
  /** 453: others watch already. */
  | 'full'
  /** Answers everything and sends no more pictures. */
  | 'stall'
  /** Closes every connection and takes none. */
  | 'drop'
  /** Accepts connections and says nothing. */
  | 'hang'
  /** Sends noise where packets should be. */
  | 'garbage';

export interface RtspOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly username: string;
  readonly password: string;
  /**
   * By path (`/main`): what is filmed, asked at each key frame. null: 503. Another codec or size than a session was told ends that session, as
   * cameras do when their settings are changed.
   */
  readonly streams: Readonly<Record<string, () => RtspClip | null>>;
  /** Default: both. */
  readonly transports?: readonly ('tcp' | 'udp')[];
  /** Sessions at once; default 8. */
  readonly sessions?: number;
}

/** A running RTSP server of a camera: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN; digest; interleaved TCP, and UDP. */
export interface Rtsp extends AsyncDisposable {
  readonly port: number;
  /** Sessions that play now. */
  readonly playing: number;
  /** Sessions that ever played, and by what way the last did. */
  readonly played: number;
  readonly lastTransport: 'tcp' | 'udp' | null;
  /** Methods with the answer's status, oldest first, at most 10,000. */
  readonly requests: readonly { readonly method: string; readonly path: string; readonly status: number }[];
  /** Without user, password or query. */
  url(path: string): string;
  fault(kind: RtspFault): void;
  changePassword(password: string): void;
  /** When a picture of this number in the clip was last sent, ms since epoch; null: never. */
  sentAt(path: string, picture: number): number | null;
}

const logged = 10_000;

/** Starts the RTSP server of a simulated camera on a real socket. */
export async function startRtsp(options: RtspOptions): Promise<Rtsp> {
  const server = new RtspServer(options);
  await server.listen();
  return server;
}

class RtspServer implements Rtsp {
  readonly #options: RtspOptions;
  readonly #auth: CameraAuth;
  readonly #streams: ReadonlyMap<string, LiveStream>;
  readonly #connections = new Set<RtspConnection>();
  readonly #sockets = new Set<Socket>();
  readonly requests: { method: string; path: string; status: number }[] = [];
  #server: Server | null = null;
  #port: number;
  #fault: RtspFault = 'none';
  played = 0;
  lastTransport: 'tcp' | 'udp' | null = null;

  constructor(options: RtspOptions) {
    const { username, password, clock } = options;
    this.#options = options;
    this.#port = options.port;
    this.#streams = new Map(Object.entries(options.streams).map(([path, clip]) => [path, new LiveStream(clip, clock)]));
    this.#auth = new CameraAuth({
      username,
      password,
      mode: 'digest',
      clock,
      cameraTime: () => clock.now(),
      algorithms: ['MD5'],
      qop: 'none', // RFC 2069, as cameras speak it over RTSP
      nonceLife: 60_000,
      saysStale: true,
      refusesReplays: false,
      lockAfter: 20,
      lockFor: 60_000,
    });
  }

  get port(): number {
    return this.#port;
  }

  get playing(): number {
    return [...this.#connections].filter(({ isPlaying }) => isPlaying).length;
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#options.host, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  url(path: string): string {
    const { host } = this.#options;
    return `rtsp://${host.includes(':') ? `[${host}]` : host}:${this.#port}${path}`;
  }

  fault(kind: RtspFault): void {
    this.#fault = kind;
    if (kind === 'drop' || kind === 'unauthorized' || kind === 'missing' || kind === 'busy') this.#dropAll();
  }

  changePassword(password: string): void {
    this.#auth.options.password = password;
    this.#auth.forget();
  }

  sentAt(path: string, picture: number): number | null {
    return this.#streams.get(path)?.sentAt(picture) ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#dropAll();
    for (const stream of this.#streams.values()) stream[Symbol.dispose]();
    const server = this.#server;
    this.#server = null;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#fault === 'drop') return void socket.resetAndDestroy();
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('error', () => {}); // a client that went away
    socket.on('close', () => this.#sockets.delete(socket));
    const connection = new RtspConnection(socket, {
      auth: this.#auth,
      streams: this.#streams,
      transports: this.#options.transports ?? ['tcp', 'udp'],
      host: this.#options.host,
      clock: this.#options.clock,
      fault: () => this.#fault,
      isFull: () => this.#fault === 'full' || this.playing >= (this.#options.sessions ?? 8),
      note: (method, path, status) =>
        void (this.requests.length < logged && this.requests.push({ method, path, status })),
      onPlay: (transport) => {
        this.played += 1;
        this.lastTransport = transport;
      },
    });
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
  }
}
