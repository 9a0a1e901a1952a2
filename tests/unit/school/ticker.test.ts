import { describe, expect, test } from 'vitest';
import type { ZoneId } from '#edge/domain/ids.ts';
import { type ItemClass, type LedgerOutcome, lateness, type Occurrence } from '#edge/domain/school.ts';
import { afterRestart, channelsOf, createTicker, type TickDecision, type TickerState } from '#edge/school/ticker.ts';
import type { ClockWord } from '#edge/school/ticker-trust.ts';

const eight = Date.UTC(2026, 10, 23, 8, 30);
const options = {
  builtAt: Date.UTC(2026, 10, 1),
  steadyFor: 300_000,
  holdOver: 3 * 86_400_000,
  dateOf: (time: number) => new Date(time).toISOString().slice(0, 10),
};
const name = { zh: '铃', en: 'bell' };

function bell(at: number, zones: readonly string[] = ['east'], one: Partial<Occurrence> = {}): Occurrence {
  const date = options.dateOf(at);
  const time = new Date(at).toISOString().slice(11, 19);
  const entry = one.entry ?? `bell-${zones.join('-')}`;
  return {
    ...{
      key: `${entry}@${date}T${time}`,
      entry,
      name,
      class: 'bell',
      layer: 'campus',
      at,
      date,
      why: [],
      silenced: null,
    },
    second: Math.floor((at % 86_400_000) / 1_000),
    do: { kind: 'sound', clip: 'bell', zones: [], seconds: 10 },
    zones: zones as readonly ZoneId[],
    ...one,
  };
}

/** A box with a clock, a plan, and a ledger that survives it. */
class Box {
  readonly ledger = new Map<string, LedgerOutcome>();
  readonly decisions: (TickDecision & { readonly wall: number })[] = [];
  readonly events: string[] = [];
  readonly plan: Occurrence[];
  says: ClockWord['says'] = 'synchronised';
  asOf = 0;
  wall: number;
  monotonic = 0;
  paused: string | null = null;
  saved: TickerState | null = null;
  #ticker = createTicker(options);

  constructor(wall: number, plan: readonly Occurrence[]) {
    this.wall = wall;
    this.plan = [...plan];
  }

  restart(state: TickerState | null = this.#ticker.state): void {
    this.monotonic = 0;
    this.asOf = 0;
    this.#ticker = createTicker(options, state);
  }

  look(): readonly TickDecision[] {
    const { decisions, events, paused } = this.#ticker.tick({
      ...{ wall: this.wall, monotonic: this.monotonic, word: { says: this.says, asOf: this.asOf } },
      occurrences: (date) => this.plan.filter((one) => one.date === date),
      ledgerHas: (key) => this.ledger.get(key) ?? null,
    });
    for (const one of decisions) {
      this.ledger.set(one.occurrence.key, one.outcome === 'begun' ? 'done' : one.outcome);
      this.decisions.push({ ...one, wall: this.wall });
    }
    this.events.push(...events.map(({ kind }) => kind));
    this.paused = paused;
    return decisions;
  }

  /** Time goes by, looked at every 250 ms; its source of time is asked every second. */
  run(ms: number): void {
    for (let gone = 0; gone < ms; gone += 250) {
      this.wall += 250;
      this.monotonic += 250;
      this.look();
      if (gone % 1_000 === 0) this.asOf = this.monotonic;
    }
  }

  get state() {
    return this.#ticker.state;
  }

  said(): readonly string[] {
    return this.decisions.map(({ occurrence, do: what, reason }) => `${occurrence.entry} ${what} ${reason}`);
  }
}

describe('the ticker', () => {
  test('rings a bell once, at its time', () => {
    const box = new Box(eight - 5_000, [bell(eight)]);
    box.run(60_000);
    expect(box.said()).toEqual(['bell-east act in-time']);
    expect(box.decisions[0]?.late).toBeLessThan(250);
  });

  test('a clock that jumps over a bell rings nothing and says what it missed', () => {
    const box = new Box(eight - 5_000, [bell(eight)]);
    box.run(2_000);
    box.wall += 360_000;
    box.run(10_000);
    expect(box.said()).toEqual(['bell-east skip clock-jumped']);
    expect(box.events).toEqual(['jumped', 'paused', 'resumed']);
  });

  test('a clock that is put back rings no bell twice', () => {
    const box = new Box(eight - 5_000, [bell(eight)]);
    box.run(10_000);
    box.wall -= 20_000;
    box.run(60_000);
    expect(box.said()).toEqual(['bell-east act in-time']);
  });

  test('an hour that was only wrong costs no bell: it is decided when the clock is right again', () => {
    const box = new Box(eight - 60_000, [bell(eight)]);
    box.run(1_000);
    box.says = 'unknown';
    box.wall += 3_600_000;
    box.run(30_000);
    expect(box.said()).toEqual([]);
    box.wall -= 3_600_000;
    box.says = 'synchronised';
    box.run(60_000);
    expect(box.said()).toEqual(['bell-east act in-time']);
  });

  test('a box that starts with a wrong year rings nothing, and is right when its clock is', () => {
    const wrong = Date.UTC(2020, 0, 1, 8, 30);
    const box = new Box(wrong - 5_000, [bell(wrong), bell(eight)]);
    box.run(10_000);
    expect(box.paused).toBe('start');
    box.wall = eight - 4_000;
    box.run(30_000);
    expect(box.said()).toEqual(['bell-east act in-time']);
  });

  test('a clock of which nobody says anything rings nothing; vouched for it rings after five steady minutes', () => {
    const box = new Box(eight - 400_000, [bell(eight - 200_000, ['west']), bell(eight)]);
    box.says = 'unknown';
    box.run(100_000);
    expect([box.paused, box.said()]).toEqual(['start', []]);
    box.says = 'vouched';
    box.run(350_000);
    expect(box.said()).toEqual(['bell-west skip clock-untrusted', 'bell-east act in-time']);
  });

  test('a short restart of a vouched clock costs no bell', () => {
    const box = new Box(eight - 400_000, [bell(eight)]);
    box.says = 'vouched';
    box.run(395_000);
    const state = box.state;
    box.wall += 8_000;
    box.restart(state);
    box.run(10_000);
    expect(box.said()).toEqual(['bell-east act in-time']);
  });

  test('after a stall only the newest bell of a place rings, and those that share one with it where it does not', () => {
    const plan = [
      bell(eight, ['east'], { entry: 'first' }),
      bell(eight + 4_000, ['east', 'west'], { entry: 'second' }),
      bell(eight + 8_000, ['east'], { entry: 'third' }),
      bell(eight - 60_000, ['north'], { entry: 'old' }),
    ];
    const box = new Box(eight - 90_000, plan);
    box.look();
    box.wall += 100_000;
    box.monotonic += 100_000;
    box.look();
    expect(box.said()).toEqual(['old skip too-late', 'first skip overtaken', 'second act late', 'third act in-time']);
    expect(box.decisions.map(({ only }) => only)).toEqual([null, null, ['zone:west'], null]);
  });

  test('a command of an examination is never given late: somebody is asked', () => {
    const box = new Box(eight - 5_000, [
      bell(eight, ['east'], { class: 'exam', do: { kind: 'show', command: 'start' } }),
    ]);
    box.run(1_000);
    box.wall += 8_000;
    box.monotonic += 8_000;
    box.run(1_000);
    expect(box.said()).toEqual(['bell-east ask exam-late']);
  });

  test('what is silenced is left out with its reason, and what a new release moves into the past is not owed', () => {
    const box = new Box(eight - 5_000, [bell(eight, ['east'], { silenced: { code: 'quiet' } })]);
    box.run(20_000);
    box.plan.push(bell(eight + 2_000, ['west']));
    box.run(20_000);
    expect(box.said()).toEqual(['bell-east skip silenced']);
  });

  test('what was planned while the box was off has a line each, for a week', () => {
    const plan = [0, 1, 8, 9].map((ago) => bell(eight - ago * 86_400_000));
    const box = new Box(eight + 3_600_000, plan);
    box.restart({ horizon: eight - 10 * 86_400_000 });
    box.run(1_000);
    expect(box.said()).toEqual(['bell-east skip too-late', 'bell-east skip too-late']);
    expect(box.events).toContain('unlisted');
  });

  test('many small steps within seconds are a jump; a clock that is slewed is not', () => {
    const box = new Box(eight, []);
    box.run(20_000);
    for (let i = 0; i < 20; i++) {
      box.wall += 15;
      box.run(250);
    }
    expect(box.events).toEqual([]);
    for (let i = 0; i < 10; i++) {
      box.wall += 300;
      box.run(250);
    }
    expect(box.events).toContain('jumped');
  });

  test('without a word about the clock for days it stops ringing, and rings on when there is one', () => {
    const box = new Box(eight, []);
    box.look();
    box.says = 'unknown';
    box.wall += 4 * 86_400_000;
    box.monotonic += 4 * 86_400_000;
    box.look();
    expect(box.paused).toBe('unsynchronised');
    box.says = 'synchronised';
    box.asOf = box.monotonic;
    box.look();
    expect(box.paused).toBeNull();
  });
});

describe('what had begun when core ended', () => {
  const line = (one: Occurrence) => ({
    ...{ key: one.key, entry: one.entry, class: one.class, planned: one.at, time: one.at, outcome: 'begun' as const },
    ...{ reason: 'in-time', message: '', release: 'r' },
  });

  test.each(Array.from({ length: 12 }, (_, second) => second))(
    'a bell is not repeated %i s after it began, and its line is closed',
    (second) => {
      const one = bell(eight);
      const now = { wall: eight + second * 1_000, isHeld: false };
      expect(afterRestart(line(one), one, now)).toMatchObject({ do: 'close', outcome: 'failed' });
      expect(afterRestart(line(one), one, { ...now, isHeld: true })).toMatchObject({ do: 'close', outcome: 'done' });
    },
  );

  test('an output is held for the rest of its time, and left alone afterwards', () => {
    const one = bell(eight, ['east'], { class: 'screen', do: { kind: 'hold', outputs: [], seconds: 60 } });
    expect(afterRestart(line(one), one, { wall: eight + 30_000, isHeld: false })).toMatchObject({ do: 'again' });
    expect(afterRestart(line(one), one, { wall: eight + 60_000, isHeld: false })).toMatchObject({ do: 'close' });
    expect(afterRestart(line(one), null, { wall: eight + 1_000, isHeld: false })).toMatchObject({ do: 'close' });
  });
});

describe('clock chaos', () => {
  const classes: readonly ItemClass[] = ['bell', 'bell', 'bell', 'exercise', 'programme', 'power', 'mode'];
  const places = [['east'], ['west'], ['east', 'west'], ['north']];

  test.each(Array.from({ length: 150 }, (_, seed) => seed))(
    'whatever happens to the clock each is done once or skipped with a reason, in time, and never in a burst (seed %i)',
    (seed) => {
      const random = randomOf(seed);
      const plan: Occurrence[] = [];
      for (let at = eight + 5_000; at < eight + 600_000; at += 1_000 * (1 + Math.floor(random() * 40))) {
        const zones = places[Math.floor(random() * places.length)] ?? [];
        const entry = `e${plan.length}`;
        plan.push(bell(at, zones, { entry, class: classes[Math.floor(random() * classes.length)] ?? 'bell' }));
      }
      const box = new Box(eight, plan);
      box.look();
      let offset = 0;
      let truth = eight;
      while (truth < eight + 600_000) {
        const ms = 250 * (1 + Math.floor(random() * 80));
        box.run(ms);
        truth += ms;
        const what = random();
        if (what < 0.15) offset += trouble(box, Math.round((random() - 0.5) * 600_000));
        else if (what < 0.25) offset += trouble(box, Math.round((random() - 0.5) * 3_600_000));
        else if (what < 0.3) offset += trouble(box, -box.wall + Date.UTC(2019, 0, 1));
        else if (what < 0.45) truth += sleep(box, Math.floor(random() * 60_000));
        else if (what < 0.6) truth += stall(box, Math.floor(random() * 40_000));
        else if (what < 0.7) {
          const gap = Math.floor(random() * 20_000);
          box.wall += gap;
          truth += gap;
          // What was kept may be a minute old.
          box.restart(random() < 0.5 || box.saved === null ? box.state : box.saved);
          if (offset !== 0) box.says = 'unknown';
        } else if (what < 0.8) box.saved = box.state;
        // Its source of time puts it right, most of the time.
        if (offset !== 0 && random() < 0.6) {
          box.wall -= offset;
          offset = 0;
          box.says = 'synchronised';
        }
      }
      box.wall -= offset;
      box.says = 'synchronised';
      box.run(4 * 3_600);
      const acts = box.decisions.filter((one) => one.do === 'act');
      expect(new Set(acts.map(({ occurrence }) => occurrence.key)).size).toBe(acts.length);
      for (const { occurrence, late } of acts) expect(late).toBeLessThanOrEqual(lateness[occurrence.class].most);
      for (const one of plan) {
        if (one.at <= truth) expect(box.ledger.get(one.key), `${one.key} has no line`).toBeDefined();
      }
      for (const together of Map.groupBy(acts, ({ wall }) => wall).values()) expectNoBurst(together);
    },
  );
});

/** Somebody, or something, sets the clock. */
function trouble(box: Box, by: number): number {
  box.wall += by;
  if (Math.abs(by) > 2_000) box.says = 'unknown';
  return by;
}

function sleep(box: Box, ms: number): number {
  box.wall += ms;
  return ms;
}

function stall(box: Box, ms: number): number {
  box.wall += ms;
  box.monotonic += ms;
  return ms;
}

/** Of one moment: each place hears, at most, what was planned for one time. */
function expectNoBurst(together: readonly TickDecision[]): void {
  const heard = new Map<string, number>();
  for (const { occurrence, only } of together) {
    for (const channel of only ?? channelsOf(occurrence)) {
      expect(heard.get(channel) ?? occurrence.at).toBe(occurrence.at);
      heard.set(channel, occurrence.at);
    }
  }
}

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed + 0x6d2b79f5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
