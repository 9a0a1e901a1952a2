import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noticeTopic } from '#edge/bus/topics.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Notice } from '#edge/domain/notice.ts';
import { Escalation, recentNotices } from '#edge/processes/core/escalation.ts';
import { acknowledgeAlarm, type OpenAlarms } from '#edge/rules/alarm-machine.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { notifySchema } from '#edge/runtime/site-notify.ts';
import type { Batch } from '#edge/store/batch.ts';
import { openReader } from '#edge/store/reader.ts';
import { openStore, type Store } from '#edge/store/store.ts';
import { retention, start } from '../../fixtures/store/site.ts';
import { startSafetyCore, temporaryData, until } from '../../system/safety-core.ts';

const named = (text: string) => ({ zh: text, en: text });
const minute = 60_000;

const notify = notifySchema.parse({
  channels: [
    { id: 'mail', name: named('mail'), kind: 'email', host: '127.0.0.1', tls: 'none', from: 'campus@example.com' },
    { id: 'guards', name: named('guards'), kind: 'wecom', urlFile: 'guards.url' },
  ],
  recipients: [
    { id: 'chen', name: named('Chen'), groups: ['night'], email: 'chen@example.com' },
    { id: 'zhou', name: named('Zhou'), groups: ['night', 'heads'], email: 'zhou@example.com' },
  ],
  ladders: [
    {
      id: 'all',
      name: named('all'),
      classes: ['critical', 'high'],
      steps: [{ to: ['guards'] }, { after: '1s', to: ['night@mail'] }, { after: '10min', to: ['heads'] }],
    },
  ],
});

describe('what core queues for people outside the console', () => {
  let data: ReturnType<typeof temporaryData>;
  let clock: ManualClock;
  let store: Store;
  let open: OpenAlarms;
  let hints: number;
  let escalation: Escalation;

  const alarm = (id: string, more: Partial<Alarm> = {}): Alarm => ({
    id: `00000000-0000-7000-8000-${id.padStart(12, '0')}` as HappeningId,
    source: `rule:r${id}`,
    class: 'high',
    state: 'unacknowledged',
    active: true,
    message: named(`alarm ${id}`),
    next: named('look'),
    raised: clock.now(),
    count: 1,
    ...more,
  });
  const put = (one: Alarm) => {
    open = new Map([...open, [one.source, one]]);
    return store.append({ alarms: [one] });
  };
  const written: Promise<void>[] = [];
  const begin = () => {
    using reader = openReader(data.path, clock);
    escalation = new Escalation({
      notify,
      calendar: createCalendar({ weekly: [], exceptions: [] }, 'Asia/Shanghai'),
      judgement: {
        get openAlarms() {
          return open;
        },
        escalate: (told) => {
          const changed = told.flatMap(({ source, escalation: step }) => {
            const one = open.get(source);
            return one === undefined || step === undefined ? [] : [{ ...one, escalation: step }];
          });
          open = new Map([...open, ...changed.map((one) => [one.source, one] as const)]);
          return changed;
        },
      },
      commit: (batch: Batch) => {
        const done = store.append(batch);
        written.push(done);
        return done;
      },
      bus: {
        publish: async (topic) => {
          if (topic === noticeTopic) hints++;
        },
      },
      recent: recentNotices((limit) => reader.notices({ limit }), clock.now()),
      clock,
      log: silentLog,
      every: 3_600_000,
    });
  };
  /** A turn of core, on disk. */
  const look = async (): Promise<readonly Notice[]> => {
    escalation.look();
    await Promise.all(written.splice(0));
    using reader = openReader(data.path, clock);
    return reader.notices({ limit: 100 });
  };
  const told = (notices: readonly Notice[]) =>
    notices.map(({ recipient, channel, step, state }) => `${recipient ?? ''}@${channel} ${step} ${state}`).sort();

  beforeEach(async () => {
    data = temporaryData();
    clock = new ManualClock(start);
    store = await openStore({ folder: data.path, clock, log: silentLog, retention });
    open = new Map();
    hints = 0;
    begin();
  });
  afterEach(async () => {
    escalation[Symbol.dispose]();
    await store[Symbol.asyncDispose]();
    data[Symbol.dispose]();
  });

  test('is on disk with how far the alarm has gone and who was told, and hinted at', async () => {
    await put(alarm('1'));
    expect(told(await look())).toEqual(['@guards 0 queued']);
    using reader = openReader(data.path, clock);
    expect(reader.alarms({ limit: 1 })[0]?.escalation).toEqual({
      ladder: 'all',
      step: 0,
      told: start,
      due: start + 1_000,
    });
    expect(reader.newestAudit(1)).toMatchObject([{ who: 'process:core', result: 'told guards' }]);
    expect(hints).toBe(1);
    expect(await look()).toHaveLength(1);
  });

  test('goes on where it was after core was killed, and ends when somebody has seen it', async () => {
    await put(alarm('1'));
    await look();
    escalation[Symbol.dispose]();
    using reader = openReader(data.path, clock);
    open = new Map(reader.alarms({ open: true, limit: 10 }).map((one) => [one.source, one]));
    clock.advance(5_000);
    begin();
    expect(told(await look())).toEqual(['@guards 0 queued', 'chen@mail 1 queued', 'zhou@mail 1 queued']);
    const seen = open.get('rule:r1');
    if (seen === undefined) throw new Error('it is open');
    await put(acknowledgeAlarm(seen, { time: clock.now(), by: 'chen', note: '' }));
    clock.advance(60 * minute);
    expect(await look()).toHaveLength(3);
  });

  test('gathers what comes within a minute also when core was killed meanwhile', async () => {
    await put(alarm('1', { group: 'leak' }));
    await look();
    clock.advance(500);
    await put(alarm('2', { group: 'leak' }));
    await look();
    escalation[Symbol.dispose]();
    begin();
    await put(alarm('3', { group: 'leak' }));
    const notices = await look();
    const waiting = notices.filter(({ notBefore, state }) => notBefore > clock.now() && state === 'queued');
    expect(waiting.map(({ title }) => title.en)).toEqual(['alarm 2 (and 1 other)']);
    expect(told(notices)).toEqual(['@guards 0 merged', '@guards 0 queued', '@guards 0 queued']);
  });

  test('has the words of rules and flows, to whom they name, and nobody where the site tells nobody', async () => {
    const say = {
      kind: 'notify' as const,
      about: 'flow:lights/bulb',
      to: ['chen', 'guards', 'nobody'],
      message: named('bulb'),
    };
    escalation.notify(say);
    const notices = await look();
    expect(told(notices)).toEqual(['@guards 0 queued', 'chen@mail 0 queued']);
    expect(notices[0]).toMatchObject({ about: 'flow:lights/bulb', title: named('bulb'), class: 'medium' });
    for (let i = 0; i < 510; i++) escalation.notify({ ...say, about: `rule:r${i}` });
    expect(escalation.counters).toEqual({ forgotten: 0, dropped: 10 });
  });
});

test('a process that is down is told through the whole of core, and no more when somebody acknowledges', async () => {
  using data = temporaryData();
  await using core = await startSafetyCore({ data: data.path, change: (site) => ({ ...site, notify }) });
  await using rpc = connectRpc(join(data.path, 'core.sock'));
  using reader = openReader(data.path);
  const web = await core.join('web');
  let hinted = false;
  web.on('message', (topic) => {
    hinted ||= topic === noticeTopic;
  });
  await web.subscribeAsync(noticeTopic, { qos: 1 });
  const down = { name: 'uplink', state: 'backing-off' as const, pid: null, restarts: 1, since: 0, lastExit: 'code 1' };
  core.tellProcesses([{ ...down, rss: null, loopDelay: null }]);
  const of = (recipient: string | null) =>
    reader.notices({ limit: 50 }).filter((one) => one.recipient === recipient && one.about !== 'test');
  await until(() => expect(of('zhou')).toHaveLength(1));
  expect(of(null)).toMatchObject([{ channel: 'guards', step: 0, class: 'high', state: 'queued' }]);
  await until(() => expect(core.alarms.get('process:uplink')?.escalation).toMatchObject({ ladder: 'all', step: 1 }));
  await until(() => expect(hinted).toBe(true));
  const id = core.alarms.get('process:uplink')?.id;
  const asked = { who: 'person:lin', from: '192.0.2.7' };
  const seen = await rpc.call('alarm.acknowledge', { id, note: 'on my way', ...asked });
  expect(seen).toMatchObject({ state: 'acknowledged', escalation: { step: 1, due: null } });
});
