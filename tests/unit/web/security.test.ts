import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SecurityFacts } from '#edge/web/security/facts.ts';
import { judgeAll } from '#edge/web/security/judge.ts';
import type { SecurityView } from '#edge/web/system-schemas.ts';
import { type PlaceRoom, startPlaceRoom } from './place-room.ts';

const day = 86_400_000;
const now = 1_800_000_000_000;
const person = {
  id: 'lin',
  role: 'administrator',
  isLimited: false,
  hasPassword: true,
  hasProvider: false,
  totp: true,
  disabled: false,
  passwordTime: now,
} as const;

/** A campus on which everything is set that can be. */
const best: SecurityFacts = {
  now,
  people: [
    person,
    { ...person, id: 'wang', role: 'auditor' },
    { ...person, id: 'zhao', role: 'security', isLimited: true },
  ],
  tokens: { count: 1, endless: 0 },
  signIn: { shortest: 10, longestPause: 1_800_000, session: 43_200_000 },
  network: {
    https: ['::'],
    mqtt: [],
    websocket: [],
    mqttTls: ['::'],
    clientCertificates: 'require',
    ipv6: true,
    certificate: { subject: 'campus', fingerprint: 'AA', expires: now + 200 * day, selfSigned: false },
  },
  broker: { connections: 4_096, perAddress: 64, packetsPerSecond: 2_000 },
  clients: { declared: 3, withPassword: 3, withCertificate: 3, revoked: 0 },
  nodes: {
    total: 10,
    modbus: 0,
    speakers: 0,
    cameras: 1,
    camerasPlain: 0,
    registered: 10,
    planned: 10,
    strangers: 0,
  },
  audit: {
    kept: 400 * day,
    verdict: { ok: true, lines: 100, faults: [], oldest: now - 200 * day, head: 'ab' },
    forward: { encrypted: true, waiting: 0, error: null },
  },
  clock: { synchronised: true, source: 'chrony' },
  backups: { newest: now - day, fetched: now - 3 * day },
  box: { isRoot: false, folderMode: 0o700, version: '0.1.0', node: 'v24' },
  privacy: { pictures: 30 * day, city: true },
};

const stateOf = (id: string, change: (facts: SecurityFacts) => Partial<SecurityFacts>) =>
  judgeAll({ ...best, ...change(best) }).points.find((point) => point.id === id);

describe('the judgement', () => {
  test('names each point once, in both languages, with its level, evidence, and what to do where it is not met', () => {
    const { points, notice } = judgeAll(best);
    expect(points.length).toBeGreaterThanOrEqual(25);
    expect(new Set(points.map(({ id }) => id)).size).toBe(points.length);
    expect(notice.zh).toContain('不是等级保护测评结论');
    for (const { id, title, group, state, evidence, next } of points) {
      expect(title.zh, id).toMatch(/（(一级起|二级、三级|三级)）$/);
      expect(title.en, id).toMatch(/\((from L1|L2, L3|L3)\)$/);
      for (const words of [group, title, evidence]) {
        expect(words.zh, id).toMatch(/[\u4e00-\u9fff]/);
        expect(words.en.length, id).toBeGreaterThan(3);
      }
      expect(next.zh === '', `${id} is ${state}`).toBe(state === 'met');
      expect(next.en === '', `${id} is ${state}`).toBe(state === 'met');
    }
  });

  test('claims nothing that cannot be known here, however well all is set', () => {
    const states = new Map(judgeAll(best).points.map(({ id, state }) => [id, state]));
    for (const id of ['iot-physical', 'iot-node-device', 'intrusion-updates', 'data-minors']) {
      expect(states.get(id), id).toBe('outside');
    }
    for (const id of ['access-three-powers', 'data-offsite', 'iot-altered-history', 'data-confidential', 'iot-peers']) {
      expect(states.get(id), id).toBe('partly');
    }
    expect([...states.values()]).not.toContain('not-met');
  });

  test.each<[string, string, (facts: SecurityFacts) => Partial<SecurityFacts>]>([
    ['identity-accounts', 'not-met', () => ({ people: [] })],
    ['identity-accounts', 'partly', () => ({ people: [person] })],
    ['identity-passwords', 'partly', () => ({ people: [{ ...person, passwordTime: now - 181 * day }] })],
    ['identity-two-factor', 'not-met', () => ({ people: [{ ...person, totp: false }] })],
    ['identity-two-factor', 'partly', () => ({ people: [person, { ...person, role: 'viewer', totp: false }] })],
    [
      'identity-two-factor',
      'not-met',
      () => ({ people: [{ ...person, hasPassword: false, hasProvider: true, totp: false }] }),
    ],
    ['identity-transport', 'not-met', ({ network }) => ({ network: { ...network, certificate: null } })],
    ['identity-transport', 'met', ({ network }) => ({ network: { ...network, https: [], certificate: null } })],
    ['access-least', 'partly', () => ({ people: [person, { ...person, id: 'b' }] })],
    ['access-three-powers', 'not-met', () => ({ people: [person] })],
    ['access-three-powers', 'not-met', () => ({ people: [{ ...person, role: 'auditor', disabled: true }] })],
    ['access-tokens', 'partly', () => ({ tokens: { count: 2, endless: 1 } })],
    ['audit-kept', 'not-met', ({ audit }) => ({ audit: { ...audit, kept: 179 * day } })],
    ['audit-integrity', 'partly', ({ audit }) => ({ audit: { ...audit, verdict: null } })],
    [
      'audit-integrity',
      'not-met',
      ({ audit }) => ({
        audit: {
          ...audit,
          verdict: { ok: false, lines: 3, faults: [{ seq: 2, message: 'line 2 is missing' }], oldest: now, head: '' },
        },
      }),
    ],
    ['audit-elsewhere', 'not-met', ({ audit }) => ({ audit: { ...audit, forward: null } })],
    [
      'audit-elsewhere',
      'partly',
      ({ audit }) => ({ audit: { ...audit, forward: { encrypted: false, waiting: 0, error: null } } }),
    ],
    ['audit-clock', 'partly', () => ({ clock: { synchronised: null, source: 'unknown' } })],
    ['audit-clock', 'not-met', () => ({ clock: { synchronised: false, source: 'chrony' } })],
    ['intrusion-ports', 'partly', ({ network }) => ({ network: { ...network, mqtt: ['0.0.0.0'] } })],
    ['intrusion-ports', 'not-met', ({ network }) => ({ network: { ...network, mqtt: ['0.0.0.0'], mqttTls: [] } })],
    ['intrusion-own-user', 'not-met', ({ box }) => ({ box: { ...box, isRoot: true } })],
    ['network-ipv6', 'partly', ({ network }) => ({ network: { ...network, ipv6: false } })],
    ['iot-access', 'partly', ({ nodes }) => ({ nodes: { ...nodes, modbus: 1 } })],
    ['iot-management', 'not-met', ({ nodes }) => ({ nodes: { ...nodes, registered: 0, planned: 0 } })],
    ['iot-management', 'partly', ({ nodes }) => ({ nodes: { ...nodes, planned: 3 } })],
    ['iot-node-identity', 'partly', ({ network }) => ({ network: { ...network, mqtt: ['0.0.0.0'] } })],
    ['iot-replay', 'partly', ({ nodes }) => ({ nodes: { ...nodes, speakers: 2 } })],
    ['data-confidential', 'not-met', ({ box }) => ({ box: { ...box, folderMode: 0o750 } })],
    ['data-backup', 'not-met', () => ({ backups: { newest: null, fetched: null } })],
    ['data-backup', 'partly', () => ({ backups: { newest: now - 20 * day, fetched: null } })],
    ['data-backup', 'not-met', () => ({ backups: { newest: now - 40 * day, fetched: null } })],
    ['data-offsite', 'not-met', () => ({ backups: { newest: now, fetched: now - 40 * day } })],
  ])('%s is %s when it is so', (id, state, change) => {
    expect(stateOf(id, change)).toMatchObject({ state });
  });
});

describe('of a running campus', () => {
  let room: PlaceRoom;
  beforeAll(async () => {
    room = await startPlaceRoom();
  });
  afterAll(async () => await room[Symbol.asyncDispose]());

  test('is made from what is set there', async () => {
    const view = (await (await room.ask('/api/v1/security')).json()) as SecurityView;
    const point = (id: string) => view.points.find((one) => one.id === id);
    expect(point('identity-accounts')).toMatchObject({ state: 'not-met' });
    expect(point('audit-integrity')).toMatchObject({ state: 'met' });
    expect(point('audit-kept')?.evidence.en).toContain('400 days');
    expect(point('data-backup')).toMatchObject({ state: 'not-met' });
    expect(point('iot-access')?.evidence.zh).toContain('站点声明 6 个 MQTT 客户端');
    expect(point('audit-elsewhere')).toMatchObject({ state: 'not-met' });
  });

  test('is for those who have the right to it and the whole campus', async () => {
    const statuses = await Promise.all([
      (await room.as(['security']))('/api/v1/security'),
      (await room.as(['security'], ['gate']))('/api/v1/security'),
      (await room.as(['system', 'audit', 'people']))('/api/v1/security'),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 403, 403]);
  });

  test('waits for a database', async () => {
    await using young = await startPlaceRoom({ store: false });
    expect((await young.ask('/api/v1/security')).status).toBe(503);
  });
});
