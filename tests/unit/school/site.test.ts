import { describe, expect, test } from 'vitest';
import type { Device, Point } from '#edge/domain/device.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { SchoolPower } from '#edge/domain/school.ts';
import { conflictsOf } from '#edge/school/conflicts.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { siteFacts } from '#edge/school/site-facts.ts';
import { both, exam, item, plan, zone } from './school-plan.ts';

/* What a plan asks of a campus that cannot do it. */

const write = { verifyAfter: 0, verifyWithin: 0, minGap: 0, failSafe: 'keep' as const };
const point = (name: string, type: Point['type'], more: object = {}) => ({ name, type, ...more }) as unknown as Point;
const device = (id: string, at: string, points: readonly Point[]) =>
  ({ id, zone: zone(at), points }) as unknown as Device;
const site = siteFacts(
  [
    device('speaker', 'east', [point('clip', 'text', { write })]),
    device('ac', 'east', [
      point('setpoint', 'number', { write: { ...write, min: 16, max: 30, step: 0.5 } }),
      point('temperature', 'number'),
      point('reset', 'boolean', { write: { ...write, momentary: true } }),
    ]),
    device('relay', 'west', [point('on', 'boolean', { write })]),
  ],
  new Set(['bell', 'long-bell']),
  ['exam'],
);
const ref = (text: string) => text as PointRef;
const circuit = (more: Partial<SchoolPower> = {}): SchoolPower => ({
  ...{ part: 'power', name: both('AC'), layer: 'campus', kind: 'air', outputs: [ref('ac/setpoint')], on: 26, off: 18 },
  ...{ slots: null, weekly: [], days: { kinds: [], weekdays: [] }, months: [], occupancy: null, prepare: null },
  ...{ setback: null, minimumOn: 0, minimumOff: 0, ...more },
});
const told = (entries: Parameters<typeof plan>[0]) =>
  plan({ bell: item({ do: { kind: 'sound', clip: 'bell', zones: [zone('east')], seconds: 5 } }), ...entries }, { site })
    .mistakes.filter(({ code }) => code !== 'never' && code !== 'name-twice')
    .map(({ entry, path, code, weight }) => `${entry} ${path} ${code} ${weight}`);
const sound = (clip: string, ...zones: string[]) =>
  item({ do: { kind: 'sound', clip, zones: zones.map(zone), seconds: 5 } });
const hold = (text: string, value: number | boolean | string) =>
  item({ do: { kind: 'hold', outputs: [{ ref: ref(text), value }], seconds: 5 } });

describe('a plan that this campus cannot carry out', () => {
  test('names outputs that are not there, cannot be written, or cannot have the value', () => {
    expect(told({ a: hold('none/x', true), b: hold('ac/temperature', 20), c: hold('ac/reset', true) })).toEqual([
      'a do.outputs[0] unknown-output mistake',
      'b do.outputs[0] not-writable mistake',
      'c do.outputs[0] not-writable mistake',
    ]);
    const wrong = { a: hold('ac/setpoint', 31), b: hold('ac/setpoint', 20.2), c: hold('relay/on', 1) };
    expect(told(wrong)).toEqual(['a', 'b', 'c'].map((id) => `${id} do.outputs[0] wrong-value mistake`));
    expect(told({ a: hold('ac/setpoint', 20.5), b: hold('relay/on', false) })).toEqual([]);
  });

  test('names clips and modes that are not there, and zones without a loudspeaker', () => {
    const mode = item({ do: { kind: 'mode', mode: 'party', on: true, seconds: 5 } });
    expect(
      told({ a: sound('song', 'east'), b: sound('bell', 'west'), c: sound('bell', 'east', 'west'), mode }),
    ).toEqual([
      'a do.clip unknown-clip mistake',
      'b do.zones no-loudspeaker mistake',
      'c do.zones[1] no-loudspeaker warning',
      'mode do.mode unknown-mode mistake',
    ]);
    expect(told({ a: exam({ clips: { 'entry-bell': 'gone' } }), b: exam({ zones: [zone('west')] }) })).toEqual([
      'a clips.entry-bell unknown-clip mistake',
      'b zones no-loudspeaker mistake',
    ]);
  });

  test('names what is wrong with a circuit: outputs, values, sensors, an output of two', () => {
    const prepare = { mode: 'heat', setpoint: 20, tolerance: 1, rate: 3, earliest: 60 } as const;
    const wrong = circuit({
      ...{ outputs: [ref('ac/setpoint'), ref('none/x')], off: 8, setback: { value: false } },
      occupancy: { ref: ref('none/pir'), offAfter: 5, toStart: 'needed' },
      prepare: { ...prepare, temperature: ref('relay/on') },
    });
    expect(told({ wrong })).toEqual([
      'wrong off wrong-value mistake',
      'wrong setback.value wrong-value mistake',
      'wrong outputs[1] unknown-output mistake',
      'wrong occupancy.ref unknown-point mistake',
      'wrong prepare.temperature wrong-value mistake',
    ]);
    expect(told({ one: circuit(), two: circuit() })).toEqual(['two outputs[0] output-twice warning']);
  });

  test('still has what it asks for in its days, and the days say that it cannot work', () => {
    const wrong = plan({ bell: sound('song', 'east'), lamp: hold('none/x', true) }, { site });
    const day = occurrencesOf(wrong, '2026-11-09', []);
    expect(day).toHaveLength(4);
    const found = conflictsOf(wrong, '2026-11-09', day).filter(({ code }) => code === 'cannot-work');
    expect(found.map(({ of, params }) => `${of[0]?.split('@')[0]} ${params?.code}`)).toEqual([
      ...['bell.lesson-1 unknown-clip', 'lamp.lesson-1 unknown-output'],
      ...['bell.lesson-2 unknown-clip', 'lamp.lesson-2 unknown-output'],
    ]);
  });
});
