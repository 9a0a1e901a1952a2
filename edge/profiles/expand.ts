import type { CounterRule, Device, Point, PollClass, WriteRule } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Site } from '#edge/runtime/site.ts';
import { expandCjt188 } from './expand-cjt188.ts';
import { expandDlt645 } from './expand-dlt645.ts';
import { expandModbus } from './expand-modbus.ts';
import type { Expanded } from './expanded.ts';
import { usualLabel } from './labels.ts';
import { type PhraseAddress, phraseAddressOf } from './phrases-address.ts';
import type { ForeignValue, PhrasesProfile, Profile, SnmpProfile } from './profile.ts';
import { type SnmpAddress, snmpAddressOf } from './snmp-address.ts';
import { defaultDeadband, ratePerHour, toUcum } from './units.ts';

type Polls = Site['poll'];

/** Where a string-addressed value lives: `Point.address` of onvif, broadcast and mqtt points. */
export interface ForeignAddress {
  readonly at: string;
  readonly map?: Readonly<Record<string, number | boolean | string>>;
  readonly scale?: number;
  readonly offset?: number;
}

function expandForeign(values: Readonly<Record<string, ForeignValue>>): Expanded[] {
  return Object.entries(values).map(([name, value]) => {
    const address: ForeignAddress = {
      at: value.at,
      ...(value.map === undefined ? {} : { map: value.map }),
      ...(value.scale === undefined ? {} : { scale: value.scale }),
      ...(value.offset === undefined ? {} : { offset: value.offset }),
    };
    return { name, label: value.label ?? usualLabel(name), type: value.type, value, address };
  });
}

function expandSnmp(profile: SnmpProfile): Expanded[] {
  return Object.entries(profile.values).flatMap(([name, value]) => {
    const label = value.label ?? usualLabel(name);
    const one = (row: number | null, suffix: string): Expanded => ({
      name: row === null ? name : `${name}_${row}`,
      label: { zh: label.zh + suffix, en: label.en + suffix },
      type: value.type,
      value,
      address: snmpAddressOf(value, row) satisfies SnmpAddress,
    });
    if (value.rows === undefined) return [one(null, '')];
    return Array.from({ length: value.count ?? 1 }, (_, i) => one(i + 1, ` ${i + 1}`));
  });
}

/** Polled where its state can be asked, else told only. */
function expandPhrases(profile: PhrasesProfile): Expanded[] {
  return Object.entries(profile.values).map(([name, value]) => ({
    ...{ name, label: value.label ?? usualLabel(name), type: value.type },
    value: { ...value, poll: value.poll ?? (value.ask === undefined ? 'watch' : 'normal') },
    address: phraseAddressOf(profile, value) satisfies PhraseAddress,
  }));
}

/** Every point name of a profile, in order, with its address. Throws PROFILE_ADDRESS when one does not fit the protocol. */
export function expandValues(profile: Profile): Expanded[] {
  switch (profile.protocol) {
    case 'modbus':
      return expandModbus(profile);
    case 'dlt645':
      return expandDlt645(profile);
    case 'cjt188':
      return expandCjt188(profile);
    case 'snmp':
      return expandSnmp(profile);
    case 'phrases':
      return expandPhrases(profile);
    default:
      return expandForeign(profile.values);
  }
}

function writeRule(write: NonNullable<ForeignValue['write']>): WriteRule {
  return {
    ...(write.range === undefined ? {} : { min: write.range[0], max: write.range[1] }),
    ...(write.step === undefined ? {} : { step: write.step }),
    verifyAfter: write.verify?.after ?? 200,
    verifyWithin: write.verify?.within ?? 2_000,
    minGap: write.min_gap ?? 0,
    failSafe: write.fail_safe,
    ...(write.min_on === undefined ? {} : { minOn: write.min_on }),
    ...(write.min_off === undefined ? {} : { minOff: write.min_off }),
    ...(write.max_per_hour === undefined ? {} : { maxPerHour: write.max_per_hour }),
    ...(write.local_override === undefined ? {} : { localOverride: write.local_override }),
    ...(write.momentary === undefined ? {} : { momentary: write.momentary }),
  };
}

function counterRule(counter: NonNullable<ForeignValue['counter']>, unit: string): CounterRule {
  const rate = counter.max_rate;
  return {
    ...(counter.wrap === undefined ? {} : { wrap: counter.wrap }),
    ...(rate === undefined ? {} : { maxRate: typeof rate === 'number' ? rate : ratePerHour(rate, unit) }),
  };
}

function staleAfter(poll: PollClass, given: number | undefined, polls: Polls): number {
  if (given !== undefined) return given;
  return poll === 'watch' || poll === 'once' ? 0 : Math.max(10_000, 2.5 * polls[poll]);
}

/** Protocols whose devices say nothing unless they are asked. */
const polled: ReadonlySet<string> = new Set(['modbus', 'dlt645', 'cjt188', 'snmp', 'ping', 'pjlink', 'fire-panel']);

/** The points of a profile at a campus whose poll classes last so long (ms). */
export function pointsOf(profile: Profile, polls: Polls): Point[] {
  return expandValues(profile).map(({ name, label, type, value, address }) => {
    const unit = type === 'number' ? toUcum(value.unit ?? '') : '';
    const poll = value.poll ?? (polled.has(profile.protocol) ? 'normal' : 'watch');
    return {
      name: name as PointName,
      label,
      type,
      unit,
      poll,
      ...(value.range === undefined ? {} : { range: value.range }),
      ...(value.counter === undefined ? {} : { counter: counterRule(value.counter, unit) }),
      deadband: value.deadband ?? (type === 'number' ? defaultDeadband(unit) : 0),
      staleAfter: staleAfter(poll, value.stale, polls),
      ...(value.optional === undefined ? {} : { optional: value.optional }),
      ...(value.write === undefined ? {} : { write: writeRule(value.write) }),
      address,
    };
  });
}

/** A device that cannot be had, and why, in a sentence. */
export interface BrokenDevice {
  readonly device: string;
  readonly message: string;
}

/** What `loadProfiles` found: profiles by path (`meter/eastron-sdm630`), and what is wrong with the others. */
export interface ProfileShelf {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly broken: ReadonlyMap<string, string>;
}

/** The devices of a site. A missing or broken profile disables the devices that name it and nothing else. */
export function devicesOf(
  site: Pick<Site, 'devices' | 'poll'>,
  shelf: ProfileShelf,
): { devices: Device[]; broken: BrokenDevice[] } {
  const devices: Device[] = [];
  const broken: BrokenDevice[] = [];
  for (const entry of site.devices) {
    try {
      const profile = shelf.profiles.get(entry.profile);
      if (profile === undefined) {
        throw new CodedError('PROFILE_UNKNOWN', shelf.broken.get(entry.profile) ?? 'there is no such profile');
      }
      devices.push({
        id: entry.id,
        name: entry.name,
        profile: entry.profile,
        protocol: profile.protocol,
        zone: entry.zone,
        ...(entry.space === undefined ? {} : { space: entry.space }),
        ...(entry.tags === undefined ? {} : { tags: entry.tags }),
        points: pointsOf(profile, site.poll),
        address: entry.address,
      });
    } catch (error) {
      broken.push({ device: entry.id, message: `profile ${entry.profile}: ${messageOf(error)}` });
    }
  }
  return { devices, broken };
}
