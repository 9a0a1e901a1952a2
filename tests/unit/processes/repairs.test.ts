import { expect, test, vi } from 'vitest';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Hold, OutputState } from '#edge/domain/output.ts';
import { describeCampus } from '#edge/processes/campus.ts';
import { Repairs } from '#edge/processes/core/repair.ts';
import type { AlarmDecision, Decision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { checkSite } from '#edge/runtime/site.ts';
import type { Batch } from '#edge/store/batch.ts';

/* The ladder with everything around it that core gives it: what it sees, what it holds, what it remembers. */

const soon = { timeout: 10_000, interval: 5 };
const camera = { username: 'campus', password: 'demo-camera-1' };
const speaker = { rtp: { host: '127.0.0.1', port: 15_004 }, codec: 'PCMA' };

function device(id: string, profile: string, address: object, more: object = {}) {
  return { id, name: { zh: id, en: id }, profile, zone: 'gate', address, ...more };
}

function siteWith(more: object = {}, devices: readonly object[] = []) {
  const site = {
    site: 1,
    campus: { id: '2151009901', name: { zh: '校', en: 'School' }, timeZone: 'Asia/Shanghai' },
    zones: [{ id: 'gate', name: { zh: '门', en: 'Gate' } }],
    repair: { after: '2s', reconnect: '2s', restart: '2s', off: '5s', boot: '60s' },
    devices: [
      device('switch-1', 'switch/generic-poe-8', { host: '127.0.0.1', community: 'demo' }),
      device(
        'camera-1',
        'camera/onvif-generic',
        { host: '127.0.0.1', ...camera },
        { uplink: { device: 'switch-1', port: 3 } },
      ),
      device('camera-2', 'camera/onvif-generic', { host: '127.0.0.2', ...camera }),
      device('speaker-1', 'speaker/rtp-speaker', speaker),
      ...devices,
    ],
    ...more,
  };
  return checkSite(site, '.');
}

async function startRoom(site = siteWith(), stored: unknown = undefined, holds = new Map<string, Hold>()) {
  const clock = new ManualClock(1_800_000_000_000);
  const campus = await describeCampus(site);
  const healths = new Map<string, DeviceHealth>(
    campus.devices.map(({ id }) => [
      id,
      { device: id, state: 'online', message: 'answers', since: clock.now(), counters: {} },
    ]),
  );
  const pulses: string[] = [];
  const decisions: AlarmDecision[] = [];
  const reloads: string[] = [];
  const room = { urgent: null as string | null, kept: stored };
  const refs = campus.devices.flatMap(({ id, points }) =>
    points.flatMap(({ name, write }) => (write === undefined ? [] : [`${id}/${name}` as PointRef])),
  );
  const output = (ref: PointRef): OutputState => {
    const mine = [...holds.values()].filter((hold) => hold.ref === ref);
    const [first] = mine;
    return {
      ref,
      value: first?.value ?? null,
      holder: first?.owner ?? null,
      priority: first?.priority ?? null,
      reason: '',
      since: 0,
      until: null,
      stack: mine,
      confirmed: { value: first?.value ?? true, outcome: 'done', time: 0 },
      next: null,
      waiting: null,
      forbidden: [],
      local: null,
    };
  };
  const repairs = new Repairs({
    site,
    campus,
    stored,
    watch: { healths: () => [...healths.values()] },
    latest: () => new Map(),
    commands: {
      outputs: () => refs.map(output),
      pulse: async (id, point, owner) => {
        pulses.push(`${owner} ${id}/${point}`);
        return { id: '' as never, device: id, point: point as never, outcome: 'sent', time: 0 };
      },
      setInterlockHolds: (changes: readonly Decision[]) => {
        for (const change of changes) {
          if (change.kind === 'relinquish') holds.delete(`${change.owner} ${change.ref}`);
          if (change.kind !== 'hold') continue;
          const { owner, ref, value, priority, reason, lasts } = change;
          const until = lasts === null ? null : clock.now() + lasts;
          holds.set(`${owner} ${ref}`, { owner, ref, value, priority, reason, since: 0, until });
        }
      },
    },
    urgent: () => room.urgent,
    decide: (some) => void decisions.push(...some),
    commit: (batch: Batch) => {
      if (batch.state !== undefined) room.kept = JSON.parse(JSON.stringify(batch.state.repair));
    },
    reload: (names) => void reloads.push(...names),
    clock,
    every: 2,
  });
  const probe = (id: string, reachable: boolean) =>
    repairs.hearNetwork('fieldbus', [
      {
        device: id as DeviceId,
        address: 'x',
        way: 'tcp',
        reachable,
        latency: null,
        loss: reachable ? 0 : 1,
        at: clock.now(),
      },
    ]);
  return {
    ...{ repairs, clock, healths, pulses, decisions, reloads, room, holds },
    fail: (id: string) => {
      const { since: _, ...was } = healths.get(id) ?? { device: id, counters: {}, since: 0 };
      healths.set(id, { ...was, state: 'offline', message: 'no answer', since: clock.now() });
    },
    /** Seconds pass until it is so. */
    until: (what: () => void) =>
      vi.waitFor(() => {
        clock.advance(500);
        for (const id of ['camera-1', 'camera-2']) probe(id, true);
        what();
      }, soon),
    probe,
    poe: () => holds.get('repair:camera-1 switch-1/poe_3')?.value,
    step: (step: string, id = 'camera-1') =>
      repairs
        .list()
        .find(({ device: of }) => of === id)
        ?.steps.find((one) => one.step === step),
  };
}

test('power that is off goes on being accounted for when core dies in the middle of it', async () => {
  const holds = new Map<string, Hold>();
  const first = await startRoom(siteWith(), undefined, holds);
  first.fail('camera-1');
  await first.until(() => expect(first.poe()).toBe(false));
  expect(first.pulses).toEqual(['repair:camera-1 camera-1/driver-session']);
  first.repairs[Symbol.dispose]();

  const second = await startRoom(siteWith(), first.room.kept, holds);
  using _ = second.repairs;
  expect(second.poe()).toBe(false);
  second.fail('camera-1');
  await second.until(() => expect(second.poe()).toBe(true));
  await second.until(() => expect(second.poe()).toBeUndefined());
  await second.until(() =>
    expect(second.decisions).toMatchObject([{ kind: 'raise', source: 'repair:camera-1', zone: 'gate' }]),
  );
});

test('power that nobody remembers having cut is given back', async () => {
  const hold: Hold = {
    ref: 'switch-1/poe_3' as PointRef,
    owner: 'repair:camera-1',
    priority: 5,
    value: false,
    reason: '',
    since: 0,
    until: null,
  };
  const room = await startRoom(siteWith(), { nonsense: true }, new Map([['repair:camera-1 switch-1/poe_3', hold]]));
  using _ = room.repairs;
  expect(room.holds.get('repair:camera-1 switch-1/poe_3')).toMatchObject({
    value: true,
    until: room.clock.now() + 30_000,
  });
});

test('an alarm of a repair that waits for a person stands again after a restart', async () => {
  const first = await startRoom(siteWith({ repair: { after: '1s', reconnect: '1s', perDay: 0 } }));
  first.fail('camera-2');
  await first.until(() => expect(first.decisions).toHaveLength(1));
  first.repairs[Symbol.dispose]();
  const second = await startRoom(siteWith(), first.room.kept);
  using _ = second.repairs;
  expect(second.decisions).toMatchObject([{ kind: 'raise', source: 'repair:camera-2' }]);
});

const router = device(
  'router',
  'network/host',
  { host: '127.0.0.9' },
  { network: { gateway: true }, uplink: { device: 'switch-2', port: 1 } },
);
const camera3 = device(
  'camera-3',
  'camera/onvif-generic',
  { host: '127.0.0.3', ...camera },
  { uplink: { device: 'switch-2', port: 4 } },
);
const spared: readonly [string, string, { own?: object; site?: object; others?: readonly object[] }][] = [
  [
    'the switch that this box hangs on',
    'this box itself hangs on it',
    { site: { network: { uplink: { device: 'switch-2', port: 1 } } } },
  ],
  ['one that the file spares', 'its power is never cut: the site file says so', { own: { noPowerCycle: true } }],
  ['what carries the gateway', 'it carries the way out of the campus', { others: [router] }],
  ['what others hang on', '1 devices that work have their power from relay-1/relay_1 too', { others: [camera3] }],
];

test.each(spared)('the power of %s is not cut', async (_, why, { own = {}, site = {}, others = [] }) => {
  const room = await startRoom(
    siteWith(site, [
      device('relay-1', 'relay/waveshare-relay-8', { tcp: { host: '127.0.0.1' }, unit: 1 }),
      device(
        'switch-2',
        'switch/generic-poe-8',
        { host: '127.0.0.4', community: 'demo' },
        { power: 'relay-1/relay_1', ...own },
      ),
      ...others,
    ]),
  );
  using _repairs = room.repairs;
  room.fail('switch-2');
  await room.until(() => {
    room.probe('switch-2', true);
    expect(room.step('power', 'switch-2')).toMatchObject({ state: 'skipped', outcome: why });
  });
  expect(room.holds.size).toBe(0);
});

test('nothing is touched while a rule protects lives or the loudspeakers sound', async () => {
  const room = await startRoom();
  using _ = room.repairs;
  room.room.urgent = 'fire';
  room.fail('camera-1');
  await room.until(() =>
    expect(room.step('reconnect')?.outcome).toBe('waits: the rule "fire" protects people and has fired'),
  );
  room.room.urgent = null;
  room.holds.set('x', {
    ref: 'speaker-1/clip' as PointRef,
    owner: 'rule:lesson',
    priority: 5,
    value: 'bell',
    reason: '',
    since: 0,
    until: null,
  });
  await room.until(() => expect(room.step('reconnect')?.outcome).toContain('the loudspeakers are needed: rule:lesson'));
  expect(room.pulses).toEqual([]);
  room.holds.delete('x');
  await room.until(() => expect(room.pulses).toHaveLength(1));
});

test('most devices of a driver down: the driver is restarted, once for all of them', async () => {
  const room = await startRoom();
  using _ = room.repairs;
  for (const id of ['camera-1', 'camera-2']) room.fail(id);
  await room.until(() => expect(room.step('person', 'camera-2')?.state).toBe('running'));
  expect(room.reloads).toEqual(['camera']);
});

test('a loudspeaker says nothing itself: a probe tells that it is gone, and it has no wrong words of others', async () => {
  const room = await startRoom();
  using _ = room.repairs;
  room.probe('speaker-1', false);
  await room.until(() => {
    room.probe('speaker-1', false);
    expect(room.step('probe', 'speaker-1')).toMatchObject({ state: 'done', outcome: 'its host does not answer' });
  });
  room.repairs.hearNetwork('flows', [
    { device: 'camera-1' as DeviceId, address: 'evil', way: 'tcp', reachable: false, latency: null, loss: 1, at: 0 },
  ]);
  expect(room.repairs.network().find(({ device: id }) => id === 'camera-1')).toMatchObject({
    address: 'x',
    reachable: true,
  });
});

test('what is configured wrongly or has a wrong password is left to people', async () => {
  const room = await startRoom();
  using _ = room.repairs;
  for (const state of ['held', 'misconfigured'] as const) {
    room.healths.set('camera-1', { device: 'camera-1', state, message: 'x', since: 0, counters: {} });
    for (let i = 0; i < 100; i++) room.clock.advance(1_000);
    await vi.waitFor(() => expect(room.repairs.list()).toEqual([]), soon);
  }
  expect(() => room.repairs.act('camera-1', 'power', { who: 'person:a', from: 'x' })).toThrow(
    'no output carries its power',
  );
  expect(() => room.repairs.act('nobody', 'probe', { who: 'person:a', from: 'x' })).toThrow(
    'there is no device "nobody"',
  );
});
