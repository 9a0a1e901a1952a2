import { expect, it } from 'vitest';
import { type BroadcastItem, type SoundClass, type SoundSource, soundClasses } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Priority } from '#edge/domain/output.ts';
import type { LevelCap, OutsideClaim, QuietRooms } from '#edge/rules/sound.ts';
import { claimOf } from '#edge/rules/sound-habits.ts';
import { below, pick, seeded } from './random.ts';
import { drillWord, Hall, idOf, room, tenOClock } from './sound-hall.ts';
import { Ledger } from './sound-ledger.ts';
import { Model } from './sound-model.ts';

const classes: [SoundClass, ...SoundClass[]] = ['fire', ...soundClasses.slice(1)] as [SoundClass, ...SoundClass[]];
const limits = { mostItems: 14, mostOnOutput: 5, sameWithin: 30_000, drill: drillWord };
const steps = 120;

const sources: [SoundSource, ...SoundSource[]] = [
  { kind: 'clips', clips: ['one'], loop: false },
  { kind: 'clips', clips: ['siren', 'two'], loop: true },
  { kind: 'clips', clips: ['three', 'siren', 'four'], loop: false },
  { kind: 'live', session: 'mic' },
];

/** One random life of a school's loudspeakers, in the arbiter, in the model and in the ledger. */
class Life {
  readonly random;
  readonly outputs: [PointRef, ...PointRef[]];
  readonly model: Model;
  readonly ledger = new Ledger();
  hall: Hall;
  quiet: QuietRooms[] = [];
  caps: LevelCap[] = [];
  claims: OutsideClaim[] = [];
  classLevels: Partial<Record<SoundClass, number>> = {};
  ids = 1;
  told = 0;
  restarts = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
    const count = 1 + below(this.random, 4);
    this.outputs = [room(1), ...Array.from({ length: count - 1 }, (_, i) => room(i + 2))];
    this.hall = new Hall(
      { mostItems: limits.mostItems, mostOnOutput: limits.mostOnOutput },
      { now: tenOClock, monotonic: 0 },
    );
    this.model = new Model(0, tenOClock, limits);
  }

  some(): PointRef[] {
    const found = this.outputs.filter(() => this.random() < 0.6);
    return found.length === 0 ? [pick(this.random, this.outputs)] : found;
  }

  get wall(): number {
    return this.hall.time.now;
  }

  seconds(most: number): number {
    return 1_000 * below(this.random, most);
  }

  item(): BroadcastItem {
    const { random } = this;
    const old = random() < 0.1 ? idOf(1 + below(random, this.ids)) : null;
    const later = (most: number, share: number) => (random() < share ? this.wall + this.seconds(most) : null);
    return this.hall.item({
      id: old ?? idOf(this.ids++),
      class: pick(random, classes),
      source: pick(random, sources),
      outputs: this.some(),
      length: random() < 0.25 ? null : 1_000 + this.seconds(90),
      patience: later(30, 0.4),
      until: later(200, 0.3),
      interruption: pick(random, ['resume', 'restart', 'drop']),
      drill: random() < 0.2,
      by: pick(random, ['person:a', 'schedule:b']),
      ...(random() < 0.3 && { level: below(random, 101) }),
    });
  }

  window(): { from: number; until: number | null; outputs: PointRef[] } {
    const from = this.wall - 10_000 + this.seconds(40);
    return { from, until: this.random() < 0.2 ? null : from + this.seconds(60), outputs: this.some() };
  }

  act(): string {
    const { random } = this;
    const draw = random();
    if (draw < 0.45) return this.put();
    if (draw < 0.6) return this.stop();
    if (draw < 0.62) return this.allClear();
    if (draw < 0.72) return this.say(() => this.makeClaims());
    if (draw < 0.82) return this.say(() => this.makeQuiet());
    if (draw < 0.9) return this.say(() => this.makeLevels());
    if (draw < 0.93) return this.setClock();
    if (draw < 0.96) return this.restart();
    return 'nothing';
  }

  put(): string {
    const item = this.item();
    const answer = this.hall.arbiter.put(item, this.hall.time);
    const expected = this.model.put(item);
    const { refusal } = answer;
    if (answer.outcome === 'taken') this.ledger.took(item);
    const of = refusal?.code === 'duplicate' ? ` ${refusal.of}` : '';
    const said =
      refusal === null
        ? `${answer.outcome} ${answer.item} ${answer.refusedOn.join(' ')}`.trim()
        : `refused ${refusal.code}${of}`;
    expect(said).toBe(expected);
    return `put ${item.class} ${said}`;
  }

  stop(): string {
    const id =
      this.random() < 0.7
        ? pick(this.random, [idOf(1), ...this.model.items.flatMap(({ askers }) => askers as HappeningId[])])
        : idOf(1 + below(this.random, this.ids));
    const outputs = this.random() < 0.25 ? this.some() : undefined;
    const said = { by: 'person:duty', why: 'enough', ...(outputs !== undefined && { outputs }) };
    const { outcome, item } = this.hall.arbiter.stop(id, said, this.hall.time);
    expect(outcome).toBe(this.model.stop(id, outputs));
    if (outcome === 'stopped' && item !== null) this.ledger.mayEnd(item);
    return `stop ${id}`;
  }

  allClear(): string {
    this.hall.arbiter.allClear({ by: 'person:head', why: 'over' }, this.hall.time);
    this.model.allClear();
    this.ledger.isAllClear = true;
    return 'all clear';
  }

  say(change: () => void): string {
    change();
    this.tell();
    return change.toString();
  }

  makeClaims(): void {
    const { random } = this;
    this.claims = this.outputs
      .filter(() => random() < 0.25)
      .flatMap((ref) => {
        const claim = { ref, owner: 'interlock:x', reason: 'r', since: this.wall, until: null };
        const ranked = random() < 0.5 ? {} : { rank: below(random, 10) };
        const priority = pick<Priority>(random, [1, 1, 5, 8, 12, 15]);
        return claimOf({ ...claim, priority, value: random() < 0.2 ? '' : 'evacuate', ...ranked });
      });
  }

  makeQuiet(): void {
    this.quiet = Array.from({ length: below(this.random, 3) }, (_, i) => ({
      id: `quiet-${i}`,
      kind: pick(this.random, ['exam', 'recording']),
      reason: 'quiet',
      ...this.window(),
    }));
  }

  makeLevels(): void {
    this.caps = Array.from({ length: below(this.random, 3) }, (_, i) => ({
      id: `cap-${i}`,
      most: below(this.random, 101),
      reason: 'night',
      ...this.window(),
    }));
    this.classLevels = this.random() < 0.5 ? {} : { [pick(this.random, classes)]: below(this.random, 101) };
  }

  tell(): void {
    const { arbiter, time } = this.hall;
    arbiter.outside(this.claims, time);
    arbiter.quiet(this.quiet, time);
    arbiter.levels({ classes: this.classLevels, places: new Map(), caps: this.caps }, time);
    this.model.claims = this.claims.map(({ output, strength = 0 }) => ({ output, strength }));
    this.model.quiet = this.quiet.map((window) => ({ ...window, most: 0 }));
    this.model.caps = this.caps;
    this.model.classLevels = this.classLevels;
  }

  setClock(): string {
    const ms = (this.random() < 0.5 ? -1 : 1) * (1_000 + this.seconds(4_000));
    this.hall.time = { ...this.hall.time, now: this.hall.time.now + ms };
    this.model.setClock(ms);
    return `clock ${ms}`;
  }

  restart(): string {
    const away = this.seconds(30);
    this.restarts++;
    this.hall = this.hall.reborn(away, { monotonic: below(this.random, 1_000) });
    this.told = 0;
    this.model.reborn(away);
    this.tell();
    return `restart after ${away}`;
  }

  compare(): void {
    this.hall.step();
    this.model.step();
    const happenings = this.hall.happenings.slice(this.told);
    this.told = this.hall.happenings.length;
    const said = happenings.flatMap(({ kind, reason, item, outputs }) =>
      outputs.map((output) => `${kind} ${reason} ${item} ${output}`),
    );
    const expected = this.model.log.sort();
    if (said.sort().join() !== expected.join()) expect(said).toEqual(expected);
    this.model.log = [];
    const orders = [...this.hall.arbiter.orders()].map(([ref, { text }]) => `${ref} ${text}`).sort();
    const wanted = [...this.model.orders()].map(([ref, text]) => `${ref} ${text}`).sort();
    if (orders.join() !== wanted.join()) expect(orders).toEqual(wanted);
    this.ledger.enter(happenings);
    this.ledger.check(this);
  }

  pass(): void {
    const end = this.hall.time.monotonic + this.seconds(15);
    for (;;) {
      const next = this.hall.arbiter.next();
      if (next === null || next > end) break;
      this.to(next);
    }
    this.to(end);
  }

  to(monotonic: number): void {
    const { time } = this.hall;
    const ms = Math.max(0, monotonic - time.monotonic);
    this.hall.time = { now: time.now + ms, monotonic: time.monotonic + ms };
    this.model.time += ms;
    this.compare();
  }
}

const seeds = 400;

it(`says what the plain model says, and keeps its promises, in ${seeds} random lives`, { timeout: 120_000 }, () => {
  const seen = { happenings: 0, preempted: 0, restarts: 0, kinds: new Set<string>() };
  for (let seed = 1; seed <= seeds; seed++) {
    const life = new Life(seed);
    const acts: string[] = [];
    try {
      for (let i = 0; i < steps; i++) {
        acts.push(life.act());
        life.compare();
        if (life.random() < 0.6) life.pass();
      }
      life.ledger.close(life);
    } catch (error) {
      throw new Error(`seed ${seed} after ${acts.length} acts: ${acts.slice(-6).join(' | ')}`, { cause: error });
    }
    seen.happenings += life.ledger.entries;
    seen.preempted += life.ledger.preempted;
    seen.restarts += life.restarts;
    for (const kind of life.ledger.kinds) seen.kinds.add(kind);
  }
  console.info(
    `${seeds} lives, ${seen.happenings} happenings, ${seen.preempted} pre-emptions, ${seen.restarts} restarts`,
  );
  expect(seen.happenings).toBeGreaterThan(seeds * 100);
  expect(seen.preempted).toBeGreaterThan(seeds * 10);
  expect(seen.restarts).toBeGreaterThan(seeds);
  // Every kind and reason there is has come up.
  expect([...seen.kinds].sort()).toEqual(
    [
      ...['queued stronger', 'queued quiet', 'begun turn', 'begun in-step', 'preempted stronger', 'preempted quiet'],
      ...['resumed turn', 'resumed in-step', 'restarted turn', 'ended length', 'ended while-away', 'expired until'],
      ...[
        'expired patience',
        'expired while-away',
        'expired over-elsewhere',
        'dropped over-elsewhere',
        'dropped not-again',
      ],
      ...['dropped too-much-lost', 'dropped displaced', 'dropped queue-full', 'dropped quiet'],
      ...['stopped asked', 'stopped all-clear'],
    ].sort(),
  );
});
