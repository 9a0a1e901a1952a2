import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import alawmulaw from 'alawmulaw';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { createJitterBuffer, type JitterBuffer, type RtpPacket } from './rtp-receiver.ts';
import { dominantTone, levelOf } from './tone.ts';

export interface SpeakerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly name: string;
  /** Joins this group on this interface (an IPv4 address, or `::%eth0` for IPv6). */
  readonly multicast?: { readonly group: string; readonly interface: string };
  /** Takes a line when sound starts and stops. */
  readonly print?: (line: string) => void;
  readonly clock?: Clock;
}

/** What a speaker heard since it started or was reset. */
export interface Heard {
  readonly packets: number;
  /** Packets that were not RTP with G.711. */
  readonly garbage: number;
  readonly lost: number;
  readonly late: number;
  readonly duplicate: number;
  /** Streams (SSRCs) so far. */
  readonly streams: number;
  /** Sound decoded, seconds. */
  readonly seconds: number;
  /** Of the last 200 ms, dBFS; -Infinity in digital silence. */
  readonly level: number;
  /** Strongest tone of the last 200 ms, Hz; null when there is none. */
  readonly tone: number | null;
  /** First packet of the present or last stream, monotonic ms; null before any. */
  readonly firstPacketAt: number | null;
  /** Since when no packet comes, monotonic ms; null while they come. */
  readonly silentSince: number | null;
}

export interface Speaker extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  heard(): Heard;
  /** All sound decoded so far, at most the last 60 s: mono, 8 kHz. */
  recording(): Int16Array;
  reset(): void;
}

/** A packet every 20 ms while sound plays: 200 ms without one is silence. */
const silenceAfter = 200;
const sampleRate = 8000;
const recordingSamples = 60 * sampleRate;
const windowSamples = sampleRate / 5;

/** A network loudspeaker: receives RTP with G.711, decodes what it hears, and can be asked about it. */
export async function startSpeaker(options: SpeakerOptions): Promise<Speaker> {
  const { clock = systemClock, print, name } = options;
  const socket = await listen(options);
  const recorder = new Recorder();
  let buffer: JitterBuffer | undefined;
  let counts = noCounts();
  let firstPacketAt: number | null = null;
  let lastPacketAt: number | null = null;
  let quiet: NodeJS.Timeout | undefined;
  let closed: Promise<void> | undefined;

  function startStream(packet: RtpPacket, now: number): JitterBuffer {
    counts.streams++;
    firstPacketAt = now;
    const codec = packet.payloadType === 8 ? 'PCMA' : 'PCMU';
    print?.(`${name}: hears ${codec} (stream ${packet.ssrc.toString(16).padStart(8, '0')})`);
    return createJitterBuffer(packet.ssrc, {
      play: (played) => {
        const decode = played.payloadType === 8 ? alawmulaw.alaw.decode : alawmulaw.mulaw.decode;
        recorder.add(decode(played.payload));
      },
      count: (outcome, by) => {
        counts[outcome] += by;
      },
    });
  }

  socket.on('message', (message) => {
    // An empty datagram is a keep-alive (RFC 6263 section 4.1).
    if (message.length === 0) return;
    const now = clock.monotonic();
    const packet = parseRtp(message);
    if (packet === null) {
      counts.garbage++;
      return;
    }
    counts.packets++;
    lastPacketAt = now;
    if (buffer?.ssrc !== packet.ssrc) buffer = startStream(packet, now);
    buffer.take(packet);
    if (quiet === undefined) {
      quiet = setTimeout(function check() {
        const left = silenceAfter - (clock.monotonic() - (lastPacketAt ?? 0));
        if (left > 0) {
          quiet = setTimeout(check, left + 1);
          return;
        }
        quiet = undefined;
        buffer?.flush();
        print?.(`${name}: silent after ${recorder.seconds.toFixed(1)} s of sound`);
      }, silenceAfter);
    }
  });

  return {
    name,
    port: socket.address().port,
    heard() {
      const window = recorder.last(windowSamples);
      const isSounding = lastPacketAt !== null && clock.monotonic() - lastPacketAt <= silenceAfter;
      return {
        ...counts,
        seconds: recorder.seconds,
        level: isSounding ? levelOf(window) : Number.NEGATIVE_INFINITY,
        tone: isSounding ? dominantTone(window, sampleRate) : null,
        firstPacketAt,
        silentSince: isSounding ? null : lastPacketAt,
      };
    },
    recording: () => recorder.last(recordingSamples),
    reset() {
      counts = noCounts();
      recorder.clear();
      buffer = undefined;
      firstPacketAt = null;
      lastPacketAt = null;
    },
    [Symbol.asyncDispose]() {
      closed ??= new Promise((resolve) => {
        clearTimeout(quiet);
        socket.close(() => resolve());
      });
      return closed;
    },
  };
}

function noCounts() {
  return { packets: 0, garbage: 0, lost: 0, late: 0, duplicate: 0, streams: 0 };
}

/** The last 60 s of sound, in a ring. */
class Recorder {
  readonly #ring = new Int16Array(recordingSamples);
  #total = 0;

  get seconds(): number {
    return this.#total / sampleRate;
  }

  add(pcm: Int16Array): void {
    for (const value of pcm) this.#ring[this.#total++ % recordingSamples] = value;
  }

  last(samples: number): Int16Array {
    const length = Math.min(samples, this.#total, recordingSamples);
    const start = this.#total - length;
    return Int16Array.from({ length }, (_, i) => this.#ring[(start + i) % recordingSamples] ?? 0);
  }

  clear(): void {
    this.#total = 0;
  }
}

/** RFC 3550 section 5.1, with CSRCs, extension and padding skipped; null when it is not RTP with payload type 0 or 8. */
export function parseRtp(message: Buffer): RtpPacket | null {
  if (message.length < 12) return null;
  const first = message.readUInt8(0);
  const second = message.readUInt8(1);
  const payloadType = second & 0x7f;
  if (first >> 6 !== 2 || (payloadType !== 0 && payloadType !== 8)) return null;
  let start = 12 + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (message.length < start + 4) return null;
    start += 4 + 4 * message.readUInt16BE(start + 2);
  }
  const padding = (first & 0x20) !== 0 ? message.readUInt8(message.length - 1) : 0;
  const end = message.length - padding;
  if (start > end) return null;
  return {
    payloadType,
    marker: (second & 0x80) !== 0,
    sequence: message.readUInt16BE(2),
    timestamp: message.readUInt32BE(4),
    ssrc: message.readUInt32BE(8),
    payload: message.subarray(start, end),
  };
}

async function listen({ host, port, name, multicast }: SpeakerOptions): Promise<Socket> {
  const isSix = isIP((multicast?.group ?? host).replace(/%.*$/, '')) === 6;
  const socket = createSocket({ type: isSix ? 'udp6' : 'udp4', reuseAddr: multicast !== undefined });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.bind(port, host, resolve);
  try {
    await promise;
    if (multicast !== undefined) socket.addMembership(multicast.group, multicast.interface);
  } catch (cause) {
    socket.close();
    throw new CodedError('SPEAKER_PORT', `speaker ${name} cannot listen on ${host} port ${port}: ${cause}`, { cause });
  }
  socket.removeListener('error', reject);
  return socket;
}
