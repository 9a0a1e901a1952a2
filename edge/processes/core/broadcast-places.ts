import type { Device } from '#edge/domain/device.ts';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { SoundWish } from './broadcast-port.ts';

/** The loudspeakers where a wish is to be heard. Throws SOUND_NO_SPEAKER, CLIP_UNKNOWN. */
export function outputsOf(
  { outputs = [], source }: SoundWish,
  zones: readonly ZoneId[],
  speakers: ReadonlyMap<PointRef, Device>,
  hasClip: (clip: string) => boolean,
): PointRef[] {
  const unknown = outputs.find((ref) => !speakers.has(ref));
  if (unknown !== undefined) throw new CodedError('SOUND_NO_SPEAKER', `"${unknown}" is no loudspeaker`);
  const here = new Set(zones);
  const found = [...speakers].flatMap(([ref, { zone }]) => (here.has(zone) ? [ref] : []));
  const all = [...new Set([...found, ...outputs])];
  if (all.length === 0) throw new CodedError('SOUND_NO_SPEAKER', 'there is no loudspeaker where it is to be heard');
  const missing = source.kind === 'clips' ? source.clips.find((clip) => !hasClip(clip)) : undefined;
  if (missing !== undefined) throw new CodedError('CLIP_UNKNOWN', `there is no clip "${missing}"`);
  return all;
}
