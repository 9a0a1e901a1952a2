import type { Device, Point } from '#edge/domain/device.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Condition, Rule } from '#edge/domain/rule.ts';
import { applyAlarmDecisions, type OpenAlarms } from '#edge/rules/alarm-machine.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import { isAlarmDecision } from '#edge/rules/decision.ts';
import type { Engine, RuleCampus } from '#edge/rules/engine.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { type BenchLine, type BenchOptions, median } from './bench-line.ts';

/* What rules cost core: 1,000 of them over 2,000 points, fed one reading a step, as the worst of inputs is. */

const ruleCount = 1_000;
const pointCount = 2_000;
const perSecond = 10_000;
/** Monday 2026-11-23 10:00 in Shanghai. */
const start = Date.UTC(2026, 10, 23, 2);
const name = { zh: '压测', en: 'Bench' };

function point(id: string): Point {
  return {
    name: id as Point['name'],
    label: name,
    type: 'number',
    unit: 'Cel',
    poll: 'normal',
    deadband: 0,
    staleAfter: 0,
    address: {},
  };
}

/** 400 rooms with five values each, and 100 meters that no rule looks at. */
function campusOf(): RuleCampus {
  const rooms = pointCount / 5;
  const device = (id: string, points: readonly Point[]): Device => ({
    id: id as Device['id'],
    name,
    profile: 'bench/room',
    protocol: 'mqtt',
    zone: 'zone' as Device['zone'],
    points,
    address: {},
  });
  const values = ['temperature', 'co2', 'light', 'power', 'humidity'].map(point);
  return {
    devices: [
      ...Array.from({ length: rooms }, (_, i) => device(`room-${i}`, values)),
      ...Array.from({ length: 100 }, (_, i) => device(`meter-${i}`, [point('energy')])),
    ],
    zones: [],
    spaces: [],
  };
}

/** Every kind of condition over values, most of them with a time; two in a hundred wait for the alarm of another rule. */
function ruleOf(i: number): Rule {
  const room = `room-${i % (pointCount / 5)}`;
  const over = (id: string, above: number): Condition => ({
    kind: 'point',
    points: { of: `${room}/${id}` },
    needs: 'any',
    test: { above, hysteresis: 2 },
    for: (i % 3) * 30_000,
    onBad: 'hold',
  });
  const kinds: readonly Condition[] = [
    over('temperature', 60),
    { kind: 'all', conditions: [over('co2', 70), over('light', 50)] },
    {
      kind: 'rate',
      points: { of: `${room}/power` },
      needs: 'any',
      change: { rises: 60 },
      within: 300_000,
      onBad: 'ignore',
    },
    {
      kind: 'count',
      of: { points: { of: `${room}/light` }, becomes: { above: 90 } },
      atLeast: 20,
      within: 60_000,
    },
    {
      kind: 'any',
      conditions: [
        over('humidity', 80),
        {
          kind: 'point',
          points: { of: `room-${i % 40}*/co2` },
          needs: 3,
          test: { above: 95 },
          for: 0,
          onBad: 'ignore',
        },
      ],
    },
  ];
  const when = i % 50 === 49 ? ({ kind: 'unacknowledged', rule: `rule-${i - 1}`, for: 60_000 } as const) : kinds[i % 5];
  if (when === undefined) throw new Error('no condition');
  return {
    id: `rule-${i}`,
    name,
    about: null,
    kind: i % 10 === 0 ? 'safety' : 'comfort',
    priority: i % 10 === 0 ? 5 : 12,
    each: null,
    when,
    while: i % 4 === 0 ? [{ kind: 'calendar', is: 'open' }] : [],
    then: [{ kind: 'alarm', class: 'low', message: name, next: name }],
    latch: false,
    clearAfter: 0,
    coolDown: 0,
    tests: [],
  };
}

class Rig {
  readonly engine: Engine;
  readonly latest = new Map<PointRef, Reading>();
  readonly clock = new ManualClock(start);
  alarms: OpenAlarms = new Map();
  decisions = 0;

  constructor(rules: number) {
    const hours = { weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1_110 }], exceptions: [] };
    const calendar = createCalendar(hours, 'Asia/Shanghai');
    this.engine = createEngine({ campus: campusOf(), calendar, monotonic: this.clock.monotonic() });
    for (let i = 0; i < rules; i++) this.engine.put({ rule: ruleOf(i), version: 1 });
    this.step([]);
  }

  hear(reading: Reading): void {
    this.latest.set(reading.ref, reading);
    this.step([reading.ref]);
  }

  step(changed: readonly PointRef[]): void {
    const [now, monotonic] = [this.clock.now(), this.clock.monotonic()];
    const { decisions } = this.engine.step({
      now,
      monotonic,
      changed,
      latest: this.latest,
      events: [],
      openAlarms: this.alarms,
      modes: new Set(),
    });
    if (decisions.length === 0) return;
    this.decisions += decisions.length;
    const context = { now, newId: () => newHappeningId(this.clock), causesOf: () => [] };
    this.alarms = applyAlarmDecisions(this.alarms, decisions.filter(isAlarmDecision), context).open;
  }
}

function readingOf(device: string, id: string, value: number, time: number): Reading {
  return {
    ref: `${device}/${id}` as PointRef,
    device: device as Reading['device'],
    point: id as Reading['point'],
    value,
    unit: 'Cel',
    quality: 'good',
    sourceTime: time,
    receivedTime: time,
  };
}

/** One second of input: every point in turn, values on slow waves from 0 to 100 with a little noise. */
function secondOf(second: number): Reading[] {
  const ids = ['temperature', 'co2', 'light', 'power', 'humidity'];
  return Array.from({ length: perSecond }, (_, i) => {
    const at = i % pointCount;
    const noise = ((i * 7_919 + second * 104_729) % 11) - 5;
    const value = 50 + 50 * Math.sin(second / 7 + at) + noise;
    const room = `room-${Math.floor(at / ids.length)}`;
    return readingOf(room, ids[at % ids.length] ?? 'temperature', Math.round(value * 10) / 10, start + second * 1_000);
  });
}

/** CPU of this process, s: on a busy machine the clock on the wall measures the others. */
function cpuSeconds(work: () => void): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  const rig = new Rig(ruleCount);
  const noInterest = Array.from({ length: 100 }, (_, i) => readingOf(`meter-${i}`, 'energy', i, start));
  const rounds = quick ? 3 : 7;
  const idle: number[] = [];
  const steps = 100_000;
  for (let round = -1; round < rounds; round++) {
    const cpu = cpuSeconds(() => {
      for (let i = 0; i < steps; i++) {
        const reading = noInterest[i % noInterest.length];
        if (reading !== undefined) rig.hear(reading);
      }
    });
    if (round >= 0) idle.push((cpu * 1e6) / steps);
  }

  const busy: number[] = [];
  const bare: number[] = [];
  const limits = new Map<PointRef, number>();
  let over = 0;
  for (let second = 0; second < rounds + 3; second++) {
    const readings = secondOf(second);
    const cpu = cpuSeconds(() => {
      for (const reading of readings) {
        rig.clock.advance(1_000 / perSecond);
        rig.hear(reading);
      }
    });
    const plain = cpuSeconds(() => {
      // Often enough to be measured at all.
      for (let again = 0; again < 50; again++) {
        for (const { ref, value, quality } of readings) {
          if (quality === 'good' && typeof value === 'number' && value > (limits.get(ref) ?? 60)) over++;
        }
      }
    });
    // The first seconds fill windows and warm the machine up.
    if (second >= 3) {
      busy.push(cpu);
      bare.push(plain / 50);
    }
  }
  const { evaluations = 0, failures = 0 } = rig.engine.counters;
  say(`rules: ${evaluations} evaluations, ${rig.decisions} decisions, ${failures} failures, ${over} over`);
  const perReading = { value: (median(busy) / perSecond) * 1e6, unit: 'us' };
  return [
    {
      bench: 'rules',
      what: 'a reading that no rule looks at',
      ours: { value: median(idle), unit: 'us' },
      goal: { of: 'figure', atMost: 5 },
      note: `CPU of one step with one reading while ${ruleCount} rules run; median of ${rounds} rounds of ${steps} steps`,
    },
    {
      bench: 'rules',
      what: `${ruleCount} rules, ${perSecond} readings/s`,
      ours: { value: median(busy), unit: 's CPU/s' },
      goal: { of: 'figure', atMost: 1 },
      note: `every reading is a step of its own and concerns rules over its point (${pointCount} points; values, rates, counts, times, calendar, alarms of others); alarms applied; median of ${busy.length} s of input`,
    },
    {
      bench: 'rules',
      what: 'a reading that rules look at',
      ours: perReading,
      other: { value: (median(bare) / perSecond) * 1e6, unit: 'us', name: 'a predicate by hand' },
      note: 'against a bare loop that looks up one limit and compares, with no time, no quality but good, no memory and no reason: what the language costs over the least there can be',
    },
  ];
}
