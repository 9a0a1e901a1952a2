import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPlay, port, relay } from './repair-campus.ts';

describe('the ladder', () => {
  test('climbs every step in order, each given its time, and calls a person at the end', () => {
    const play = createPlay();
    play.fail();
    play.run(300);
    expect(play.acts).toEqual([
      '30 reconnect',
      '60 hold switch-1/poe_3=false',
      '70 hold switch-1/poe_3=true',
      '160 relinquish switch-1/poe_3',
      '160 raise',
    ]);
    expect(play.story).toEqual([
      'probe done: its host answers',
      'reconnect done: it did not help within 30 s',
      'restart skipped: 1 of 4 devices of its driver fail: the driver is not to blame',
      'switch done: it did not come back within 90 s',
      'power skipped: no output carries its power that we know of',
      'person running: a person is called',
    ]);
    expect(play.record?.state).toBe('person');
    const alarm = play.done.at(-1)?.act;
    expect(alarm).toMatchObject({
      message: {
        zh: '一号摄像机自动修复未成功（已尝试：检测、重连、切换 PoE 端口）',
        en: 'Camera 1 could not be mended (tried: probe, reconnect, PoE port off and on)',
      },
    });
    expect(alarm).toHaveProperty('reason', expect.stringContaining('switch 100 s ago: it did not come back'));
  });

  test('stops where the device comes back, gives power free and says how long it took', () => {
    const play = createPlay();
    play.fail();
    play.run(100, () => play.seconds === 75 && play.mend());
    expect(play.acts.slice(-1)).toEqual(['85 relinquish switch-1/poe_3']);
    expect(play.story.slice(3)).toEqual([
      'switch done: it works again after 25 s',
      'power skipped: not needed',
      'person skipped: not needed',
    ]);
    expect(play.record).toMatchObject({ state: 'healed' });
    play.run(86_500);
    expect(play.record).toBeNull();
  });

  test('a device that is away for a moment is left alone', () => {
    const play = createPlay();
    play.fail();
    play.run(29);
    play.mend();
    play.run(100);
    expect(play.acts).toEqual([]);
  });

  test('who does not answer a probe is not reconnected: its power is next', () => {
    const play = createPlay();
    play.world.reachable = false;
    play.fail();
    play.run(35);
    expect(play.story.slice(0, 3)).toEqual([
      'probe done: its host does not answer',
      'reconnect skipped: its host does not answer',
      'restart skipped: its host does not answer',
    ]);
    expect(play.acts).toEqual(['30 hold switch-1/poe_3=false']);
  });

  test('a driver most of whose devices fail is restarted, once in half an hour', () => {
    const play = createPlay({ port: null });
    play.world.ill = 3;
    play.fail();
    play.run(200);
    expect(play.acts.map((act) => act.split(' ')[1])).toEqual(['reconnect', 'restart', 'raise']);
    play.mend();
    play.run(20);
    play.fail();
    play.run(200);
    expect(play.story[2]).toMatch(/^restart skipped: its driver was restarted \d+ min ago|^restart skipped: .* s ago/);
  });

  test.each([
    [{ spared: 'its power is never cut: the site file says so' }, {}, 'the site file says so'],
    [{}, { others: 4 }, '4 devices that work have their power from switch-1/poe_3 too'],
    [{}, { holder: 'request:web' }, 'request:web holds switch-1/poe_3'],
    [{ perDay: 0 }, {}, 'its power was cut 0 times within a day already'],
  ])('its power is not cut, and it is said why (%#)', (given, world, why) => {
    const play = createPlay(given);
    Object.assign(play.world, world);
    play.fail();
    play.run(200);
    expect(play.acts.filter((act) => act.includes('hold'))).toEqual([]);
    expect(play.story[3]).toContain(why);
    expect(play.record?.state).toBe('person');
  });

  test('nothing is switched or restarted while people are led out; power that is off comes back at once', () => {
    const waiting = createPlay();
    waiting.world.emergency = 'the alarm of fire stands';
    waiting.fail();
    waiting.run(600);
    expect(waiting.acts).toEqual([]);
    expect(waiting.story[1]).toBe('reconnect next: waits: the alarm of fire stands');
    waiting.world.emergency = null;
    waiting.run(2);
    expect(waiting.acts).toEqual(['601 reconnect']);

    const off = createPlay();
    off.fail();
    off.run(63);
    expect(off.held.get(port)).toBe(false);
    off.world.emergency = 'the alarm of fire stands';
    off.run(1);
    expect(off.held.get(port)).toBe(true);
  });

  test('goes on where it was after a restart, and with a clock that jumped', () => {
    const play = createPlay();
    play.fail();
    play.run(65);
    play.forgetNothing();
    play.jump(-3_600_000);
    play.run(10);
    expect(play.held.get(port)).toBe(false);
    play.run(2);
    expect(play.held.get(port)).toBe(true);
  });

  test('a switch that does not obey is given power back all the same, and it is said', () => {
    const play = createPlay();
    play.world.obeys = false;
    play.fail();
    play.run(300);
    expect(play.story[3]).toBe('switch done: switch-1/poe_3 was not seen to go off');
    expect(play.held.size).toBe(0);
  });

  test('PoE port first, then the relay, when it has both', () => {
    const play = createPlay({ power: relay });
    play.fail();
    play.run(400);
    const holds = play.acts.filter((act) => act.includes('=false'));
    expect(holds).toEqual(['60 hold switch-1/poe_3=false', '160 hold relay-1/relay_2=false']);
  });

  test('who flaps is waited for longer, and in the end is a person’s', () => {
    const play = createPlay();
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      play.fail();
      const began = play.seconds;
      const before = play.done.length;
      play.run(600, () => play.done.length > before && play.mend());
      waits.push((play.done[before]?.at ?? 0) / 1_000 - began);
      play.mend();
      play.run(30);
    }
    expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
    expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);
    expect(play.acts.at(-2)).toContain('raise');
    expect(play.story[0]).toBe('probe skipped: it was mended 3 times within hours and failed again');
  });
});

describe('a person', () => {
  test('starts any step at once, also on a device that seems well', () => {
    const play = createPlay();
    expect(play.byHand('switch')).toBeNull();
    expect(play.held.get(port)).toBe(false);
    play.run(60);
    expect(play.record?.state).toBe('healed');
    expect(play.held.size).toBe(0);
    expect(play.story[0]).toBe('probe skipped: passed over: a person began with switch');
  });

  test('takes a device back from the end of the ladder, and the alarm with it', () => {
    const play = createPlay();
    play.fail();
    play.run(300);
    expect(play.byHand('switch')).toBeNull();
    expect(play.acts.slice(-2).map((act) => act.split(' ')[1])).toEqual(['return', 'hold']);
    expect(play.record?.state).toBe('working');
  });

  test.each([
    ['power', {}, {}, 'no output carries its power that we know of'],
    ['switch', { spared: 'it carries the way out' }, {}, 'it carries the way out'],
    ['switch', {}, { emergency: 'the alarm of fire stands' }, 'the alarm of fire stands'],
    ['reconnect', { process: null }, {}, 'it has no driver: it speaks for itself'],
    ['switch', {}, { others: 2 }, '2 devices that work have their power from switch-1/poe_3 too'],
  ] as const)('is told why %s cannot be', (step, given, world, why) => {
    const play = createPlay(given);
    Object.assign(play.world, world);
    expect(play.byHand(step)).toBe(why);
    expect(play.acts).toEqual([]);
  });

  test('is refused while power is off', () => {
    const play = createPlay();
    play.byHand('switch');
    expect(play.byHand('reconnect')).toBe('it is being power-cycled just now');
  });

  test('is the only one who acts where the site file says so', () => {
    const play = createPlay({ automatic: false });
    play.fail();
    play.run(1_000);
    expect(play.record).toBeNull();
    expect(play.byHand('reconnect')).toBeNull();
    play.run(200);
    expect(play.acts.map((act) => act.split(' ')[1])).toEqual(['reconnect', 'raise']);
  });
});

test('whatever happens, power is never left off, never cut when it must not be, and steps go in order', () => {
  const event = fc.constantFrom(
    'fail',
    'mend',
    'unknown',
    'fire',
    'calm',
    'deaf',
    'heard',
    'gone',
    'here',
    'others',
    'alone',
  );
  const turn = fc.record({
    event,
    seconds: fc.integer({ min: 1, max: 120 }),
    restart: fc.boolean(),
    jump: fc.integer({ min: -5, max: 5 }),
  });
  const script = fc.array(turn, { minLength: 1, maxLength: 25 });
  fc.assert(
    fc.property(script, fc.boolean(), fc.boolean(), (turns, hasRelay, spared) => {
      const play = createPlay({ power: hasRelay ? relay : null, spared: spared ? 'never' : null });
      const { world } = play;
      const happen: Record<string, () => void> = {
        fail: () => play.fail(),
        mend: () => play.mend(),
        unknown: () => Object.assign(world, { health: 'unknown' }),
        fire: () => Object.assign(world, { emergency: 'fire' }),
        calm: () => Object.assign(world, { emergency: null }),
        deaf: () => Object.assign(world, { reachable: false, obeys: false }),
        heard: () => Object.assign(world, { reachable: true, obeys: true }),
        gone: () => Object.assign(world, { running: false }),
        here: () => Object.assign(world, { running: true }),
        others: () => Object.assign(world, { others: 3 }),
        alone: () => Object.assign(world, { others: 0 }),
      };
      let offFor = 0;
      for (const { event: what, seconds, restart, jump } of turns) {
        happen[what]?.();
        if (restart) play.forgetNothing();
        play.jump(jump * 1_000);
        for (let second = 0; second < seconds; second++) {
          const before = play.done.length;
          play.run(1);
          const acts = play.done.slice(before).map(({ act }) => act);
          const off = [...play.held].filter(([, on]) => !on);
          const cuts = acts.filter((act) => act.kind === 'hold' && !act.value);
          // One output at a time, for as long as its time and no longer.
          expect(off.length).toBeLessThanOrEqual(1);
          offFor = off.length === 0 ? 0 : offFor + 1;
          expect(offFor).toBeLessThanOrEqual(10 + 15 + 6);
          if (world.emergency !== null) expect(off).toEqual([]);
          if (cuts.length > 0)
            expect([spared, world.emergency, world.others, world.health]).toEqual([false, null, 0, 'ill']);
          // What it holds is what its record knows, so that a restart finds it.
          const { record } = play;
          expect([...play.held.keys()]).toEqual(record?.phase?.ref ? [record.phase.ref] : []);
          if (record !== null) {
            expect(record.steps.filter(({ state }) => state === 'running').length).toBeLessThanOrEqual(1);
            const states = record.steps.map(({ state }) => (state === 'next' ? 2 : state === 'running' ? 1 : 0));
            expect(states).toEqual(states.toSorted((a, b) => a - b));
            expect(record.cuts.length).toBeLessThanOrEqual(6);
          }
        }
      }
      const total = play.done.filter(({ act }) => act.kind === 'hold' && !act.value).length;
      expect(total).toBeLessThanOrEqual(3);
    }),
    { numRuns: 150 },
  );
});
