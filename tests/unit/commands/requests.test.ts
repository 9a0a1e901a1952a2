import { describe, expect, it } from 'vitest';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { Desk, holdOf, never, someId, started } from './desk.ts';

describe('a request', () => {
  it('becomes a hold and a command, and is answered when it is on disk', async () => {
    const desk = new Desk();
    const result = await desk.ask('relay-1/relay_1', false);
    expect(result).toMatchObject({ accepted: true, outcome: 'holding' });
    expect(desk.sent).toEqual([
      {
        topic: 'v1/command/fieldbus',
        command: expect.objectContaining({
          device: 'relay-1',
          point: 'relay_1',
          value: false,
          priority: 12,
          issued: started,
          expires: started + 5_000,
          until: started + 600_000,
        }),
      },
    ]);
    const batch = desk.batches.find((one) => one.requests !== undefined);
    expect(batch).toMatchObject({
      requests: [{ request: { client: 'flows' }, result }],
      holds: [{ ref: 'relay-1/relay_1', holds: [{ owner: 'request:flows', value: false }] }],
      audit: [{ who: 'client:flows', from: 'flows', why: 'room 101 is empty' }],
    });
    expect(desk.state('relay-1/relay_1')).toMatchObject({ value: false, holder: 'request:flows', priority: 12 });
  });

  it('is neither acted on nor answered before the record is made', async () => {
    let recorded = () => {};
    const desk = new Desk({ append: () => new Promise<void>((resolve) => (recorded = resolve)) });
    let answered = false;
    const asked = desk.ask('relay-1/relay_1', true).then(() => (answered = true));
    await desk.settle();
    expect([answered, desk.take()]).toEqual([false, []]);
    recorded();
    await asked;
    expect(desk.take()).toEqual(['relay-1/relay_1=true']);
  });

  it('that cannot be recorded is refused and leaves nothing behind, on the output or on disk', async () => {
    const desk = new Desk();
    desk.append = () => Promise.reject(new Error('disk full'));
    const result = await desk.ask('relay-1/relay_1', true);
    expect(result).toMatchObject({ accepted: false, outcome: 'not-recorded' });
    expect(result.message).toContain('disk full');
    expect(desk.take()).toEqual([]);
    desk.append = () => Promise.resolve();
    await desk.pass(2_000);
    expect(desk.onDisk('relay-1/relay_1')).toEqual([]);
    expect(desk.audit().at(-1)).toContain('not-recorded');
  });

  it.each([
    ['lamp-1/power', true, {}, 'unknown-point'],
    ['ac-1/temperature', 20, {}, 'unknown-point'],
    ['speaker-gate/clip', 'bell', {}, 'forbidden-point'],
    ['relay-1/relay_1', true, { client: 'stranger' }, 'forbidden-point'],
    ['relay-1/relay_1', true, { priority: 8 }, 'forbidden-priority'],
    ['relay-1/relay_1', true, { priority: 1 }, 'forbidden-priority'],
    ['relay-1/relay_1', true, { client: 'web', priority: 5 }, 'forbidden-priority'],
    ['relay-1/relay_1', true, { client: 'web', priority: 12 }, 'forbidden-priority'],
    ['relay-1/relay_1', 1, {}, 'bad-request'],
    ['relay-1/relay_1', true, { seconds: 0 }, 'bad-request'],
    ['relay-1/relay_1', true, { seconds: 86_401 }, 'bad-request'],
    ['relay-1/relay_1', true, { seconds: Number.NaN }, 'bad-request'],
    ['relay-1/relay_1', true, { reason: ' ' }, 'bad-request'],
    ['ac-1/setpoint', 15.5, {}, 'out-of-range'],
    ['ac-1/setpoint', 30.5, {}, 'out-of-range'],
    ['ac-1/setpoint', 20.3, {}, 'out-of-range'],
    ['ac-1/setpoint', Number.POSITIVE_INFINITY, {}, 'out-of-range'],
  ] as const)('for %s=%s with %o is refused as such, and recorded', async (point, value, more, outcome) => {
    const desk = new Desk();
    const result = await desk.ask(point, value, more);
    expect(result).toMatchObject({ accepted: false, outcome });
    expect(desk.take()).toEqual([]);
    expect(desk.batches.at(-1)?.requests?.[0]?.result).toEqual(result);
  });

  it('takes every step of a set point, whatever binary fractions make of it', async () => {
    const desk = new Desk();
    for (let value = 16; value <= 30; value += 0.5) {
      expect((await desk.ask('ac-1/setpoint', value)).outcome, String(value)).toBe('holding');
    }
  });

  it('waits below a stronger hold, says whose, and takes over when that goes', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_1', true, { client: 'web', seconds: 60 });
    desk.answer('done', { value: true });
    desk.take();
    const result = await desk.ask('relay-1/relay_1', false);
    expect(result).toMatchObject({ accepted: true, outcome: 'waiting' });
    expect(result.message).toContain('request:web holds it at true, priority 8');
    expect(desk.take()).toEqual([]);
    expect(desk.state('relay-1/relay_1').stack.map((hold) => hold.owner)).toEqual(['request:web', 'request:flows']);
    await desk.pass(60_000);
    expect(desk.take()).toEqual(['relay-1/relay_1=false']);
    expect(desk.state('relay-1/relay_1')).toMatchObject({ holder: 'request:flows', until: started + 600_000 });
    expect(desk.onDisk('relay-1/relay_1')?.map((hold) => hold.owner)).toEqual(['request:flows']);
  });

  it('refreshes its hold without a new command until the driver must hear of the longer time', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_1', true, { seconds: 60 });
    desk.answer('done', { value: true });
    desk.take();
    await desk.pass(30_000);
    expect(await desk.ask('relay-1/relay_1', true, { seconds: 60 })).toMatchObject({ outcome: 'holding' });
    expect(desk.state('relay-1/relay_1').until).toBe(started + 90_000);
    expect(desk.take()).toEqual([]);
    await desk.pass(20_000);
    expect(desk.last.until).toBe(started + 90_000);
    expect(desk.take()).toHaveLength(1);
  });

  it('relinquishes by null: acts first, falls to the fail-safe value, and is recorded', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_2', true);
    desk.answer('done', { value: true });
    desk.take();
    desk.order.length = 0;
    const result = await desk.ask('relay-1/relay_2', null);
    expect(result).toMatchObject({ accepted: true, outcome: 'relinquished' });
    expect(desk.take()).toEqual(['relay-1/relay_2=false']);
    expect(desk.order[0]).toBe('publish v1/command/fieldbus');
    expect(desk.onDisk('relay-1/relay_2')).toEqual([]);
    expect(desk.state('relay-1/relay_2')).toMatchObject({ value: false, holder: null, priority: null });
  });

  it('let go on an output that keeps sends nothing, and says so', async () => {
    const desk = new Desk();
    await desk.ask('relay-1/relay_1', true);
    desk.take();
    await desk.ask('relay-1/relay_1', null);
    expect(desk.take()).toEqual([]);
    expect(desk.state('relay-1/relay_1')).toMatchObject({
      value: null,
      reason: 'nobody holds it: it keeps what it has',
    });
  });

  it('sent twice with the same id (QoS 1) is done once and answered alike; another client cannot find it', async () => {
    const desk = new Desk();
    const id = someId('018f0000-0000-7000-8000-000000000001');
    const [first, second] = await Promise.all([
      desk.ask('relay-1/relay_1', true, { id }),
      desk.ask('relay-1/relay_1', true, { id }),
    ]);
    expect(second).toBe(first);
    expect(desk.batches.filter((batch) => batch.requests !== undefined)).toHaveLength(1);
    expect((await desk.ask('relay-1/relay_1', true, { id, client: 'stranger' })).accepted).toBe(false);
  });

  it('keeps its place among those of one output, and no more than 32 of them wait', async () => {
    const desk = new Desk();
    const release: (() => void)[] = [];
    desk.append = () => new Promise<void>((resolve) => void release.push(resolve));
    const asked = Array.from({ length: 40 }, (_, i) => desk.ask('ac-1/setpoint', 16 + (i % 20) / 2));
    let done = false;
    const all = Promise.all(asked).finally(() => (done = true));
    while (!done) {
      for (const resolve of release.splice(0)) resolve();
      await desk.settle();
    }
    const outcomes = (await all).map((result) => result.outcome);
    expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(8);
    expect(outcomes.slice(0, 32)).toEqual(Array(32).fill('holding'));
    expect(desk.last.value).toBe(16 + (31 % 20) / 2);
  });

  it('of a client that floods is turned away without a line for each, and others are heard', async () => {
    const desk = new Desk();
    const asked = await Promise.all(Array.from({ length: 10_000 }, () => desk.ask('lamp-9/nothing', true)));
    const outcomes = asked.map(({ outcome }) => outcome);
    expect(outcomes.slice(0, 200)).toEqual(Array(200).fill('unknown-point'));
    expect(outcomes.slice(200)).toEqual(Array(9_800).fill('busy'));
    expect(desk.batches.flatMap(({ requests = [] }) => requests)).toHaveLength(200);
    expect(desk.audit().filter((line) => line.includes('turned away'))).toHaveLength(1);
    expect(await desk.ask('relay-1/relay_1', true, { client: 'web' })).toMatchObject({ outcome: 'holding' });

    const id = newHappeningId(desk.clock);
    expect(await desk.ask('relay-1/relay_2', true, { id })).toMatchObject({ outcome: 'busy' });
    await desk.pass(1_000);
    expect(await desk.ask('relay-1/relay_2', true, { id })).toMatchObject({ outcome: 'holding' });
  });

  it('is refused after 10 s when the disk hangs, and at once while it still does', async () => {
    const desk = new Desk({ append: never });
    desk.interlock(holdOf('relay-1/relay_1', false));
    await desk.pass(11_000);
    const result = await desk.ask('relay-1/relay_2', true);
    expect(result).toMatchObject({ accepted: false, outcome: 'not-recorded' });
    expect(desk.unrecorded[0]?.error).toContain('has not answered for 10000 ms');
  });
});
