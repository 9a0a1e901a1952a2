import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { isIPv6, type Socket } from 'node:net';
import type { Clock } from '#edge/runtime/clock.ts';
import type { CameraAuth } from './camera-auth.ts';
import type { RtspFault } from './rtsp.ts';
import type { AccessUnit, RtspClip } from './rtsp-clip.ts';
import { createRequestReader, type RtspRequest } from './rtsp-message.ts';
import { describeClip, packPicture, type RtpState, senderReport } from './rtsp-packets.ts';
import type { LiveStream } from './rtsp-stream.ts';

export interface ConnectionOptions {
  readonly auth: CameraAuth;
  readonly streams: ReadonlyMap<string, LiveStream>;
  readonly transports: readonly ('tcp' | 'udp')[];
  readonly host: string;
  readonly clock: Clock;
  readonly fault: () => RtspFault;
  readonly isFull: () => boolean;
  readonly note: (method: string, path: string, status: number) => void;
  readonly onPlay: (transport: 'tcp' | 'udp') => void;
}

interface Transport {
  readonly kind: 'tcp' | 'udp';
  readonly header: string;
  /** RTP on channel 0, RTCP on channel 1. */
  send(channel: 0 | 1, packet: Buffer): void;
  close(): void;
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid In This State',
  461: 'Unsupported Transport',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};
const methods = 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN';
/** Above it a client that reads too slowly misses pictures, as it does with a camera. */
const mostQueued = 2_000_000;
const reportEvery = 5_000;

/** One client: its requests in order, and the session it plays. */
export class RtspConnection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #rtp: RtpState = { sequence: randomInt(65_536), ssrc: randomInt(2 ** 31), packets: 0, octets: 0 };
  /** Eight digits, as old firmware has it. */
  readonly #session = String(randomInt(10_000_000, 99_999_999));
  #described: RtspClip | null = null;
  #stream: LiveStream | null = null;
  #transport: Transport | null = null;
  #playing: Disposable | null = null;
  #reportDue = 0;
  #misses = false;
  #answering: Promise<void> = Promise.resolve();

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const read = createRequestReader();
    socket.on('data', (chunk: Buffer) => {
      const requests = read(chunk);
      if (requests === null) return void socket.destroy();
      for (const request of requests) this.#answering = this.#answering.then(() => this.#serve(request));
    });
    socket.on('close', () => this.#stop());
  }

  get isPlaying(): boolean {
    return this.#playing !== null;
  }

  async #serve(request: RtspRequest): Promise<void> {
    const fault = this.#options.fault();
    if (fault === 'hang' || this.#socket.destroyed) return;
    const path = pathOf(request.uri);
    const answer = await this.#answer(request, path, fault);
    this.#options.note(request.method, path, answer.status);
    const lines = [
      `RTSP/1.0 ${answer.status} ${reasons[answer.status]}`,
      `CSeq: ${request.headers.get('cseq') ?? '0'}`,
    ];
    const body = answer.body ?? '';
    lines.push(...(answer.headers ?? []));
    if (body !== '') lines.push('Content-Type: application/sdp', `Content-Length: ${body.length}`);
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    if (request.method === 'PLAY' && answer.status === 200) this.#play();
    if (request.method === 'TEARDOWN') this.#socket.end();
  }

  async #answer(request: RtspRequest, path: string, fault: RtspFault): Promise<Answer> {
    const { method } = request;
    if (method === 'OPTIONS') return { status: 200, headers: [`Public: ${methods}`] };
    const refusal = this.#judge(request, fault);
    if (refusal !== null) return refusal;
    const stream = this.#options.streams.get(path.replace(/\/trackID=1$/, '').replace(/\/$/, ''));
    if (stream === undefined || fault === 'missing') return { status: 404 };
    if (fault === 'busy' || stream.clip === null) return { status: 503 };
    const session = `Session: ${this.#session};timeout=60`;
    switch (method) {
      case 'DESCRIBE':
        this.#described = stream.clip;
        return {
          status: 200,
          headers: [`Content-Base: ${request.uri}/`],
          body: describeClip(stream.clip, this.#options.host),
        };
      case 'SETUP':
        if (this.#options.isFull()) return { status: 453 };
        this.#transport?.close();
        this.#stream = stream;
        this.#described ??= stream.clip;
        this.#transport = await this.#setUp(request.headers.get('transport') ?? '');
        return this.#transport === null
          ? { status: 461 }
          : { status: 200, headers: [`Transport: ${this.#transport.header}`, session] };
      case 'PLAY':
        if (this.#transport === null) return { status: 455 };
        return { status: 200, headers: [session, 'Range: npt=now-'] };
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        return { status: 200, headers: [session] };
      case 'TEARDOWN':
        this.#stop();
        return { status: 200, headers: [session] };
      default:
        return { status: 501 };
    }
  }

  #judge(request: RtspRequest, fault: RtspFault): Answer | null {
    const { auth } = this.#options;
    const authorization = request.headers.get('authorization');
    const judgement = auth.judge({ authorization, method: request.method, uri: request.uri, body: '' });
    if (judgement === 'ok' && fault !== 'unauthorized') return null;
    return { status: 401, headers: auth.challenges(judgement === 'stale').map((line) => `WWW-Authenticate: ${line}`) };
  }

  async #setUp(wanted: string): Promise<Transport | null> {
    const tcp = /interleaved=(\d+)-(\d+)/.exec(wanted);
    if (wanted.includes('RTP/AVP/TCP')) {
      return this.#options.transports.includes('tcp') ? interleaved(this.#socket, Number(tcp?.[1] ?? 0)) : null;
    }
    const ports = /client_port=(\d+)-(\d+)/.exec(wanted);
    if (ports === null || wanted.includes('multicast') || !this.#options.transports.includes('udp')) return null;
    return overUdp(this.#socket, this.#options.host, [Number(ports[1]), Number(ports[2])]);
  }

  #play(): void {
    if (this.#playing !== null || this.#stream === null || this.#transport === null) return;
    this.#options.onPlay(this.#transport.kind);
    this.#reportDue = 0;
    this.#playing = this.#stream.add({ picture: (...args) => this.#send(...args) });
  }

  #send(picture: AccessUnit, clip: RtspClip, time: number): void {
    const fault = this.#options.fault();
    const transport = this.#transport;
    if (transport === null || fault === 'stall' || fault === 'hang') return;
    const told = this.#described;
    if (told !== null && (told.codec !== clip.codec || told.width !== clip.width || told.height !== clip.height)) {
      return void this.#socket.destroy();
    }
    if (this.#socket.writableLength > mostQueued) this.#misses = true;
    else if (picture.isKey) this.#misses = false;
    if (this.#misses) return;
    const { clock } = this.#options;
    const packets = packPicture(picture, clip.codec, time, this.#rtp);
    this.#socket.cork();
    if (clock.monotonic() >= this.#reportDue) {
      this.#reportDue = clock.monotonic() + reportEvery;
      transport.send(1, senderReport(this.#rtp, clock.now(), time));
    }
    for (const packet of packets) transport.send(0, fault === 'garbage' ? noise(packet) : packet);
    this.#socket.uncork();
  }

  #stop(): void {
    this.#playing?.[Symbol.dispose]();
    this.#playing = null;
    this.#transport?.close();
    this.#transport = null;
  }
}

interface Answer {
  readonly status: number;
  readonly headers?: readonly string[];
  readonly body?: string;
}

function pathOf(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).pathname : uri;
}

function noise(packet: Buffer): Buffer {
  return Buffer.concat([packet.subarray(0, 12), randomBytes(packet.length - 12)]);
}

function interleaved(socket: Socket, channel: number): Transport {
  return {
    kind: 'tcp',
    header: `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`,
    send: (which, packet) => {
      const frame = Buffer.from([0x24, channel + which, packet.length >> 8, packet.length & 0xff]);
      socket.write(frame);
      socket.write(packet);
    },
    close: () => {},
  };
}

async function overUdp(socket: Socket, host: string, ports: readonly [number, number]): Promise<Transport> {
  const to = socket.remoteAddress ?? host;
  const sockets = await Promise.all([bound(host), bound(host)]);
  const [rtp, rtcp] = sockets.map((each) => each.address().port);
  return {
    kind: 'udp',
    header: `RTP/AVP;unicast;client_port=${ports[0]}-${ports[1]};server_port=${rtp}-${rtcp}`,
    send: (which, packet) => sockets[which].send(packet, ports[which], to, () => {}), // nobody listens there any more: its session ends by TCP
    close: () => {
      for (const each of sockets) each.close();
    },
  };
}

function bound(host: string): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind(0, host, () => resolve(socket));
  });
}
