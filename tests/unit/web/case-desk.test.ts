import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Case } from '#edge/domain/case.ts';
import type { HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import { verifyCase } from '#edge/media/case-verify.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { CaseDesk } from '#edge/web/case-desk.ts';
import { MediaClient } from '#edge/web/footage-media.ts';
import { createScopes } from '#edge/web/scope.ts';

/* Files of cases against a core that goes away, a web process that dies, and a database that was lost. Media is away all the time. */

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'case-desk-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const incident: Incident = {
  ...{ id: newHappeningId(systemClock), state: 'claimed', class: 'high', zone: 'gate' as ZoneId, types: ['person'] },
  ...{ devices: [], from: 1_000, to: 2_000, isClosed: true, events: [], count: 0, picture: null, claimedBy: null },
  ...{ seenBy: null, escalatesAt: null, outcome: null, note: '', emergency: null, course: [], rev: 1 },
};
const wish = {
  ...{ incident: incident.id, cameras: [], begin: 1, end: 2, masked: true, reason: 'why' },
  ...{ who: 'person:lin', name: 'Lin', from: '192.0.2.7' },
};
const whole = createScopes([])({ zones: 'all', rights: new Set() });

/** Core as web sees it: its rows, and whether it answers. */
class Core {
  readonly cases = new Map<string, Case>();
  isAway = false;
  refused = 0;

  readonly call = async (method: string, params: object): Promise<unknown> => {
    // A turn, as over a socket.
    await new Promise(setImmediate);
    if (this.isAway) {
      this.refused++;
      throw new CodedError('RPC_AWAY', 'core does not answer');
    }
    if (method === 'case.begin') return this.begin();
    const { id, result } = params as { id: string; result: { ok: boolean; message: string } };
    const before = this.cases.get(id);
    if (before === undefined) throw new CodedError('CASE_NOT_FOUND', 'none');
    const { ok, ...rest } = result;
    this.cases.set(id, { ...before, ...rest, state: ok ? 'ready' : 'failed' });
    return {};
  };

  begin(): Case {
    const one: Case = {
      ...{ id: newHappeningId(systemClock) as HappeningId, incident: incident.id, state: 'building' },
      ...{ zone: incident.zone, cameras: [], from: 1, to: 2, masked: true, time: systemClock.now(), who: wish.who },
      ...{ name: 'Lin', why: 'why', sha256: '', manifest: '', bytes: 0, message: '', released: null },
    };
    this.cases.set(one.id, one);
    return one;
  }
}

async function desk(core: Core): Promise<CaseDesk> {
  const site = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
  const none = () => {
    throw new Error('nobody asks for this');
  };
  const reader = new Proxy({} as ConstructorParameters<typeof CaseDesk>[0]['reader'], {
    get: (_, name) => {
      if (name === 'case') return (id: string) => core.cases.get(id) ?? null;
      if (name === 'cases') return () => [...core.cases.values()].filter(({ state }) => state === 'building');
      if (name === 'incident') return () => incident;
      if (name === 'clips') return () => [];
      return name === 'auditPage' ? () => ({ lines: [], next: null }) : none;
    },
  });
  const campus = { site, reader, snapshotFolder: join(data, 'snapshots'), data, rpc: core };
  return new CaseDesk(campus, { media: new MediaClient(data) }, systemClock, silentLog);
}

const fileOf = (id: string) => join(data, 'cases', `${id}.zip`);
const patient = { timeout: 20_000 };

test('a case is not thrown away because core is started again while it is finished', async () => {
  const core = new Core();
  await using cases = await desk(core);
  const one = await cases.begin(wish, incident, whole);
  core.isAway = true;
  await vi.waitFor(() => expect(core.refused).toBeGreaterThan(0), patient);
  expect(existsSync(fileOf(one.id))).toBe(true);
  core.isAway = false;
  await vi.waitFor(() => expect(core.cases.get(one.id)?.state).toBe('ready'), patient);
  expect((await verifyCase(fileOf(one.id))).sha256).toBe(core.cases.get(one.id)?.sha256);
});

test('what a dead process had made whole is a case, what it had half made is none', async () => {
  const core = new Core();
  const first = await desk(core);
  const whole1 = await first.begin(wish, incident, whole);
  core.isAway = true;
  await vi.waitFor(() => expect(existsSync(fileOf(whole1.id))).toBe(true), patient);
  await first[Symbol.asyncDispose]();
  core.isAway = false;
  const [half, altered] = [core.begin(), core.begin()];
  writeFileSync(`${fileOf(half.id)}.part`, 'half');
  writeFileSync(fileOf(altered.id), 'nonsense');
  await using second = await desk(core);
  await second.tidy();
  expect(core.cases.get(whole1.id)).toMatchObject({ state: 'ready', bytes: expect.any(Number) });
  expect([half, altered].map(({ id }) => core.cases.get(id)?.state)).toEqual(['failed', 'failed']);
  expect([fileOf(whole1.id), fileOf(altered.id), `${fileOf(half.id)}.part`].map(existsSync)).toEqual([
    true,
    false,
    false,
  ]);
  const { handle } = await second.open(core.cases.get(whole1.id) ?? half);
  await handle.close();
});

test('what a database that was lost knew, and what is none of ours, is left where it lies', async () => {
  const core = new Core();
  const [lost, released] = [core.begin().id, core.begin()];
  core.cases.delete(lost);
  core.cases.set(released.id, { ...released, state: 'released' });
  mkdirSync(join(data, 'cases'));
  const names = [fileOf(lost), fileOf(released.id), join(data, 'cases', 'for the police.zip'), `${fileOf(lost)}.part`];
  for (const name of names) writeFileSync(name, 'x');
  await using cases = await desk(core);
  await cases.tidy();
  expect(names.map(existsSync)).toEqual([true, false, true, false]);
});

test('ten that ask at once get four', async () => {
  const core = new Core();
  await using cases = await desk(core);
  const asked = await Promise.allSettled(Array.from({ length: 10 }, () => cases.begin(wish, incident, whole)));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
  expect(core.cases.size).toBe(4);
  await vi.waitFor(() => expect([...core.cases.values()].every(({ state }) => state === 'ready')).toBe(true), patient);
});
