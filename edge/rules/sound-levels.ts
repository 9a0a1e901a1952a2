import { orderText, rankOf } from '#edge/domain/broadcast.ts';
import type { LevelAnswer, LevelCap, WantedSound } from './sound.ts';
import { type Desk, isWithin, type Part, type Place } from './sound-desk.ts';
import { soundHabits } from './sound-habits.ts';

/**
 * How loud an item is here. Each order says its level, so that nothing has to be put back: after an emergency the next order is as loud as it
 * always was. Emergencies know no cap.
 */
export function levelOf(desk: Desk, place: Place, part: Part): LevelAnswer {
  const { item, isEmergency } = part.of;
  const { levels } = desk;
  const here = levels.places.get(place.ref);
  if (isEmergency) {
    if (item.level !== undefined) return { level: item.level, from: 'item', cap: null };
    if (here?.emergency !== undefined) return { level: percent(here.emergency), from: 'place', cap: null };
    return { level: percent(levels.emergency ?? 100), from: 'emergency', cap: null };
  }
  const usual = usualOf(desk, place, part);
  let cap: LevelCap | null = null;
  for (const one of place.caps) if (isWithin(desk, one) && (cap === null || one.most < cap.most)) cap = one;
  if (cap === null || cap.most >= usual.level) return { ...usual, cap: null };
  const { id, most, until, reason } = cap;
  return { level: percent(most), from: usual.from, cap: { id, most, until, reason } };
}

function usualOf({ levels }: Desk, place: Place, { of: { item } }: Part): Pick<LevelAnswer, 'level' | 'from'> {
  if (item.level !== undefined) return { level: item.level, from: 'item' };
  const here = levels.places.get(place.ref);
  const own = here?.classes?.[item.class];
  if (own !== undefined) return { level: percent(own), from: 'place' };
  const level = levels.classes[item.class] ?? 100;
  if (here?.scale === undefined) return { level: percent(level), from: 'class' };
  return { level: percent((level * here.scale) / 100), from: 'place' };
}

/** An order takes whole percents; a configuration that says more is not worth silence. */
function percent(level: number): number {
  return Number.isFinite(level) ? Math.min(100, Math.max(0, Math.round(level))) : 100;
}

/** What this loudspeaker is asked for now; the same object as before when nothing changed. */
export function wantedOf(desk: Desk, place: Place): WantedSound | null {
  const part = place.playing;
  if (part === null) return null;
  const { item, source } = part.of;
  const { level } = levelOf(desk, place, part);
  const order = { source, since: part.since, level, item: item.id };
  const text = orderText(order);
  if (place.wanted?.text === text) return place.wanted;
  const { priority } = soundHabits[item.class];
  const { wordAt: since } = part;
  return { order, text, item: item.id, class: item.class, priority, rank: rankOf(item.class), since, reason: item.why };
}
