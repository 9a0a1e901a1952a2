import type { CameraPreset } from '#edge/domain/camera.ts';
import type { Asker } from './facts-ask.ts';
import { schemaNs } from './facts-ask.ts';
import type { Xml } from './soap.ts';
import { child, children, escapeXml, plainText, text } from './soap.ts';
import { Trouble } from './trouble.ts';

const ptzNs = 'http://www.onvif.org/ver20/ptz/wsdl';
const maxPresets = 256;
/** A person waits for these. */
const answerWithin = 3_000;

export interface Position {
  readonly pan: number | null;
  readonly tilt: number | null;
  readonly zoom: number | null;
}

export interface Preset extends CameraPreset {
  /** null: the camera does not say where it is. */
  readonly position: Position | null;
}

/** -1 to 1 each: the share of the fastest speed. */
export interface Velocity {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

export interface PtzPlace {
  readonly path: string;
  /** The media profile whose PTZ is moved. */
  readonly profile: string;
}

const coordinate = (value: string) => (value === '' || Number.isNaN(Number(value)) ? null : Number(value));

function positionOf(node: Xml): Position | null {
  if (node === undefined) return null;
  const pan = coordinate(text(node, 'PanTilt', '@x'));
  const tilt = coordinate(text(node, 'PanTilt', '@y'));
  const zoom = coordinate(text(node, 'Zoom', '@x'));
  return pan === null && tilt === null && zoom === null ? null : { pan, tilt, zoom };
}

const bounded = (word: string) => word.slice(0, 256);
const profileOf = ({ profile }: PtzPlace) => `<ProfileToken>${escapeXml(profile)}</ProfileToken>`;

/** Its presets by token (npm onvif keys them by name, and two of the same name become one). null: it has none to ask for. */
export async function readPresets(
  asker: Asker,
  place: PtzPlace,
  signal: AbortSignal,
): Promise<readonly Preset[] | null> {
  const body = `<GetPresets xmlns="${ptzNs}">${profileOf(place)}</GetPresets>`;
  const answer = await asker.tryAsk({ path: place.path, body }, signal);
  if (answer === null) return null;
  const presets: Preset[] = [];
  for (const node of children(answer, 'Preset')) {
    const token = bounded(text(node, '@token'));
    const name = plainText(bounded(text(node, 'Name')));
    if (token === '' || presets.length >= maxPresets) continue;
    presets.push({ token, name: name === '' ? token : name, position: positionOf(child(node, 'PTZPosition')) });
  }
  return presets;
}

/** Whether it knows a home position. A camera that does not say is believed to: asking it to go there shows. */
export async function hasHome(asker: Asker, path: string, signal: AbortSignal): Promise<boolean> {
  const answer = await asker.tryAsk({ path, body: `<GetNodes xmlns="${ptzNs}"/>` }, signal);
  const nodes = answer === null ? [] : children(answer, 'PTZNode');
  if (nodes.length === 0) return true;
  return nodes.some((node) => text(node, 'HomeSupported').toLowerCase() !== 'false');
}

export interface Status {
  readonly position: Position | null;
  readonly isMoving: boolean | null;
}

/** Where it looks; null from a camera that does not know. */
export async function readStatus(asker: Asker, place: PtzPlace, signal: AbortSignal): Promise<Status | null> {
  const body = `<GetStatus xmlns="${ptzNs}">${profileOf(place)}</GetStatus>`;
  const answer = await asker.tryAsk({ path: place.path, body, timeout: answerWithin }, signal);
  if (answer === null) return null;
  const status = child(answer, 'PTZStatus');
  const moves = [text(status, 'MoveStatus', 'PanTilt'), text(status, 'MoveStatus', 'Zoom')].filter(
    (word) => word !== '',
  );
  const isMoving = moves.length === 0 ? null : moves.some((word) => word.toUpperCase() === 'MOVING');
  return { position: positionOf(child(status, 'Position')), isMoving };
}

export async function gotoPreset(asker: Asker, place: PtzPlace, token: string, signal: AbortSignal): Promise<void> {
  const preset = `<PresetToken>${escapeXml(token)}</PresetToken>`;
  const body = `<GotoPreset xmlns="${ptzNs}">${profileOf(place)}${preset}</GotoPreset>`;
  await asker.ask({ path: place.path, body, timeout: answerWithin }, signal);
}

export async function gotoHome(asker: Asker, place: PtzPlace, signal: AbortSignal): Promise<void> {
  const body = `<GotoHomePosition xmlns="${ptzNs}">${profileOf(place)}</GotoHomePosition>`;
  await asker.ask({ path: place.path, body, timeout: answerWithin }, signal);
}

/** Axes that do not move and did not move before are left out: cameras without them refuse the whole. */
function velocityXml(now: Velocity, before: Velocity): string {
  const isTurning = [now.pan, now.tilt, before.pan, before.tilt].some((axis) => axis !== 0);
  const isZooming = now.zoom !== 0 || before.zoom !== 0;
  const turn = isTurning ? `<PanTilt x="${now.pan}" y="${now.tilt}" xmlns="${schemaNs}"/>` : '';
  const zoom = isZooming ? `<Zoom x="${now.zoom}" xmlns="${schemaNs}"/>` : '';
  return `<Velocity>${turn}${zoom}</Velocity>`;
}

export interface Move {
  readonly velocity: Velocity;
  /** What it did until now. */
  readonly before: Velocity;
  /** After this the camera is to stop by itself, should we be gone; ms. null: it cannot. */
  readonly limit: number | null;
}

export async function continuousMove(asker: Asker, place: PtzPlace, move: Move, signal: AbortSignal): Promise<void> {
  const timeout = move.limit === null ? '' : `<Timeout>PT${Math.max(1, Math.round(move.limit / 1000))}S</Timeout>`;
  const velocity = velocityXml(move.velocity, move.before);
  const body = `<ContinuousMove xmlns="${ptzNs}">${profileOf(place)}${velocity}${timeout}</ContinuousMove>`;
  await asker.ask({ path: place.path, body, timeout: answerWithin }, signal);
}

/** A camera without Stop is told to move with no speed. */
export async function stopMove(asker: Asker, place: PtzPlace, before: Velocity, signal: AbortSignal): Promise<void> {
  const axes = '<PanTilt>true</PanTilt><Zoom>true</Zoom>';
  const body = `<Stop xmlns="${ptzNs}">${profileOf(place)}${axes}</Stop>`;
  try {
    await asker.ask({ path: place.path, body, timeout: answerWithin }, signal);
  } catch (error) {
    if (!(error instanceof Trouble) || (error.kind !== 'fault' && error.kind !== 'http')) throw error;
    const still = { pan: 0, tilt: 0, zoom: 0 };
    await continuousMove(asker, place, { velocity: still, before, limit: null }, signal);
  }
}
