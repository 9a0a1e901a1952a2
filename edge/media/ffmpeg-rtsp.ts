import type { Ffmpeg } from './ffmpeg-find.ts';

/* How ffmpeg is asked to fetch a stream as it is: through the gate (`rtsp-gate.ts`), which alone knows where the camera is and its password. */

export type RtspTransport = 'tcp' | 'udp';

/** ms without a byte after which ffmpeg gives up; ffmpeg wants microseconds. */
const silence = 5_000;
const protocols = 'pipe,rtsp,rtp,udp,tcp';
/** The largest single piece of memory; a picture of 32 MP in H.264 is far below, bytes. */
const largestPiece = 134_217_728;

/**
 * Arguments that fetch what `rtspScript` says and write it as fragmented MP4, a fragment for each picture. fpsprobesize 0: without it ffmpeg
 * looks at the stream for one more second to tell its frame rate, which nobody here asks for.
 */
export const rtspArgs: readonly string[] = [
  '-hide_banner',
  '-nostdin',
  '-loglevel',
  'warning',
  '-max_alloc',
  String(largestPiece),
  '-fpsprobesize',
  '0',
  '-f',
  'concat',
  '-safe',
  '0',
  '-protocol_whitelist',
  protocols,
  '-i',
  'pipe:3',
  '-map',
  '0:v:0',
  '-c',
  'copy',
  '-f',
  'mp4',
  '-movflags',
  'frag_every_frame+empty_moov+default_base_moof',
  'pipe:1',
];

/**
 * The address of a gate as a script of ffmpeg's concat demuxer: it goes through a pipe, so that nobody else on this machine sees which door is
 * open. Builds before 5 know no options in it: they choose the transport themselves, UDP first, which loses nothing on loopback.
 */
export function rtspScript(gate: string, transport: RtspTransport, ffmpeg: Pick<Ffmpeg, 'isOld'>): string {
  if (!/^rtsp:\/\/[\w.:/-]+$/.test(gate)) throw new TypeError('this is no address of a gate');
  if (ffmpeg.isOld) return `ffconcat version 1.0\nfile '${gate}'\n`;
  const options = [
    `rtsp_transport ${transport}`,
    `timeout ${silence * 1000}`,
    'fpsprobesize 0',
    'allowed_media_types video',
  ];
  return `ffconcat version 1.0\nfile '${gate}'\n${options.map((option) => `option ${option}\n`).join('')}`;
}

/** Loopback is all that an old ffmpeg may be shown. */
export function isLoopbackAddress(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { hostname } = new URL(uri);
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname) || hostname === '[::1]' || hostname === 'localhost';
}
