import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { samplesTopic } from '#edge/bus/topics.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { OutputState } from '#edge/domain/output.ts';
import type { RuleDecision } from '#edge/domain/rule.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { openReader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { newPerson, type SignedInBrowser } from './people-client.ts';

/*
 * The life of a rule as people live it: over HTTP, on a campus of real processes. Nobody drives the relays here: that core holds them is
 * enough.
 */

const soon = { timeout: 25_000, interval: 60 };
const words = (text: string) => ({ zh: text, en: text });
const light = 'relay-1/relay_2';
const pump = 'relay-1/relay_6';

/** Holds a relay while the panel says that it is at fault. */
const comfort: RuleBody = {
  rule: 1,
  id: 'fault-light',
  name: words('A light for a fault'),
  kind: 'comfort',
  when: { kind: 'point', points: 'fire-panel/fault', test: { is: true }, onBad: 'hold' },
  then: [{ kind: 'hold', outputs: light, value: true, for: '1h' }],
  tests: [
    {
      name: words('a fault lights it'),
      start: '2026-11-23T10:00',
      given: [{ at: '1s', set: { 'fire-panel/fault': true } }],
      expect: [{ at: '2s', holds: { [light]: true } }],
    },
  ],
};
const safety: RuleBody = {
  rule: 1,
  id: 'pump',
  name: words('The pump stops'),
  kind: 'safety',
  priority: 5,
  latch: true,
  when: { kind: 'point', points: 'fire-panel/fault', test: { is: true }, onBad: 'hold' },
  then: [
    { kind: 'hold', outputs: pump, value: false },
    { kind: 'alarm', class: 'high', message: words('Stopped'), next: words('Look') },
  ],
};

let campus: RunningCampus;
let panel: MqttClient;
let lin: SignedInBrowser;
let wang: SignedInBrowser;

async function ask<T = Record<string, unknown>>(
  who: SignedInBrowser,
  path: string,
  body?: object,
  method = 'POST',
): Promise<{ status: number; body: T }> {
  const answer = await fetch(`${campus.url}/api/v1/${path}`, {
    headers: { cookie: who.cookie, 'x-csrf-token': who.csrf, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(45_000),
  });
  return { status: answer.status, body: (await answer.json()) as T };
}

const until = (check: () => unknown) => vi.waitFor(check, soon);
const say = (values: Record<string, boolean>) =>
  panel.publishAsync(samplesTopic('fire-panel' as DeviceId), JSON.stringify(values), { qos: 1 });
const holderOf = async (ref: string) =>
  (await campus.get<OutputState[]>('outputs')).find((output) => output.ref === ref)?.holder ?? null;
const file = (id: string) => join(campus.site.rules.folder, `${id}.yaml`);
interface RuleNow {
  state: string;
  active: number | null;
  latest: number;
  proposal: { version: number | null; digest: string | null; by: string } | null;
  problems: string[];
  now: { fired: boolean }[];
}
const ruleNow = (id: string) => campus.get<RuleNow>(`rules/${id}`);
const openAlarm = async (source: string) =>
  (await campus.get<Alarm[]>('alarms?limit=200')).find((one) => one.source === source && one.state !== 'normal');

async function killCore(): Promise<void> {
  const { restarts } = campus.status('core');
  process.kill(campus.pid('core'), 'SIGKILL');
  await until(() => {
    expect(campus.status('core').restarts).toBeGreaterThan(restarts);
    expect(campus.status('core').state).toBe('ready');
  });
  // The next answer is core's own again.
  await until(async () =>
    expect(
      (await campus.get<{ rules: { problems: string[] }[] }>('rules')).rules.flatMap(({ problems }) => problems).join(),
    ).not.toContain('core does not answer'),
  );
}

/** Saves a version and makes it run; of a safety rule with a second person. */
async function establish(body: RuleBody, base: number): Promise<number> {
  const id = String(body.id);
  const saved = await ask<{ version: number }>(lin, `rules/${id}/versions`, { body, why: 'for the test', base });
  expect(saved.status, JSON.stringify(saved.body)).toBe(200);
  const { version } = saved.body;
  const acted = await ask<{ outcome: string }>(lin, `rules/${id}/activate`, { version, why: 'for the test' });
  expect(acted.status, JSON.stringify(acted.body)).toBe(200);
  if (acted.body.outcome === 'proposed') await approve(id);
  return version;
}

async function approve(id: string): Promise<void> {
  const { proposal } = await ruleNow(id);
  const { version, digest } = proposal ?? { version: null, digest: null };
  const approved = await ask(wang, `rules/${id}/approve`, { version, digest, why: 'looked at it' });
  expect(approved.status, JSON.stringify(approved.body)).toBe(200);
}

beforeAll(async () => {
  campus = await startCampus({ only: ['web'], simulators: false, city: false });
  await until(async () => expect(await campus.get('rules')).toMatchObject({ rules: expect.arrayContaining([]) }));
  lin = await newPerson(campus, 'lin', 'facility');
  wang = await newPerson(campus, 'wang', 'security');
  panel = connect({
    ...{ host: '127.0.0.1', port: campus.site.mqtt.port, clientId: 'fire-panel', username: 'fire-panel' },
    ...{ password: campus.passwords['fire-panel'] ?? '', reconnectPeriod: 100 },
  });
  panel.on('error', () => {});
  await say({ alarm: false, fault: false });
}, 90_000);
afterAll(async () => {
  panel?.end(true);
  await campus?.[Symbol.asyncDispose]();
});

describe('a rule that somebody writes', () => {
  test('holds an output as soon as it is activated, says why, and is in its file', async () => {
    expect((await ask(lin, 'rules/check', { body: comfort })).body).toMatchObject({
      mistakes: [],
      problems: [],
      instances: ['fault-light'],
      tests: [{ passed: true }],
    });
    await establish(comfort, 0);
    expect(readFileSync(file('fault-light'), 'utf8')).toContain('id: fault-light');
    await say({ fault: true });
    await until(async () => expect(await holderOf(light)).toBe('rule:fault-light'));
    const why = await campus.get<{ instance: object; when: object; last: RuleDecision }>('rules/fault-light/why');
    expect(why).toMatchObject({
      instance: { fired: true },
      when: { met: true, points: [{ ref: 'fire-panel/fault', value: true, quality: 'good', met: true }] },
    });
    await until(async () => {
      const [line] = await campus.get<RuleDecision[]>('rules/fault-light/journal');
      expect(line).toMatchObject({ what: 'fired', version: 1, saw: [{ ref: 'fire-panel/fault', value: true }] });
    });
    const { rules } = await campus.get<{ rules: { id: string; fired: number; firedToday: number }[] }>('rules');
    expect(rules.find(({ id }) => id === 'fault-light')).toMatchObject({ fired: 1, firedToday: 1 });
  }, 60_000);

  test('is replaced without letting go of what stays the same, and lets go when it is turned off', async () => {
    await establish({ ...comfort, clearAfter: '1s' }, 1);
    expect(await holderOf(light)).toBe('rule:fault-light');
    expect((await ask(lin, 'rules/fault-light/activate', { version: null, why: 'off' })).body).toMatchObject({
      outcome: 'done',
    });
    await until(async () => expect(await holderOf(light)).toBeNull());
    expect(() => readFileSync(file('fault-light'))).toThrow();
    expect((await ask(lin, 'rules/fault-light/activate', { version: 1, why: 'rolled back' })).status).toBe(200);
    await until(async () => expect(await holderOf(light)).toBe('rule:fault-light'));
  }, 60_000);

  test('does not run while a test of its own fails, and a token cannot propose one for safety', async () => {
    const wrong = { ...comfort, tests: [{ ...(comfort.tests as object[])[0], expect: [{ at: '2s', holds: {} }] }] };
    const { body } = await ask<{ version: number }>(lin, 'rules/fault-light/versions', {
      body: wrong,
      why: 'x',
      base: 2,
    });
    const refused = await ask<{ message: string }>(lin, 'rules/fault-light/activate', {
      version: body.version,
      why: 'x',
    });
    expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('a fault lights it')]);
    await ask(lin, 'rules/pump/versions', { body: safety, why: 'x', base: 0 });
    await expect(campus.post('rules/pump/activate', { version: 1, why: 'x' })).rejects.toMatchObject({ status: 403 });
  }, 60_000);

  test('in shadow writes down what it would have done, and does nothing', async () => {
    await say({ fault: false });
    await until(async () => expect(await holderOf(light)).toBeNull());
    const shadow = {
      ...comfort,
      id: 'watcher',
      then: [{ kind: 'hold', outputs: 'relay-1/relay_3', value: true, for: '1h' }],
      tests: [],
    };
    await ask(lin, 'rules/watcher/versions', { body: shadow, why: 'x', base: 0 });
    expect((await ask(lin, 'rules/watcher/shadow', { version: 1, why: 'a week' })).status).toBe(200);
    await say({ fault: true });
    await until(async () => {
      const [line] = await campus.get<RuleDecision[]>('rules/watcher/journal?shadow=true');
      expect(line).toMatchObject({ what: 'fired', shadow: true, did: [expect.stringContaining('relay-1/relay_3')] });
    });
    await until(async () => expect(await holderOf(light)).toBe('rule:fault-light'));
    expect(await holderOf('relay-1/relay_3')).toBeNull();
    expect(() => readFileSync(file('watcher'))).toThrow();
  }, 60_000);
});

describe('a safety rule', () => {
  test('acts when a second person has approved it, and stays as it was when core is killed', async () => {
    await say({ fault: true });
    expect((await ask(lin, 'rules/pump/activate', { version: 1, why: 'needed' })).body).toMatchObject({
      outcome: 'proposed',
    });
    const { proposal } = await ruleNow('pump');
    const same = { version: proposal?.version, digest: proposal?.digest, why: 'x' };
    expect((await ask(lin, 'rules/pump/approve', same)).status).toBe(403);
    expect((await ask(wang, 'rules/pump/approve', { ...same, digest: 'f'.repeat(64) })).status).toBe(409);
    expect(await holderOf(pump)).not.toBe('interlock:pump');
    await approve('pump');
    await until(async () => expect(await holderOf(pump)).toBe('interlock:pump'));
    await say({ fault: false });
    await killCore();
    expect(await holderOf(pump)).toBe('interlock:pump');
    expect(await ruleNow('pump')).toMatchObject({ active: 1, now: [{ fired: true }] });
    expect(await campus.post('interlocks/pump/reset', { reason: 'checked' })).toMatchObject({ reset: true });
    await until(async () => expect(await holderOf(pump)).toBeNull());
    using reader = openReader(campus.data);
    const lines = reader.newestAudit(200).map(({ who, what }) => `${who} ${what}`);
    expect(lines).toContain('person:lin rule.propose pump v1');
    expect(lines).toContain('person:wang rule.approve pump v1 (proposed by person:lin)');
  }, 90_000);

  test('whose file somebody edits goes on as it was, until that is approved; one that broke goes on as well', async () => {
    const before = readFileSync(file('pump'), 'utf8');
    writeFileSync(file('pump'), before.replace('priority: 5', 'priority: 1'));
    writeFileSync(file('leak'), 'rule: 1\nid: leak\nkind: [safety');
    await killCore();
    await until(async () =>
      expect(await ruleNow('pump')).toMatchObject({ active: 1, latest: 2, proposal: { version: 2, by: 'file' } }),
    );
    await until(async () => {
      const alarm = await openAlarm('site:rules');
      expect(alarm?.reason).toContain('pump.yaml is not what two people approved');
      expect(alarm?.reason).toContain('leak.yaml');
    });
    expect(await ruleNow('leak')).toMatchObject({ active: 1, now: [{ instance: 'leak' }] });
    expect(await campus.get('rules')).toMatchObject({ broken: [{ file: 'leak.yaml' }] });
    await approve('pump');
    expect(await ruleNow('pump')).toMatchObject({ active: 2, proposal: null });
    await until(async () => expect((await openAlarm('site:rules'))?.reason).not.toContain('pump.yaml'));
    rmSync(file('leak'));
  }, 90_000);

  test('is the old one or the new one, whenever core is killed in the middle of activating it', async () => {
    for (let round = 0; round < 4; round++) {
      const { active, latest } = await ruleNow('fault-light');
      const body = { ...comfort, clearAfter: `${round + 2}s` };
      const { version } = (
        await ask<{ version: number }>(lin, 'rules/fault-light/versions', { body, why: 'x', base: latest })
      ).body;
      const { restarts } = campus.status('core');
      const acting = ask(lin, 'rules/fault-light/activate', { version, why: `round ${round}` }).catch(() => null);
      // Its test is played in a thread first: the kill comes before, while or after it is written.
      await delay(round * 120);
      process.kill(campus.pid('core'), 'SIGKILL');
      await acting;
      await until(() => {
        expect(campus.status('core').restarts).toBeGreaterThan(restarts);
        expect(campus.status('core').state).toBe('ready');
      });
      await until(async () => {
        const now = await ruleNow('fault-light');
        expect([active, version]).toContain(now.active);
        expect(now.problems).toEqual([]);
        expect(now.latest).toBe(version);
        const text = readFileSync(file('fault-light'), 'utf8');
        const wanted =
          now.active === version
            ? `clearAfter: ${round + 2}s`
            : active === 1
              ? 'id: fault-light'
              : `clearAfter: ${round + 1}s`;
        expect(text).toContain(wanted);
      });
    }
  }, 180_000);
});

test('a mode is set for a time, and ends by itself', async () => {
  const end = systemClock.now() + 3_000;
  const set = await ask(lin, 'modes/exam', { on: true, until: end, why: 'maths' }, 'PUT');
  expect([set.status, set.body]).toEqual([200, expect.objectContaining({ on: true, until: end })]);
  await until(async () => {
    const modes = await campus.get<{ id: string; on: boolean; by: string | null }[]>('modes');
    expect(modes.find(({ id }) => id === 'exam')).toMatchObject({ on: false, by: 'process:core' });
  });
  using reader = openReader(campus.data);
  expect(reader.newestAudit(20).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['mode.set exam on', 'mode.end exam']),
  );
}, 60_000);
