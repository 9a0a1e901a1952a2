import type { StreamTrouble } from './hub.ts';

/* What ffmpeg says when it ends, as a trouble that a person can act on. Its words are those of libavformat 4 to 7 (rtsp.c, network.c). */

export interface Trouble {
  readonly reason: StreamTrouble;
  /** For people, in English, without an address. */
  readonly message: string;
  /** The camera does not send over this transport: another may do. */
  readonly isTransport?: boolean;
}

const known: readonly (readonly [RegExp, Trouble])[] = [
  [
    /^spawn \S+ E(NOENT|ACCES|NOEXEC|AGAIN|NOMEM|MFILE|NFILE)/,
    { reason: 'no-ffmpeg', message: 'ffmpeg cannot be started on this box (any more)' },
  ],
  [
    /\b40[13] (Unauthorized|Forbidden)|Server returned 40[13]|authorization failed/i,
    { reason: 'password', message: 'the camera refuses user or password for its video' },
  ],
  [
    /\b404\b|Server returned 404|Stream Not Found/i,
    { reason: 'missing', message: 'the camera has no stream of this name (any more)' },
  ],
  [
    /\b(453|503)\b|Not Enough Bandwidth|Service Unavailable/i,
    { reason: 'busy', message: 'the camera is busy: too many others watch it, or it starts' },
  ],
  [
    /\b461\b|Unsupported transport|Nonmatching transport/i,
    { reason: 'unreachable', message: 'the camera does not send video by this way', isTransport: true },
  ],
  [
    /Connection refused|No route to host|unreachable|Connection reset|Failed to resolve|Name or service not known/i,
    { reason: 'unreachable', message: 'the camera does not take a connection for video' },
  ],
  [
    /Connection timed out|Operation timed out|Error number -110|\bETIMEDOUT\b/i,
    { reason: 'unreachable', message: 'the camera does not answer when asked for video' },
  ],
  [
    /Could not find codec parameters|dimensions not set|Could not find tag for codec|not currently supported in container/i,
    { reason: 'codec', message: 'the camera sends video in a form that cannot be used here' },
  ],
  [/matches no streams/i, { reason: 'codec', message: 'the camera sends no video in this stream' }],
  [
    /Invalid data found|error while decoding|RTP: PT=|Received packet without a start/i,
    { reason: 'ended', message: 'what the camera sends is no video' },
  ],
];

/** The trouble behind an ffmpeg that ended. */
export function troubleOf(said: string): Trouble {
  for (const [pattern, trouble] of known) if (pattern.test(said)) return trouble;
  return { reason: 'ended', message: 'the camera ended the stream' };
}

/** A text without the passwords of addresses in it, and without these. */
export function withoutSecrets(text: string, secrets: readonly string[] = []): string {
  let out = text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*(?:@[^\s/@]*)*@/gi, '$1***@');
  for (const secret of secrets) if (secret.length > 0) out = out.replaceAll(secret, '***');
  return out;
}
