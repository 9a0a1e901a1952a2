import { beforeEach, expect, it } from 'vitest';
import type { EmergencyWish } from '#edge/processes/core/emergency-desk.ts';
import { watchRules } from '#edge/processes/core/emergency-rules.ts';
import type { OutsideClaim } from '#edge/rules/sound.ts';
import { strengthOf } from '#edge/rules/sound-habits.ts';
import { duty, EmergencyRoom, zones } from './emergency-room.ts';

/* Rules of life safety that hold loudspeakers, on a real desk of emergencies. */

const [teaching, gate] = zones;
const urgent = strengthOf({ priority: 1, rank: 0, value: 'siren' });

let room: EmergencyRoom;
let held: OutsideClaim[];
let listener: (claims: readonly OutsideClaim[]) => void;
let logged: object[];
let resets: string[];
let refusal: string | null;

beforeEach(() => {
  room = new EmergencyRoom();
  [held, logged, resets, refusal] = [[], [], [], null];
});

function claim(rule: string, zone: string, more: Partial<OutsideClaim> = {}): OutsideClaim {
  const output = `speaker-${zone}/clip` as OutsideClaim['output'];
  return {
    ...{ output, owner: `interlock:${rule}`, reason: 'smoke', since: 0, class: 'fire', strength: urgent },
    ...{ isSilence: false, ...more },
  };
}

function watch(refused: readonly string[] = []): void {
  const speakers = new Map(zones.map((zone) => [`speaker-${zone}/clip`, { zone }]));
  const watched = watchRules({
    broadcast: {
      ...{ claims: () => held, speakers: speakers as never },
      onClaims: (hear) => {
        listener = hear;
        return { [Symbol.dispose]: () => {} };
      },
    },
    reset: (rule) => {
      resets.push(rule);
      if (refusal === null) held = held.filter(({ owner }) => owner !== `interlock:${rule}`);
      return refusal;
    },
    log: { error: (line: object) => logged.push(line) } as never,
  });
  const { standing, resetRule } = watched.desk;
  room.rules = { standing, resetRule };
  const begin = (wish: EmergencyWish) => {
    if (wish.origin.kind === 'rule' && refused.includes(wish.origin.rule)) throw new Error('this one cannot');
    return room.desk.begin(wish);
  };
  watched.begin({
    begin,
    get open() {
      return room.desk.open;
    },
  });
}
const hear = () => listener(held);

it('begins one for a rule that sounds, in the zones of its loudspeakers, and only widens it after that', () => {
  watch();
  held = [claim('fire-lab', teaching)];
  hear();
  expect(room.desk.open).toMatchObject([{ kind: 'fire', zones: [teaching], origin: { rule: 'fire-lab' }, items: [] }]);
  const written = room.commits;
  for (let i = 0; i < 20; i++) hear();
  expect(room.commits).toBe(written);
  held = [claim('fire-lab', teaching), claim('fire-lab', gate)];
  hear();
  expect(room.desk.open).toMatchObject([{ zones: [teaching, gate] }]);
});

it('is written once where a second rule joins, and never again while nothing is new', () => {
  watch();
  held = [claim('fire-lab', teaching), claim('smoke-kitchen', gate)];
  hear();
  const [one] = room.desk.open;
  expect(one?.causes.map(({ by }) => by)).toEqual(['rule:fire-lab', 'rule:smoke-kitchen']);
  const written = room.commits;
  for (let i = 0; i < 20; i++) hear();
  expect([room.commits, room.desk.open]).toEqual([written, [one]]);
});

it('hears the others where one cannot begin, says so once, and that one again when it can', () => {
  const refused = ['fire-lab'];
  watch(refused);
  held = [claim('fire-lab', teaching), claim('quake-contact', gate)];
  for (let i = 0; i < 5; i++) hear();
  expect(room.desk.open.map(({ kind }) => kind)).toEqual(['earthquake']);
  expect(logged).toMatchObject([{ rule: 'fire-lab' }]);
  refused.length = 0;
  hear();
  expect(room.desk.open.map(({ kind }) => kind).toSorted()).toEqual(['earthquake', 'fire']);
});

it('hears no rule that is weaker or only keeps a loudspeaker quiet', () => {
  watch();
  const weaker = strengthOf({ priority: 5, rank: 0, value: 'siren' });
  held = [claim('fire-lab', teaching, { isSilence: true }), claim('fire-hall', gate, { strength: weaker })];
  hear();
  expect(room.desk.open).toEqual([]);
});

it('is over with the all clear, which resets every rule of it or says which one still stands', () => {
  watch();
  held = [claim('fire-lab', teaching), claim('smoke-kitchen', gate)];
  hear();
  const id = room.desk.open[0]?.id ?? '';
  refusal = 'the contact is still closed';
  expect(room.desk.clear(id, 'over', duty).cleared).toBe(false);
  refusal = null;
  expect(room.desk.clear(id, 'over', duty)).toEqual({ cleared: true, message: '' });
  expect(resets).toEqual(['fire-lab', 'smoke-kitchen', 'fire-lab', 'smoke-kitchen']);
  hear();
  expect(room.desk.open).toEqual([]);
});

it('lets go of the rule that could be reset where another still stands, and hears it anew', () => {
  watch();
  held = [claim('fire-lab', teaching), claim('panic.office', gate)];
  hear();
  room.desk.begin({
    ...{ kind: 'fire', drill: false, zones: [gate], why: 'x', origin: { kind: 'rule', rule: 'panic.office' } },
    ...{ by: 'rule:panic.office', from: 'core', sounds: false },
  });
  const { id } = room.desk.open.find(({ kind }) => kind === 'fire') ?? { id: '' };
  expect(room.desk.clear(id, 'over', duty)).toEqual({ cleared: false, message: 'end the one-key alarm first' });
  expect(room.one(id).causes.map(({ by }) => by)).toEqual(['rule:panic.office']);
  expect(room.audit.at(-1)).toBe(`crisis.clear ${id} refused`);
  held = [...held, claim('fire-lab', teaching)];
  hear();
  expect(room.one(id).causes.map(({ by }) => by)).toEqual(['rule:panic.office', 'rule:fire-lab']);
});

it('of a one-key alarm is not reset here: that ends on its own page', () => {
  watch();
  held = [claim('panic.office', teaching)];
  hear();
  const id = room.desk.open[0]?.id ?? '';
  expect(room.desk.clear(id, 'over', duty)).toEqual({ cleared: false, message: 'end the one-key alarm first' });
  expect(resets).toEqual([]);
  held = [];
  expect(room.desk.clear(id, 'over', duty).cleared).toBe(true);
});
