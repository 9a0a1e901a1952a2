import { isIP } from 'node:net';
import { type CodecFormat, dynamicTypes, formats } from '#edge/drivers/sound/codecs.ts';
import { isUnicast } from './address.ts';
import type { SipCodec } from './config.ts';

/* Session descriptions (RFC 8866), offer and answer (RFC 3264): one audio stream. */

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** A codec as the far end names it. */
export interface OfferedCodec {
  /** Upper case. */
  readonly name: string;
  readonly payloadType: number;
  /** Of the RTP clock: 8000 for G.722 too (RFC 3551 section 4.5.2). */
  readonly clockRate: number;
}

/** A codec of ours, and the payload type that it has in this call. */
export interface AgreedCodec {
  readonly format: CodecFormat;
  readonly payloadType: number;
}

/** Ours, as they are offered. */
export function offerOf(names: readonly SipCodec[]): readonly AgreedCodec[] {
  return names.map((name) => {
    const format = formats[name];
    return { format, payloadType: format.payloadType ?? dynamicTypes[name] ?? 96 };
  });
}

export interface Description {
  readonly address: string;
  /** Of RTP. */
  readonly port: number;
  readonly rtcp: { readonly address: string; readonly port: number };
  /** In the order of preference. */
  readonly codecs: readonly OfferedCodec[];
  readonly direction: Direction;
  /** ms; null: not said. */
  readonly ptime: number | null;
}

const mostLines = 200;
const mostCodecs = 32;

/** Payload types that need no rtpmap (RFC 3551 table 4). */
const fixed: Readonly<Record<number, OfferedCodec>> = {
  0: { name: 'PCMU', payloadType: 0, clockRate: 8_000 },
  8: { name: 'PCMA', payloadType: 8, clockRate: 8_000 },
  9: { name: 'G722', payloadType: 9, clockRate: 8_000 },
};

export interface LocalSide {
  readonly address: string;
  readonly port: number;
  readonly codecs: readonly AgreedCodec[];
  readonly direction: Direction;
  /** The session and its version: a description that changed has a larger one. */
  readonly session: number;
  readonly version: number;
}

/** Offers and answers look the same; `port` + 1 takes RTCP. */
export function writeDescription({ address, port, codecs, direction, session, version }: LocalSide): string {
  const at = `IN IP${isIP(address) === 6 ? 6 : 4} ${address}`;
  const lines = [
    'v=0',
    `o=- ${session} ${version} ${at}`,
    's=campus',
    `c=${at}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${codecs.map(({ payloadType }) => payloadType).join(' ')}`,
    ...codecs.flatMap(({ format, payloadType }) => [
      `a=rtpmap:${payloadType} ${format.rtpmap}`,
      ...(format.fmtp === '' ? [] : [`a=fmtp:${payloadType} ${format.fmtp}`]),
    ]),
    'a=ptime:20',
    `a=rtcp:${port + 1}`,
    `a=${direction}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

const directions: ReadonlySet<string> = new Set(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
const isDirection = (text: string): text is Direction => directions.has(text);

/** What the far end says of its sound, or a sentence that says what is wrong with it. */
export function parseDescription(body: Buffer): Description | string {
  const lines = body.toString('latin1').split(/\r?\n/);
  if (lines.length > mostLines) return `its description has more than ${mostLines} lines`;
  if (lines[0] !== 'v=0') return 'its answer describes no sound (no SDP)';
  const starts = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : []));
  const session = lines.slice(0, starts[0] ?? lines.length);
  const media = starts.map((start, index) => lines.slice(start, starts[index + 1] ?? lines.length));
  const audio = media.find(([first]) => /^m=audio [1-9]\d{0,4}(?:\/\d+)? RTP\/AVPF? /.test(first ?? ''));
  if (audio === undefined) return 'it takes no plain audio (RTP/AVP)';
  return readAudio(audio, session);
}

function readAudio(audio: readonly string[], session: readonly string[]): Description | string {
  const value = (key: string) =>
    (audio.find((line) => line.startsWith(key)) ?? session.find((line) => line.startsWith(key)))?.slice(key.length);
  const port = Number(/^m=audio (\d+)/.exec(audio[0] ?? '')?.[1]);
  const address = /^IN IP[46] ([0-9a-fA-F:.]{2,45})(?:\/\d+)*$/.exec(value('c=') ?? '')?.[1];
  if (address === undefined || isIP(address) === 0) return 'it does not say where its sound is to go';
  // RFC 2543's way to say hold, which is still met.
  const isHeld = address === '0.0.0.0' || address === '::';
  if (!isHeld && !isUnicast(address)) return `it wants its sound at ${address}, which is no single machine`;
  if (port < 1_024 && port !== 0) return `it wants its sound at port ${port}, where other services live`;
  if (port > 65_534) return `it wants its sound at port ${port}`;
  const said = [...audio, ...session].map((line) => line.replace(/^a=/, '')).find(isDirection);
  const ptime = Number(/^\d{1,3}$/.exec(value('a=ptime:')?.trim() ?? '')?.[0] ?? Number.NaN);
  return {
    address,
    port,
    rtcp: rtcpOf(value('a=rtcp:'), address, port),
    codecs: codecsOf(audio),
    direction: isHeld ? 'inactive' : (said ?? 'sendrecv'),
    ptime: Number.isNaN(ptime) ? null : ptime,
  };
}

/** RFC 3605. */
function rtcpOf(text: string | undefined, address: string, port: number): Description['rtcp'] {
  const match = /^(\d{1,5})(?: IN IP[46] ([0-9a-fA-F:.]{2,45}))?/.exec(text ?? '');
  const said = Number(match?.[1] ?? 0);
  const other = match?.[2];
  const isUsable = said >= 1_024 && said <= 65_535;
  const isElsewhere = other !== undefined && isIP(other) !== 0 && isUnicast(other);
  return { address: isElsewhere ? other : address, port: isUsable ? said : port + 1 };
}

function codecsOf(audio: readonly string[]): readonly OfferedCodec[] {
  const types = (audio[0] ?? '').split(' ').slice(3, 3 + mostCodecs);
  return types.flatMap((text) => {
    if (!/^\d{1,3}$/.test(text) || Number(text) > 127) return [];
    const payloadType = Number(text);
    const map = audio.find((line) => line.startsWith(`a=rtpmap:${payloadType} `)) ?? '';
    const match = /^a=rtpmap:\d+ ([A-Za-z0-9_.-]{1,32})\/(\d{1,6})(?:\/\d)?\s*$/.exec(map);
    const known = fixed[payloadType];
    if (match === null) return known === undefined ? [] : [known];
    return [{ name: (match[1] ?? '').toUpperCase(), payloadType, clockRate: Number(match[2]) }];
  });
}

/** The first of theirs that is ours, with their payload type, which counts towards them (RFC 3264 section 6.1); null: none. */
export function commonCodec(theirs: readonly OfferedCodec[], ours: readonly AgreedCodec[]): AgreedCodec | null {
  for (const { name, clockRate, payloadType } of theirs) {
    const known = ours.find(
      ({ format }) => format.rtpmap.split('/')[0]?.toUpperCase() === name && format.clock === clockRate,
    );
    if (known !== undefined) return { format: known.format, payloadType };
  }
  return null;
}

/** What we say to a direction that the far end wants, when `wish` is what we would like. */
export function answerDirection(theirs: Direction, wish: 'sendrecv' | 'sendonly'): Direction {
  if (theirs === 'inactive' || (theirs === 'sendonly' && wish === 'sendonly')) return 'inactive';
  if (theirs === 'sendonly') return 'recvonly';
  return theirs === 'recvonly' ? 'sendonly' : wish;
}

/** May we send sound to somebody who says this of himself? */
export function takesSound(theirs: Direction): boolean {
  return theirs === 'sendrecv' || theirs === 'recvonly';
}
