import type { CameraStream, StreamRole } from '#edge/domain/camera.ts';
import type { Asker } from './facts-ask.ts';
import { schemaNs } from './facts-ask.ts';
import type { ServicePaths } from './facts-services.ts';
import type { Xml } from './soap.ts';
import { child, children, escapeXml, text } from './soap.ts';

const mediaNs = 'http://www.onvif.org/ver10/media/wsdl';
const media2Ns = 'http://www.onvif.org/ver20/media/wsdl';

/** A media profile as either media service tells it. */
export interface MediaProfile {
  readonly token: string;
  readonly codec: CameraStream['codec'];
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRate: number | null;
  /** Video source; '' = not said. Recorders have one for each channel. */
  readonly source: string;
  readonly hasVideo: boolean;
  readonly hasPtz: boolean;
}

/** Narrower than this a picture is good for nothing; CIF and 320 x 180 are in. */
const leastWidth = 300;
const maxProfiles = 64;

function codecOf(encoding: string): CameraStream['codec'] {
  if (/h\.?264|avc/i.test(encoding)) return 'h264';
  return /h\.?265|hevc/i.test(encoding) ? 'h265' : 'other';
}

function amount(value: string, most: number): number | null {
  const found = Number(value);
  return value !== '' && found > 0 && found <= most ? found : null;
}

function pixels(value: string): number | null {
  const found = amount(value, 65_535);
  return found === null ? null : Math.round(found);
}

/** Media1 and Media2 say the same in two places. */
function readProfile(node: Xml): MediaProfile {
  const configurations = child(node, 'Configurations');
  const encoder = child(node, 'VideoEncoderConfiguration') ?? child(configurations, 'VideoEncoder');
  const source = child(node, 'VideoSourceConfiguration') ?? child(configurations, 'VideoSource');
  const ptz = child(node, 'PTZConfiguration') ?? child(configurations, 'PTZ');
  return {
    token: text(node, '@token').slice(0, 256),
    codec: codecOf(text(encoder, 'Encoding')),
    width: pixels(text(encoder, 'Resolution', 'Width')),
    height: pixels(text(encoder, 'Resolution', 'Height')),
    frameRate: amount(text(encoder, 'RateControl', 'FrameRateLimit'), 1000),
    source: text(source, 'SourceToken') || text(source, '@token'),
    hasVideo: encoder !== undefined,
    hasPtz: ptz !== undefined && ptz !== '',
  };
}

export interface Profiles {
  readonly from: 'media' | 'media2';
  readonly profiles: readonly MediaProfile[];
}

function profilesOf(answer: Xml): readonly MediaProfile[] {
  return children(answer, 'Profiles')
    .slice(0, maxProfiles)
    .map(readProfile)
    .filter((profile) => profile.token !== '');
}

/** Media2 where it works (H.265 exists only there), else Media1: D-Link and others offer Media2 and cannot speak it. */
export async function readProfiles(asker: Asker, services: ServicePaths, signal: AbortSignal): Promise<Profiles> {
  const { media, media2 } = services;
  if (media2 !== null) {
    const body = `<GetProfiles xmlns="${media2Ns}"><Type>All</Type></GetProfiles>`;
    const answer = await asker.tryAsk({ path: media2, body }, signal);
    const profiles = answer === null ? [] : profilesOf(answer);
    if (profiles.some((profile) => profile.hasVideo)) return { from: 'media2', profiles };
  }
  if (media === null) return { from: 'media', profiles: [] };
  const answer = await asker.tryAsk({ path: media, body: `<GetProfiles xmlns="${mediaNs}"/>` }, signal);
  return { from: 'media', profiles: answer === null ? [] : profilesOf(answer) };
}

const area = (profile: MediaProfile) => (profile.width ?? 0) * (profile.height ?? 0);

/**
 * What is recorded and what walls show: of the first video source, the largest profile, and the smallest that is still worth
 * looking at. Two of the same size are one: `sub` is null then.
 */
export function chooseRoles(profiles: readonly MediaProfile[]): Record<StreamRole, MediaProfile | null> {
  const video = profiles.filter((profile) => profile.hasVideo);
  const own = video.filter((profile) => profile.source === video[0]?.source);
  const playable = own.filter((profile) => profile.codec !== 'other');
  const candidates = playable.length > 0 ? playable : own;
  const unsized = candidates.every((profile) => area(profile) === 0);
  if (unsized) return { main: candidates[0] ?? null, sub: candidates[1] ?? null };
  const byArea = [...candidates].sort((a, b) => area(b) - area(a) || (b.frameRate ?? 0) - (a.frameRate ?? 0));
  const main = byArea[0] ?? null;
  const smaller = byArea.filter(
    (profile) => main !== null && area(profile) < area(main) && (profile.width ?? 0) >= leastWidth,
  );
  // Browsers that show H.265 are rare: of two of the same size the wall takes the other.
  smaller.sort((a, b) => area(a) - area(b) || Number(a.codec === 'h265') - Number(b.codec === 'h265'));
  return { main, sub: smaller[0] ?? null };
}

export interface Reach {
  /** As the site file says it, without brackets: cameras behind NAT name addresses that nobody can reach. */
  readonly host: string;
  /** Never to stand in an address; '' when there is none. */
  readonly password: string;
}

/**
 * A stream's address with the configured host, RTSP only, without user and password; null when it is none. A password that a
 * camera writes into the path (Xiongmai does) becomes `{password}`.
 */
export function streamAddress(uri: string, { host, password }: Reach): string | null {
  if (uri.length > 900) return null;
  const found = /^(rtsps?):\/\/(?:[^/?]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d{1,5}))?([/?][^#]*)?$/i.exec(uri.trim());
  if (!found) return null;
  const [, scheme = '', , port, rest = '/'] = found;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return null;
  const name = host.includes(':') ? `[${host}]` : host;
  const hidden = [password, encodeURIComponent(password)].reduce(
    (path, word) => (word.length > 3 ? path.replaceAll(word, '{password}') : path),
    rest,
  );
  const path = hidden.replace(/[\s@]/g, (character) => encodeURIComponent(character));
  return `${scheme.toLowerCase()}://${name}${port === undefined ? '' : `:${port}`}${path}`;
}

async function askUri(
  asker: Asker,
  services: ServicePaths,
  from: Profiles['from'],
  token: string,
  signal: AbortSignal,
): Promise<string> {
  const profile = `<ProfileToken>${escapeXml(token)}</ProfileToken>`;
  if (from === 'media2' && services.media2 !== null) {
    const body = `<GetStreamUri xmlns="${media2Ns}"><Protocol>RTSP</Protocol>${profile}</GetStreamUri>`;
    const answer = await asker.tryAsk({ path: services.media2, body }, signal);
    const uri = text(answer, 'Uri') || text(answer, 'MediaUri', 'Uri');
    if (uri !== '') return uri;
  }
  if (services.media === null) return '';
  const setup =
    `<StreamSetup><Stream xmlns="${schemaNs}">RTP-Unicast</Stream><Transport xmlns="${schemaNs}">` +
    '<Protocol>RTSP</Protocol></Transport></StreamSetup>';
  const body = `<GetStreamUri xmlns="${mediaNs}">${setup}${profile}</GetStreamUri>`;
  const answer = await asker.tryAsk({ path: services.media, body }, signal);
  return text(answer, 'MediaUri', 'Uri') || text(answer, 'Uri');
}

/** The streams of a camera, `main` first; one that has no address is left out. */
export async function readStreams(
  asker: Asker,
  services: ServicePaths,
  { from, profiles }: Profiles,
  reach: Reach,
  signal: AbortSignal,
): Promise<readonly CameraStream[]> {
  const chosen = chooseRoles(profiles);
  const streams: CameraStream[] = [];
  for (const role of ['main', 'sub'] as const) {
    const profile = chosen[role];
    if (profile === null) continue;
    const uri = streamAddress(await askUri(asker, services, from, profile.token, signal), reach);
    if (uri === null || streams.some((stream) => stream.uri === uri)) continue;
    const { token, codec, width, height, frameRate } = profile;
    // A `sub` without its `main` is all there is.
    const as = streams.length === 0 ? 'main' : role;
    streams.push({ role: as, profile: token, codec, width, height, frameRate, uri });
  }
  return streams;
}
