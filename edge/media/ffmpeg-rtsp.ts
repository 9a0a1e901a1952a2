import type { Ffmpeg } from './ffmpeg-find.ts';

/* How ffmpeg is asked to fetch a stream as it is, without anybody seeing the password. */

export type RtspTransport = 'tcp' | 'udp';

export interface RtspAddress {
  /** Without user and password. */
  readonly uri: string;
  readonly username: string;
  readonly password: string;
}

/** ms without a byte after which ffmpeg gives up; ffmpeg wants microseconds. */
const silence = 5_000;
const protocols = 'pipe,rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto';

/**
 * Arguments that fetch what `rtspScript` says and write it as fragmented MP4, a fragment for each picture. fpsprobesize 0: without it ffmpeg
 * looks at the stream for one more second to tell its frame rate, which nobody here asks for.
 */
export const rtspArgs: readonly string[] = [
  '-hide_banner',
  '-nostdin',
  '-loglevel',
  'warning',
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
 * The address as a script of ffmpeg's concat demuxer: it goes through a pipe, so that it stands in no file, no argument and no environment.
 * Builds before 5 know no options in it: they choose the transport themselves, UDP first, which loses nothing on loopback.
 */
export function rtspScript(address: RtspAddress, transport: RtspTransport, ffmpeg: Pick<Ffmpeg, 'isOld'>): string {
  const url = withPassword(address);
  if (ffmpeg.isOld) return `ffconcat version 1.0\nfile '${url}'\n`;
  const options = [
    `rtsp_transport ${transport}`,
    `timeout ${silence * 1000}`,
    'fpsprobesize 0',
    'allowed_media_types video',
  ];
  return `ffconcat version 1.0\nfile '${url}'\n${options.map((option) => `option ${option}\n`).join('')}`;
}

/** Loopback is all that an old ffmpeg may be shown. */
export function isLoopbackAddress(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { hostname } = new URL(uri);
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname) || hostname === '[::1]' || hostname === 'localhost';
}

/** Everything that could end a quoted word, or mean something in an address, is escaped; a line break cannot be in it. */
function withPassword({ uri, username, password }: RtspAddress): string {
  const [, scheme = 'rtsp://', rest = ''] = /^(rtsps?:\/\/)(?:[^/?#@]*@)?(.*)$/is.exec(uri) ?? [];
  const safe = rest.replaceAll(/[\s'\\]/g, (character) => encodeURIComponent(character).replace("'", '%27'));
  const user = username === '' ? '' : `${escaped(username)}:${escaped(password)}@`;
  return `${scheme}${user}${safe}`;
}

function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
