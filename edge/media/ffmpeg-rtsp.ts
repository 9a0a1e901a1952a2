import type { Ffmpeg } from './ffmpeg-find.ts';

/* How ffmpeg is asked to fetch a stream as it is: through the gate (`rtsp-gate.ts`), which alone knows where the camera is and its password. */

export type RtspTransport = 'tcp' | 'udp';

/** ms without a byte after which ffmpeg gives up; ffmpeg wants microseconds. */
const silence = 5_000;
const protocols = 'pipe,rtsp,rtp,udp,tcp';
/** The largest single piece of memory; a picture of 32 MP in H.264 is far below, bytes. */
const largestPiece = 134_217_728;

/**
 * How much ffmpeg looks at before it passes anything on. `full`: it decodes seven pictures of H.264 to see whether they come out of order, which
 * decides what times it writes; a third of a second at 25 pictures/s, two thirds at 12. `short`: nothing but what describes the stream.
 */
export type ProbeDepth = 'short' | 'full';

export interface RtspWish {
  /** The address of a gate. */
  readonly gate: string;
  readonly transport: RtspTransport;
  readonly depth: ProbeDepth;
}

export interface RtspOrder {
  readonly args: readonly string[];
  /** What it reads as `pipe:3`. */
  readonly secretInput: string;
}

/** ffmpeg's own least. */
const shortProbe = ['probesize', '32'] as const;
/**
 * fpsprobesize 0: without it ffmpeg looks at the stream for one more second to tell its frame rate, which nobody here asks for.
 */
const head = [
  '-hide_banner',
  '-nostdin',
  '-loglevel',
  'warning',
  '-max_alloc',
  String(largestPiece),
  '-fpsprobesize',
  '0',
];
const tail = ['-map', '0:v:0', '-c', 'copy', '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof'];

/**
 * Arguments that fetch a stream and write it as fragmented MP4, a fragment for each picture. The gate's address is a script of ffmpeg's concat
 * demuxer: it goes through a pipe, so that nobody else on this machine sees which door is open. Builds before 5 take no options in it, and
 * would look at a second of every stream; they see loopback only, so theirs stands among the arguments: the gate lets the first in, and
 * closes behind it.
 */
export function rtspOrder({ gate, transport, depth }: RtspWish, ffmpeg: Pick<Ffmpeg, 'isOld'>): RtspOrder {
  if (!/^rtsp:\/\/[\w.:/-]+$/.test(gate)) throw new TypeError('this is no address of a gate');
  const options = [
    ['rtsp_transport', transport],
    [ffmpeg.isOld ? 'stimeout' : 'timeout', String(silence * 1000)],
    ['fpsprobesize', '0'],
    ['allowed_media_types', 'video'],
    ...(depth === 'short' ? [shortProbe] : []),
  ] as const;
  if (ffmpeg.isOld) {
    const said = options.flatMap(([name, value]) => [`-${name}`, value]);
    return { args: [...head, ...said, '-i', gate, ...tail, 'pipe:1'], secretInput: '' };
  }
  const script = ['-f', 'concat', '-safe', '0', '-protocol_whitelist', protocols, '-i', 'pipe:3'];
  const lines = options.map(([name, value]) => `option ${name} ${value}\n`).join('');
  return {
    args: [...head, ...script, ...tail, 'pipe:1'],
    secretInput: `ffconcat version 1.0\nfile '${gate}'\n${lines}`,
  };
}

/** Loopback is all that an old ffmpeg may be shown. */
export function isLoopbackAddress(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { hostname } = new URL(uri);
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname) || hostname === '[::1]' || hostname === 'localhost';
}
