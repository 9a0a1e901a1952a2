import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Device, Point, ValueType } from '#edge/domain/device.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, HappeningId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Interlock } from '#edge/domain/interlock.ts';
import type { Quality, Reading, Reason, Value } from '#edge/domain/reading.ts';
import { acknowledgeAlarm, applyAlarmDecisions, type OpenAlarms } from '#edge/rules/alarm-machine.ts';
import { type CompiledInterlocks, compileInterlocks } from '#edge/rules/compile.ts';
import { type Decision, isAlarmDecision } from '#edge/rules/decision.ts';
import { type Evaluation, evaluateInterlocks } from '#edge/rules/evaluate.ts';
import {
  type InterlockState,
  type ResetOutcome,
  resetInterlock,
  restoreInterlockState,
} from '#edge/rules/interlock-state.ts';
import { checkSite, type Site } from '#edge/runtime/site.ts';

export const demoFile = new URL('../../fixtures/rules/demo-interlocks.yaml', import.meta.url);

export const ref = (text: string) => text as PointRef;

const smoke = ['smoke-101', 'smoke-102', 'smoke-201'];
const speakers = { 'speaker-teaching': 'teaching', 'speaker-playground': 'playground', 'speaker-gate': 'gate' };
const zones = ['teaching', 'playground', 'gate'];

function point(name: string, type: ValueType, failSafe?: Value | 'keep'): Point {
  return {
    name: name as PointName,
    label: { zh: name, en: name },
    type,
    unit: name.startsWith('current') ? 'A' : '',
    poll: 'watch',
    deadband: 0,
    staleAfter: 0,
    address: {},
    ...(failSafe === undefined ? {} : { write: { verifyAfter: 50, verifyWithin: 1_000, minGap: 0, failSafe } }),
  };
}

function device(id: string, zone: string, protocol: string, points: readonly Point[]): Device {
  return {
    id: id as DeviceId,
    name: { zh: id, en: id },
    profile: `test/${protocol}`,
    protocol,
    zone: zone as ZoneId,
    points,
    address: {},
  };
}

/** The demo campus as profiles describe it. */
export const demoDevices: readonly Device[] = [
  ...smoke.map((id) => device(id, 'teaching', 'mqtt', [point('smoke', 'boolean')])),
  device('fire-panel', 'gate', 'mqtt', [point('alarm', 'boolean')]),
  device('camera-gate', 'gate', 'onvif', []),
  device('camera-playground', 'playground', 'onvif', []),
  device(
    'meter-main',
    'teaching',
    'modbus',
    ['current_l1', 'current_l2', 'current_l3'].map((n) => point(n, 'number')),
  ),
  device(
    'relay-1',
    'teaching',
    'modbus',
    [1, 2, 5, 8].map((n) => point(`relay_${n}`, 'boolean', 'keep')),
  ),
  ...Object.entries(speakers).map(([id, zone]) => device(id, zone, 'broadcast', [point('clip', 'text', '')])),
];

/** A site file around a list of interlocks, checked as the real one is. */
export function siteWith(interlocks: unknown): Site {
  const name = (text: string) => ({ zh: text, en: text });
  return checkSite(
    {
      site: 1,
      campus: { id: '3131000001', name: name('demo'), timeZone: 'Asia/Shanghai' },
      zones: zones.map((id) => ({ id, name: name(id) })),
      devices: demoDevices.map(({ id, zone }) => ({ id, name: name(id), profile: 'test/any', zone, address: {} })),
      clips: { evacuation: { file: 'evacuation.wav', loop: true }, lockdown: { file: 'lockdown.wav', loop: true } },
      openingHours: { weekly: [{ days: [1, 2, 3, 4, 5], from: '07:00', to: '18:30' }] },
      interlocks,
    },
    '/tmp',
  );
}

export function demoSite(): Site {
  const { interlocks } = parse(readFileSync(demoFile, 'utf8')) as { interlocks: unknown };
  return siteWith(interlocks);
}

/** Sunday 2026-11-22 10:00 in Shanghai: closed. */
export const sunday = Date.UTC(2026, 10, 22, 2, 0);
/** Monday 2026-11-23 10:00 in Shanghai: open. */
export const monday = sunday + 86_400_000;

let ids = 0;
export function testId(): HappeningId {
  return `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}` as HappeningId;
}

/** Drives the rules as core does: readings and events in, alarms applied, time passing in steps of what was asked for. */
export class Rules {
  readonly compiled: CompiledInterlocks;
  readonly latest = new Map<PointRef, Reading>();
  state: InterlockState;
  alarms: OpenAlarms = new Map();
  /** Everything decided since the last `take`. */
  decisions: Decision[] = [];
  ended: Alarm[] = [];
  last: Evaluation | null = null;
  now: number;
  monotonic = 1_000;

  constructor(interlocks: readonly Interlock[], now = monday) {
    this.now = now;
    this.compiled = compileInterlocks(interlocks, {
      devices: demoDevices,
      openingHours: demoSite().openingHours,
      timeZone: 'Asia/Shanghai',
    });
    this.state = restoreInterlockState(undefined, this.compiled, this.monotonic);
  }

  turn(changed: readonly PointRef[] = [], events: readonly CampusEvent[] = []): Evaluation {
    const evaluation = evaluateInterlocks({
      monotonic: this.monotonic,
      compiled: this.compiled,
      state: this.state,
      changed,
      latest: this.latest,
      events,
      openAlarms: this.alarms,
    });
    this.state = evaluation.state;
    this.decisions.push(...evaluation.decisions);
    const context = { now: this.now, newId: testId, causesOf: () => [] };
    const { open, changed: moved } = applyAlarmDecisions(
      this.alarms,
      evaluation.decisions.filter(isAlarmDecision),
      context,
    );
    this.alarms = open;
    this.ended.push(...moved.filter((alarm) => alarm.state === 'normal'));
    this.last = evaluation;
    return evaluation;
  }

  hear(name: string, value: Value | null, quality: Quality = 'good', reason?: Reason): Evaluation {
    const parts = splitPointRef(name);
    if (parts === null) throw new Error(`not a reference: ${name}`);
    this.latest.set(ref(name), {
      ref: ref(name),
      ...parts,
      value,
      unit: parts.point.startsWith('current') ? 'A' : '',
      quality,
      ...(reason === undefined ? {} : { reason }),
      sourceTime: this.now,
      receivedTime: this.now,
    });
    return this.turn([ref(name)]);
  }

  /** Everything is heard, well and quiet. */
  calm(): this {
    for (const id of smoke) this.hear(`${id}/smoke`, false);
    this.hear('fire-panel/alarm', false);
    for (const n of [1, 2, 3]) this.hear(`meter-main/current_l${n}`, 40);
    this.take();
    return this;
  }

  see(type: string, camera: string, active?: boolean): CampusEvent {
    const event: CampusEvent = {
      id: testId(),
      type,
      device: camera as DeviceId,
      time: this.now,
      data: {},
      ...(active === undefined ? {} : { active }),
    };
    this.turn([], [event]);
    return event;
  }

  /** Lets time pass, evaluating exactly when the rules asked to be woken. */
  pass(ms: number): void {
    let left = ms;
    while (left > 0) {
      const step = Math.max(1, Math.min(left, this.last?.wakeIn ?? left));
      this.now += step;
      this.monotonic += step;
      left -= step;
      if (this.last?.wakeIn !== null || left === 0) this.turn();
    }
  }

  acknowledge(source: string): void {
    const alarm = this.alarms.get(source);
    if (alarm === undefined) throw new Error(`no open alarm ${source}`);
    const seen = acknowledgeAlarm(alarm, { time: this.now, by: 'person:guard', note: '' });
    const next = new Map(this.alarms);
    if (seen.state === 'normal') next.delete(source);
    else next.set(source, seen);
    this.alarms = next;
    this.turn();
  }

  reset(id: string): ResetOutcome {
    const outcome = resetInterlock(this.state, id, 'reset by person:guard');
    this.state = outcome.state;
    this.turn();
    return outcome;
  }

  /** A new process: the state through JSON, every reading stale, another monotonic clock. */
  restart(awayMs = 5_000): void {
    this.now += awayMs;
    this.monotonic = 500;
    this.state = restoreInterlockState(JSON.parse(JSON.stringify(this.state)), this.compiled, this.monotonic);
    for (const [key, reading] of this.latest) {
      this.latest.set(key, { ...reading, quality: 'uncertain', reason: 'last-usable-value' });
    }
    this.turn();
  }

  /** What was decided since the last call, as short words. */
  take(): string[] {
    const words = this.decisions.map((one) => {
      if (one.kind === 'hold') return `hold ${one.ref}=${one.value}`;
      return one.kind === 'relinquish' ? `relinquish ${one.ref}` : `${one.kind} ${one.source}`;
    });
    this.decisions = [];
    return words;
  }

  alarm(source: string): Alarm {
    const alarm = this.alarms.get(source);
    if (alarm === undefined) throw new Error(`no open alarm ${source}; open: ${[...this.alarms.keys()].join(', ')}`);
    return alarm;
  }
}
