import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { type Packetiser, startPacketising } from '#edge/drivers/sound/rtp.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { sameAddress } from './address.ts';
import { readReports, writeReport } from './rtcp.ts';
import { type AgreedCodec, type Description, takesSound } from './sdp.ts';
import { bindSocket, type Endpoint } from './wire.ts';

export interface MediaListener {
  /** Payload of one packet of the far end, in order, each once. */
  received(payload: Buffer, codec: AgreedCodec): void;
  /** It says that it got sound: the packet of this number (of `packets`), lately this share of what was sent, and so many in all. */
  reported(upTo: number, share: number, inAll: number): void;
  sent(): void;
  dropped(why: string): void;
}

export interface MediaOptions {
  readonly family: 4 | 6;
  readonly clock: Clock;
  /** Sound may come from, and then goes to, another port than was agreed on, of the same address (RFC 4961, translations). */
  readonly symmetric: boolean;
  readonly listener: MediaListener;
}

const headerBytes = 12;
/** RFC 3550 section 6.2: 5 s, the first after half of it, each between half and one and a half of that. */
const reportEvery = 5_000;
const largestPayload = 1_500;
/** Packets of 20 ms are 50 a second; half of 10 ms ones is already strange. */
const mostPerSecond = 250;
const pairTries = 20;

/** The RTP and RTCP of one call. Nothing here waits once it is open. */
export class Media implements AsyncDisposable {
  readonly #options: MediaOptions;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #cname = `${randomBytes(9).toString('base64url')}@campus`;
  #far: { readonly description: Description; readonly codec: AgreedCodec } | null = null;
  #latched: Endpoint | null = null;
  /** Of the present codec: another one is another stream. */
  #stream: Stream | null = null;
  #lastTick = -1;
  #packets = 0;
  #ssrcOfThem: number | null = null;
  #lastSequence = -1;
  #second = { start: Number.NEGATIVE_INFINITY, packets: 0 };
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;

  private constructor(options: MediaOptions, [rtp, rtcp]: readonly [Socket, Socket]) {
    this.#options = options;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    rtp.on('message', (bytes, from) => this.#take(bytes, from));
    rtcp.on('message', (bytes, from) => this.#takeReport(bytes, from));
    // A closed port of the far end is told by SIP and by missing reports.
    rtp.on('error', () => options.listener.dropped('rtp-error'));
    rtcp.on('error', () => options.listener.dropped('rtcp-error'));
  }

  static async open(options: MediaOptions): Promise<Media> {
    return new Media(options, await bindPair(options.family));
  }

  get port(): number {
    return this.#rtp.address().port;
  }

  /** Packets that left. */
  get packets(): number {
    return this.#packets;
  }

  get codec(): AgreedCodec | null {
    return this.#far?.codec ?? null;
  }

  /** Does the far end take sound now? Not while it holds the call. */
  get isOpen(): boolean {
    return this.#isOpen && this.#far !== null && takesSound(this.#far.description.direction);
  }

  /** Where it goes, and what is spoken, from now on. */
  agree(description: Description, codec: AgreedCodec): void {
    const before = this.#far?.description;
    if (before !== undefined && (before.address !== description.address || before.port !== description.port)) {
      this.#latched = null;
      this.#ssrcOfThem = null;
    }
    const spoken = this.#far?.codec;
    if (spoken?.format !== codec.format || spoken.payloadType !== codec.payloadType) this.#stream = null;
    this.#far = { description, codec };
    if (this.#timer === undefined) this.#armReport(reportEvery / 2);
  }

  /** One frame; `tick` numbers the 20 ms grid, so a gap in it is silence (the marker says that sound starts again). */
  send(payload: Buffer, tick: number): void {
    const far = this.#far;
    if (far === null || !this.isOpen) return;
    const stream = this.#streamOf(far.codec, tick);
    const isFirst = tick !== this.#lastTick + 1 || tick === stream.firstTick;
    this.#lastTick = tick;
    const { address, port } = this.#latched ?? far.description;
    for (const packet of stream.packetiser.packets(payload, tick - stream.firstTick, isFirst)) {
      this.#packets++;
      this.#rtp.send(packet, port, address, (error) => {
        if (error === null) this.#options.listener.sent();
        else this.#options.listener.dropped('rtp-error');
      });
    }
  }

  #streamOf(codec: AgreedCodec, tick: number): Stream {
    if (this.#stream !== null) return this.#stream;
    const packetiser = startPacketising(codec.format, codec.payloadType);
    const sequenceStart = packetiser.sequence() + 1;
    this.#stream = { packetiser, sequenceStart, firstTick: tick, before: this.#packets };
    return this.#stream;
  }

  #take(bytes: Buffer, from: Endpoint): void {
    const { listener, symmetric, clock } = this.#options;
    const far = this.#far;
    // An empty datagram is a keep-alive (RFC 6263 section 4.1).
    if (bytes.length === 0) return;
    if (far === null || !sameAddress(from.address, far.description.address)) {
      listener.dropped('rtp-foreign');
      return;
    }
    const expected = this.#latched?.port ?? far.description.port;
    if (from.port !== expected && !(symmetric && this.#latched === null)) {
      listener.dropped('rtp-foreign');
      return;
    }
    const now = clock.monotonic();
    if (now - this.#second.start >= 1_000) this.#second = { start: now, packets: 0 };
    if (++this.#second.packets > mostPerSecond) {
      listener.dropped('rtp-flood');
      return;
    }
    const packet = parseRtp(bytes);
    if (packet === null || packet.payload.length > largestPayload) {
      listener.dropped('rtp-garbage');
      return;
    }
    if (symmetric && this.#latched === null) this.#latched = { address: from.address, port: from.port };
    if (packet.payloadType !== far.codec.payloadType) {
      listener.dropped('rtp-other-codec');
      return;
    }
    if (packet.ssrc !== this.#ssrcOfThem) {
      this.#ssrcOfThem = packet.ssrc;
      this.#lastSequence = -1;
    }
    // Late or doubled: what comes in order is kept, which is enough for a voice (RFC 1982).
    const ahead = (packet.sequence - this.#lastSequence) & 0xffff;
    if (this.#lastSequence !== -1 && (ahead === 0 || ahead > 0x8000)) {
      listener.dropped('rtp-late');
      return;
    }
    this.#lastSequence = packet.sequence;
    listener.received(packet.payload, far.codec);
  }

  #takeReport(bytes: Buffer, from: Endpoint): void {
    const { listener } = this.#options;
    const far = this.#far;
    if (far === null || !sameAddress(from.address, far.description.rtcp.address)) {
      listener.dropped('rtcp-foreign');
      return;
    }
    const stream = this.#stream;
    if (stream === null) return;
    const { packets } = stream.packetiser.sent();
    for (const report of readReports(bytes, stream.packetiser.ssrc)) {
      // Only what we sent can have been received: a report of a number we never used is made up, or says that nothing came.
      const ahead = ((report.highestSequence & 0xffff) - stream.sequenceStart) & 0xffff;
      if (packets <= 0xffff && ahead >= packets) continue;
      const upTo = packets > 0xffff ? this.#packets : stream.before + ahead + 1;
      listener.reported(upTo, 1 - report.fractionLost, Math.max(0, upTo - Math.max(0, report.lost)));
    }
  }

  #armReport(pause: number): void {
    this.#timer = setTimeout(
      () => {
        this.#report('goes-on');
        this.#armReport(reportEvery);
      },
      pause * (0.5 + Math.random()),
    );
  }

  #report(isLast: 'goes-on' | 'ends'): void {
    const far = this.#far;
    const stream = this.#stream;
    if (far === null || stream === null) return;
    const { packetiser, firstTick } = stream;
    const { address, port } = far.description.rtcp;
    const facts = {
      ...packetiser.sent(),
      ssrc: packetiser.ssrc,
      now: this.#options.clock.now(),
      timestamp: packetiser.timestamp(this.#lastTick - firstTick),
      cname: this.#cname,
    };
    this.#rtcp.send(writeReport(facts, isLast), port, address, () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#report('ends');
    this.#isOpen = false;
    clearTimeout(this.#timer);
    await Promise.all([this.#rtp, this.#rtcp].map((socket) => new Promise<void>((done) => socket.close(() => done()))));
  }
}

interface Stream {
  readonly packetiser: Packetiser;
  readonly sequenceStart: number;
  readonly firstTick: number;
  /** Packets of the call before it. */
  readonly before: number;
}

/** RTP on an even port, RTCP on the next (RFC 3550 section 11). */
async function bindPair(family: 4 | 6): Promise<readonly [Socket, Socket]> {
  for (let i = 0; i < pairTries; i++) {
    const first = await bindSocket(family, 0);
    const { port } = first.address();
    // The lower of the pair is even, whichever was had.
    const other = port % 2 === 0 ? port + 1 : port - 1;
    try {
      const second = await bindSocket(family, other);
      return port % 2 === 0 ? [first, second] : [second, first];
    } catch {
      first.close(); // Somebody has the neighbour: another pair.
    }
  }
  throw new CodedError('SIP_PORTS', 'no two neighbouring UDP ports are free for the sound');
}

interface RtpPacket {
  readonly payloadType: number;
  readonly sequence: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** RFC 3550 section 5.1, past CSRCs, extension and padding; null: no RTP. */
export function parseRtp(bytes: Buffer): RtpPacket | null {
  if (bytes.length < headerBytes) return null;
  const first = bytes.readUInt8(0);
  if (first >> 6 !== 2) return null;
  let start = headerBytes + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (bytes.length < start + 4) return null;
    start += 4 + 4 * bytes.readUInt16BE(start + 2);
  }
  const padding = (first & 0x20) === 0 ? 0 : bytes.readUInt8(bytes.length - 1);
  const end = bytes.length - padding;
  if (start > end) return null;
  return {
    payloadType: bytes.readUInt8(1) & 0x7f,
    sequence: bytes.readUInt16BE(2),
    ssrc: bytes.readUInt32BE(8),
    payload: bytes.subarray(start, end),
  };
}
