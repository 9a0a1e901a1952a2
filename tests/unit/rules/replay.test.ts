import { expect, it } from 'vitest';
import type { CampusEvent } from '#edge/domain/event.ts';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { RuleDecision } from '#edge/domain/rule.ts';
import { acknowledgeAlarm, applyAlarmDecisions, type OpenAlarms } from '#edge/rules/alarm-machine.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import { type Decision, isAlarmDecision, isHoldChange } from '#edge/rules/decision.ts';
import type { Engine } from '#edge/rules/engine.ts';
import { below, pick, seeded } from './random.ts';
import { calendar, campus, comfort, demoRules, monday, off, over, rule } from './small-campus.ts';

/*
 * A day of the demo campus, made once from a seed: about 12,000 readings, events, acknowledgements and modes, through the demo's
 * safety rules and some of every other kind.
 */

const minute = 60_000;
const begin = monday - 10 * 60 * minute;
const rules = [
  ...demoRules,
  comfort(
    'warm',
    { ...over('*/temperature', { above: 27, hysteresis: 1 }), points: { of: '*/temperature', here: true } },
    {
      each: { place: 'space', of: { of: 'room-*/temperature' } },
      then: [{ kind: 'hold', outputs: { of: '*/fan', here: true }, value: true, for: 30 * minute }],
      while: [{ kind: 'calendar', is: 'open' }],
      coolDown: 10 * minute,
    },
  ),
  comfort('stuffy', over('room-*/co2', { above: 1_400, hysteresis: 200 }, { for: 5 * minute }), {
    clearAfter: 3 * minute,
  }),
  comfort('jump', {
    kind: 'rate',
    points: { of: 'room-*/temperature' },
    needs: 'any',
    change: { falls: 3 },
    within: 15 * minute,
    onBad: 'ignore',
  }),
  comfort('draughty', {
    kind: 'count',
    of: { points: { of: 'room-*/window' }, becomes: { is: true } },
    atLeast: 4,
    within: 60 * minute,
  }),
  rule(
    'crowd',
    { kind: 'count', of: { event: 'person', device: 'camera-*' }, atLeast: 3, within: 10 * minute },
    {
      while: [
        { kind: 'mode', mode: 'exam', is: false },
        { kind: 'time', from: 6 * 60, to: 20 * 60 },
      ],
      then: [off],
    },
  ),
];

interface Moment {
  readonly at: number;
  readonly readings: readonly Reading[];
  readonly events: readonly CampusEvent[];
  readonly mode?: string;
  readonly acknowledge?: true;
}

/** Values wander, and now and then they are bad. */
function recordDay(): Moment[] {
  const random = seeded(20_261_123);
  const refs = campus.devices.flatMap(({ id, points }) =>
    points.filter(({ write }) => write === undefined).map(({ name }) => `${id}/${name}` as PointRef),
  );
  const values = new Map<PointRef, number>();
  const moments: Moment[] = [];
  for (let at = 0; at < 24 * 60 * minute; at += 5_000 + below(random, 9_000)) {
    const readings: Reading[] = [];
    for (let i = 1 + below(random, 2); i > 0; i--) {
      const ref = refs[below(random, refs.length)];
      if (ref !== undefined) readings.push(wander(ref, values, begin + at, random));
    }
    const events: CampusEvent[] = [];
    if (random() < 0.02) events.push(person(at, pick(random, ['camera-gate', 'camera-playground'])));
    const mode = random() < 0.003 ? { mode: 'exam' } : {};
    moments.push({ at, readings, events, ...mode, ...(random() < 0.01 ? { acknowledge: true as const } : {}) });
  }
  return moments;
}

function wander(ref: PointRef, values: Map<PointRef, number>, time: number, random: () => number): Reading {
  const parts = splitPointRef(ref);
  if (parts === null) throw new Error(`not a reference: ${ref}`);
  const [middle, width] = parts.point === 'co2' ? [1_000, 400] : parts.point === 'temperature' ? [25, 3] : [70, 30];
  const before = values.get(ref) ?? middle;
  const next = before + (random() - 0.5) * width * 0.5 + (middle - before) * 0.05;
  values.set(ref, next);
  const isBoolean = ['smoke', 'alarm', 'window'].includes(parts.point);
  const value: Value = isBoolean ? random() < (parts.point === 'window' ? 0.4 : 0.01) : Math.round(next * 10) / 10;
  const isBad = random() < 0.02;
  return {
    ref,
    ...parts,
    value,
    unit: '',
    quality: isBad ? 'bad' : 'good',
    ...(isBad ? { reason: 'no-communication' as const } : {}),
    sourceTime: time,
    receivedTime: time,
  };
}

function person(at: number, device: string): CampusEvent {
  const id = `00000000-0000-7000-8000-${String(at).padStart(12, '0')}` as CampusEvent['id'];
  return { id, type: 'person', device: device as NonNullable<CampusEvent['device']>, time: begin + at, data: {} };
}

interface Told {
  readonly at: number;
  readonly decisions: readonly Decision[];
  readonly journal: readonly RuleDecision[];
  readonly durable: Readonly<Record<string, unknown>>;
}

/** Plays the day as core does: at each moment, and whenever the engine asked to be woken. `splitAt`: the process starts again. */
class Play {
  readonly told: Told[] = [];
  readonly #latest = new Map<PointRef, Reading>();
  readonly #stored = new Map<string, unknown>();
  readonly #modes = new Set<string>();
  #alarms: OpenAlarms = new Map();
  #ids = 0;
  #engine: Engine;
  #wakeAt: number | null = 0;
  steps = 0;

  constructor() {
    this.#engine = this.#start(0);
  }

  #start(at: number): Engine {
    const engine = createEngine({ campus, calendar, monotonic: at });
    const stored = JSON.parse(JSON.stringify(Object.fromEntries(this.#stored)));
    for (const one of rules) engine.put({ rule: one, version: 1 }, stored);
    return engine;
  }

  run(day: readonly Moment[], splitAt: number | null = null): this {
    for (const [i, moment] of day.entries()) {
      this.#passTo(moment.at);
      // Nothing is stale after it: only what timers and windows forget can differ.
      if (i === splitAt) this.#engine = this.#start(moment.at);
      for (const reading of moment.readings) this.#latest.set(reading.ref, reading);
      if (moment.mode !== undefined && !this.#modes.delete(moment.mode)) this.#modes.add(moment.mode);
      if (moment.acknowledge === true) this.#acknowledge(moment.at);
      this.#step(
        moment.at,
        moment.readings.map(({ ref }) => ref),
        moment.events,
      );
    }
    return this;
  }

  #passTo(at: number): void {
    while (this.#wakeAt !== null && this.#wakeAt < at) this.#step(Math.max(1, this.#wakeAt), [], []);
  }

  #step(at: number, changed: readonly PointRef[], events: readonly CampusEvent[]): void {
    const now = begin + at;
    const [latest, openAlarms, modes] = [this.#latest, this.#alarms, this.#modes];
    const outcome = this.#engine.step({ now, monotonic: at, changed, latest, events, openAlarms, modes });
    this.steps++;
    // A wake-up at this very moment comes with the next millisecond, as a timer does.
    this.#wakeAt = outcome.wakeIn === null ? null : at + Math.max(1, outcome.wakeIn);
    const { decisions, journal, durable } = outcome;
    if (decisions.length + journal.length > 0) this.told.push({ at, decisions, journal, durable });
    for (const [key, state] of Object.entries(durable)) {
      if (state === null) this.#stored.delete(key);
      else this.#stored.set(key, state);
    }
    const newId = () => `alarm-${++this.#ids}` as CampusEvent['id'];
    const context = { now, newId, causesOf: () => [] };
    this.#alarms = applyAlarmDecisions(this.#alarms, decisions.filter(isAlarmDecision), context).open;
  }

  #acknowledge(at: number): void {
    const [first] = [...this.#alarms.values()].filter(({ state }) => state !== 'acknowledged');
    if (first === undefined) return;
    const seen = acknowledgeAlarm(first, { time: begin + at, by: 'person:guard', note: '' });
    const next = new Map(this.#alarms);
    if (seen.state === 'normal') next.delete(seen.source);
    else next.set(seen.source, seen);
    this.#alarms = next;
  }
}

const day = recordDay();

it('the same day gives the same bytes, twice', () => {
  const first = new Play().run(day);
  const again = new Play().run(day);
  const bytes = JSON.stringify(first.told);
  expect(JSON.stringify(again.told)).toBe(bytes);
  const fired = first.told.flatMap(({ journal }) => journal).filter(({ what }) => what === 'fired');
  expect(new Set(fired.map((line) => line.rule)).size, 'every rule fired').toBe(rules.length);
  expect(first.steps).toBeGreaterThan(day.length);
});

it('a process that starts again in the middle has said the same until then, and holds the same in the end', () => {
  const whole = new Play().run(day);
  const random = seeded(5);
  for (let i = 0; i < 6; i++) {
    const at = below(random, day.length);
    const split = new Play().run(day, at);
    // Timers, windows and latches that stood at that time may differ for as long as they last; before it nothing does.
    const until = day[at]?.at ?? 0;
    const before = (play: Play) => play.told.filter((told) => told.at < until);
    expect(JSON.stringify(before(split))).toBe(JSON.stringify(before(whole)));
    const holdsOf = (play: Play) => {
      const held = new Map<string, string>();
      for (const change of play.told.flatMap(({ decisions }) => decisions).filter(isHoldChange)) {
        const key = `${change.owner} ${change.ref}`;
        if (change.kind === 'hold') held.set(key, String(change.value));
        else held.delete(key);
      }
      return held;
    };
    expect(holdsOf(split), `split at ${at}`).toEqual(holdsOf(whole));
  }
});
