import type { SoundOrder } from '#edge/domain/broadcast.ts';
import type { PaConfig } from './config.ts';
import type { ShelfClip } from './shelf.ts';

/** What its server calls the clip, or why it cannot play the order. */
export function nameOf(
  { source }: SoundOrder,
  { clips, calls: { status, repeats } }: PaConfig,
  wanted: ReadonlyMap<string, ShelfClip>,
): { readonly clip: string; readonly problem: string | null } {
  const no = (problem: string) => ({ clip: '', problem });
  if (source.kind === 'live') return no('it plays clips of its own store only, no live voice');
  const [clip = '', ...more] = source.clips;
  if (more.length > 0) return no('it plays one clip at a time');
  const theirs = (Object.hasOwn(clips, clip) ? clips[clip] : undefined) ?? wanted.get(clip)?.name;
  if (theirs === undefined) return no(`address.clips does not say what its server calls "${clip}"`);
  const isSure = !source.loop || status !== undefined || repeats === true;
  return isSure
    ? { clip: theirs, problem: null }
    : no('its server does not say when a clip ends: it cannot be repeated');
}
