import type { HappeningId } from '#edge/domain/ids.ts';
import { isAmplifierOwner } from './amplifier-line.ts';
import type { ItemAnswer, OutputAnswer, PartAnswer } from './sound.ts';
import { type Desk, newPlace, type Part, type Place, positionOf, quietOf, wallOf } from './sound-desk.ts';
import { blockerOf, isBefore, winnerOf } from './sound-judge.ts';
import { levelOf } from './sound-levels.ts';

/* Why is this playing, why is it silent: as of the last step. The console has the words. */

export function explainOutput(desk: Desk, output: Place['ref']): OutputAnswer {
  const place = desk.places.get(output) ?? newPlace(desk, output);
  const quiet = quietOf(desk, place);
  const { playing } = place;
  // An amplifier that is off while nothing is asked keeps nobody out.
  const isOff = place.claim !== null && isAmplifierOwner(place.claim.owner) && place.parts.length === 0;
  const claim = isOff ? null : place.claim;
  const level = playing === null ? null : levelOf(desk, place, playing);
  const waiting = place.parts.filter((part) => part !== playing).sort((a, b) => (isBefore(a, b) ? -1 : 1));
  return {
    output,
    reason: reasonOf({ playing, claim }, level?.level ?? null, quiet !== null && waiting.length > 0),
    playing: playing === null ? null : partAnswer(desk, playing),
    level,
    outside: claim,
    quiet,
    waiting: waiting.map((part) => partAnswer(desk, part)),
    recent: place.recent.toReversed(),
  };
}

function reasonOf(
  { playing, claim }: Pick<Place, 'playing' | 'claim'>,
  level: number | null,
  isKeptQuiet: boolean,
): OutputAnswer['reason'] {
  if (playing !== null) return level === 0 ? 'level-zero' : 'plays';
  if (claim !== null) return claim.isSilence === true ? 'silenced-outside' : 'outside';
  return isKeptQuiet ? 'quiet' : 'nothing-asked';
}

function partAnswer(desk: Desk, part: Part): PartAnswer {
  const { place, state, cutAt } = part;
  const { item } = part.of;
  const position = positionOf(desk, part);
  const quiet = quietOf(desk, place);
  const winner = winnerOf(place, quiet);
  const isKept = (state === 'waiting' || state === 'cut') && part !== winner;
  return {
    item: item.id,
    class: item.class,
    name: item.name,
    state,
    position: position === null ? null : Math.round(position),
    blocker: isKept ? blockerOf(place, part, winner, quiet) : null,
    cutAt: cutAt === null || state !== 'cut' ? null : wallOf(desk, cutAt),
    patience: part.of.isEmergency || state !== 'waiting' ? null : item.patience,
    until: item.until,
    by: item.by,
    why: item.why,
    isDrill: item.drill,
  };
}

export function explainItem(desk: Desk, id: HappeningId): ItemAnswer | null {
  const one = desk.soundings.get(id) ?? desk.asked.get(id);
  if (one === undefined) {
    const buried = desk.over.get(id);
    return buried === undefined ? null : { ...buried, state: 'over', askers: [], parts: [] };
  }
  const parts = [...one.parts.values()].map((part) => ({ ...partAnswer(desk, part), output: part.place.ref }));
  const state = (['playing', 'cut', 'waiting'] as const).find((each) => parts.some((part) => part.state === each));
  return { item: one.item, state: state ?? 'over', askers: [...one.askers], parts, story: [...one.story] };
}
