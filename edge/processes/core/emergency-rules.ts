import type { EmergencyKind } from '#edge/domain/emergency.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { OutsideClaim } from '#edge/rules/sound.ts';
import { strengthOf } from '#edge/rules/sound-habits.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import { causeOf } from './emergency-causes.ts';
import type { EmergencyDesk, EmergencyDeskOptions } from './emergency-desk.ts';
import type { EmergencyRoom } from './emergency-roll.ts';

/* A rule of life safety that holds loudspeakers has begun an emergency: it sounds by itself, and people call the roll and give the all clear. */

export interface WatchedRulesOptions {
  readonly broadcast: Pick<BroadcastDesk, 'onClaims' | 'claims' | 'speakers'>;
  /** null: reset; else why not. */
  readonly reset: (rule: string, why: string) => string | null;
  readonly log: Log;
}

const prefix = 'interlock:';
const lifeSafety = strengthOf({ priority: 1, rank: 15, value: 'any' });

export function watchRules({ broadcast, reset, log }: WatchedRulesOptions) {
  const standing = (rule: string) => {
    if (!claimsOf(broadcast.claims()).has(rule)) return '';
    return isPanic(rule) ? 'its one-key alarm has not been ended' : 'its rule holds the loudspeakers';
  };
  const desk: Pick<EmergencyDeskOptions, 'resetRule' | 'standing'> = {
    standing,
    resetRule: (rule, why) => {
      if (standing(rule) === '') return null;
      // It has a page and an incident of its own, and ends there.
      return isPanic(rule) ? 'end the one-key alarm first' : reset(rule, why);
    },
  };
  return {
    desk,
    begin: (emergencies: Pick<EmergencyDesk, 'begin' | 'open'>) => {
      const failed = new Set<string>();
      const begin = (rule: string, found: readonly OutsideClaim[]) => {
        const zones = zonesOf(found, broadcast.speakers);
        const origin = { kind: 'rule', rule } as const;
        const known = emergencies.open.find(({ causes }) => causeOf(causes, origin) !== undefined);
        if (zones.length === 0 || (known !== undefined && zones.every((zone) => known.zones.includes(zone)))) return;
        emergencies.begin({
          ...{ kind: known?.kind ?? kindOf(rule), drill: false, zones, why: found[0]?.reason ?? rule, sounds: false },
          ...{ origin, by: `rule:${rule}`, from: 'core' },
        });
      };
      // What cannot begin now is heard again with the next change; other rules, and core, go on.
      const hear = (claims: readonly OutsideClaim[]) => {
        for (const [rule, found] of claimsOf(claims)) {
          try {
            begin(rule, found);
            failed.delete(rule);
          } catch (error) {
            if (!failed.has(rule)) log.error({ error, rule }, 'a rule that sounds could not begin an emergency');
            failed.add(rule);
          }
        }
      };
      hear(broadcast.claims());
      return broadcast.onClaims(hear);
    },
  };
}

/** Rules of priority 1 that have something said. */
function claimsOf(claims: readonly OutsideClaim[]): ReadonlyMap<string, readonly OutsideClaim[]> {
  const found = new Map<string, OutsideClaim[]>();
  for (const claim of claims) {
    const isUrgent = (claim.strength ?? 0) <= lifeSafety && claim.isSilence !== true;
    if (!isUrgent || !claim.owner.startsWith(prefix)) continue;
    const rule = claim.owner.slice(prefix.length);
    const list = found.get(rule);
    if (list === undefined) found.set(rule, [claim]);
    else list.push(claim);
  }
  return found;
}

function zonesOf(claims: readonly OutsideClaim[], speakers: BroadcastDesk['speakers']): ZoneId[] {
  return [...new Set(claims.flatMap(({ output }) => speakers.get(output)?.zone ?? []))];
}

function isPanic(rule: string): boolean {
  return rule.startsWith('panic.');
}

/** By what the rule is called: a school names its fire rules so. */
function kindOf(rule: string): EmergencyKind {
  if (/fire|smoke|huo|yan/.test(rule) && !isPanic(rule)) return 'fire';
  if (/quake|earthquake/.test(rule)) return 'earthquake';
  return /intru|lockdown/.test(rule) ? 'intrusion' : 'other';
}

/** Rooms that a roll is called in: the spaces of each zone, or the zone where no space of it is known. */
export function roomsOf({ zones, buildings }: Pick<Site, 'zones' | 'buildings'>): EmergencyRoom[] {
  const spaces = new Map(
    buildings.flatMap(({ floors }) =>
      floors.flatMap((floor) => floor.spaces.map((space) => [space.id, space] as const)),
    ),
  );
  return zones.flatMap(({ id, name, spaces: own }) => {
    const rooms = own.flatMap((space) => spaces.get(space) ?? []);
    if (rooms.length === 0) return [{ room: `zone:${id}`, zone: id, name }];
    return rooms.map((space) => ({ room: `space:${space.id}`, zone: id, name: space.name }));
  });
}
