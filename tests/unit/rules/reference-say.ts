import type { Value } from '#edge/domain/reading.ts';
import { leavesIn, pointsIn, speakersIn } from './reference-campus.ts';
import type { Look, Verdict } from './reference-judge.ts';
import { type Life, ownerOf, type World } from './reference-life.ts';

/* What the reference says that should be done: what is wanted now against what was wanted before. */

export function sayHolds(life: Life, stands: boolean, world: World): { words: string[]; hasEnded: boolean } {
  const { rule } = life;
  const { monotonic } = world.moment;
  const owner = ownerOf(rule, life.instance);
  const wanted = new Map<string, { value: Value; until: number | null }>();
  const over = new Set<string>();
  const sheds = rule.then.filter((action) => action.kind === 'shed');
  for (const [i, shed] of sheds.entries()) {
    const tiers = life.sheds[i];
    if (tiers === undefined) continue;
    moveTiers(tiers, shed.order.length, shed.every, life.fired, stands, monotonic);
    for (const ref of shed.order.slice(0, tiers.count)) wanted.set(ref, { value: shed.value, until: null });
  }
  for (const action of life.fired ? rule.then : []) {
    if (action.kind !== 'hold' && action.kind !== 'broadcast') continue;
    const refs =
      action.kind === 'hold'
        ? pointsIn(world.campus, rule, action.outputs, life.place)
        : speakersIn(world.campus, rule, action.zones, life.place);
    const value = action.kind === 'hold' ? action.value : action.clip;
    const until = action.for === null ? null : life.firedAt + action.for;
    for (const ref of refs) {
      if (until !== null && monotonic >= until) over.add(ref);
      else wanted.set(ref, { value, until });
    }
  }
  const words: string[] = [];
  for (const [ref, { value, until }] of wanted) {
    if (life.held.get(ref) === `${value} until ${until}`) continue;
    const lasts = until === null ? null : until - monotonic;
    words.push(`hold ${owner} ${ref}=${value} at ${rule.priority} for ${lasts}`);
  }
  const given = [...life.held.keys()].filter((ref) => !wanted.has(ref));
  words.push(...given.map((ref) => `relinquish ${owner} ${ref}`));
  life.held = new Map([...wanted].map(([ref, { value, until }]) => [ref, `${value} until ${until}`]));

  const forbids = new Map<string, Value>();
  for (const action of life.fired ? rule.then : []) {
    if (action.kind !== 'forbid') continue;
    for (const ref of pointsIn(world.campus, rule, action.outputs, life.place)) forbids.set(ref, action.value);
  }
  for (const [ref, value] of forbids) {
    if (life.forbidden.get(ref) !== value) words.push(`forbid ${owner} ${ref}=${value} at ${rule.priority}`);
  }
  for (const ref of life.forbidden.keys()) if (!forbids.has(ref)) words.push(`permit ${owner} ${ref}`);
  life.forbidden = forbids;
  return { words, hasEnded: given.some((ref) => over.has(ref)) };
}

/** One tier more when it fires and each `every` while the cause stands; one less when it clears and each `every` after that. */
function moveTiers(
  tiers: Life['sheds'][number],
  most: number,
  every: number,
  fired: boolean,
  stands: boolean,
  monotonic: number,
): void {
  const turns = fired !== tiers.isShedding && (fired || tiers.count > 0);
  const isDue = tiers.nextAt !== null && monotonic >= tiers.nextAt;
  const waits = fired && !stands;
  const moves = turns || (isDue && !waits);
  if (moves) tiers.count = fired ? Math.min(most, tiers.count + 1) : Math.max(0, tiers.count - 1);
  tiers.isShedding = fired;
  const isAtEnd = fired ? tiers.count >= most : tiers.count === 0;
  if (waits || isAtEnd) tiers.nextAt = null;
  else if (moves || tiers.nextAt === null) tiers.nextAt = monotonic + every;
}

export function sayAlarm(life: Life, { moment }: World, look: Look, verdicts: ReadonlyMap<string, Verdict>): string[] {
  const { rule } = life;
  const source = ownerOf(rule, life.instance);
  const isOpen = moment.alarms.get(source)?.active === true;
  const alarm = rule.then.find((action) => action.kind === 'alarm');
  if (alarm === undefined || !life.fired) return isOpen ? [`return ${source}`] : [];
  if (isOpen && look.heard.length === 0) return [];
  const told = leavesIn(rule).find(
    ([key]) => verdicts.get(key)?.stand === true && life.leaves.get(key)?.event !== null,
  );
  const event = look.heard.at(-1)?.id ?? (told === undefined ? null : life.leaves.get(told[0])?.event) ?? null;
  return [`raise ${source} ${alarm.class} event ${event}`];
}

export function sayBlind(
  life: Life,
  { moment }: World,
  look: Look,
  mayFire: boolean,
): { words: string[]; word: string | null } {
  const source = `blind:${life.instance}`;
  const isOpen = moment.alarms.get(source)?.active === true;
  if (look.blind.length === 0 || !(mayFire || life.fired)) {
    life.blindFrom = null;
    life.blindSaid = '';
    return isOpen ? { words: [`return ${source}`], word: 'sighted' } : { words: [], word: null };
  }
  life.blindFrom ??= moment.monotonic;
  if (!isOpen && moment.monotonic < life.blindFrom + 30_000) return { words: [], word: null };
  const before = life.blindSaid;
  life.blindSaid = look.blind.join();
  if (isOpen && before === life.blindSaid) return { words: [], word: null };
  const severity = { safety: 'high', security: 'medium', energy: 'low', comfort: 'low', notice: 'low' }[life.rule.kind];
  return { words: [`raise ${source} ${severity} event null`], word: isOpen ? null : 'blind' };
}

export function sayOnce(life: Life): string[] {
  return life.rule.then.flatMap((action) => {
    if (action.kind === 'snapshot') return [`snapshot ${action.camera}`];
    return action.kind === 'notify' ? [`notify rule:${life.instance} ${action.to.join()}`] : [];
  });
}
