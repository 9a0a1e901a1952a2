import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { delay } from '#edge/runtime/lifecycle.ts';
import { type RuleBody, ruleHash } from '#edge/runtime/rule-body.ts';
import { readRuleFile } from '#edge/runtime/rule-file.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { newPerson, newToken, type SignedInBrowser } from './people-client.ts';

/* Rules as somebody attacks them: over HTTP, on a campus of real processes, with core killed in the middle. */

const soon = { timeout: 25_000, interval: 80 };
const until = (check: () => unknown) => vi.waitFor(check, soon);
const words = (text: string) => ({ zh: text, en: text });

function bodyOf(id: string, more: RuleBody = {}): RuleBody {
  return {
    rule: 1,
    id,
    name: words(id),
    kind: 'comfort',
    when: { kind: 'point', points: 'fire-panel/fault', test: { is: true }, onBad: 'hold' },
    then: [{ kind: 'hold', outputs: 'relay-1/relay_2', value: true, for: '1h' }],
    ...more,
  };
}
const safety = {
  kind: 'safety',
  priority: 5,
  then: [{ kind: 'hold', outputs: 'relay-1/relay_6', value: false }],
};

let campus: RunningCampus;
let lin: SignedInBrowser;
let wang: SignedInBrowser;

async function ask<T = Record<string, unknown>>(
  who: SignedInBrowser | Record<string, string>,
  path: string,
  body?: object | string,
  method = body === undefined ? 'GET' : 'POST',
): Promise<{ status: number; body: T }> {
  const headers = 'csrf' in who ? { cookie: who.cookie ?? '', 'x-csrf-token': who.csrf ?? '' } : who;
  const answer = await fetch(`${campus.url}/api/v1/${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(45_000),
  });
  return { status: answer.status, body: (await answer.json().catch(() => ({}))) as T };
}

interface RuleNow {
  readonly kind: string;
  readonly active: number | null;
  readonly latest: number;
  readonly proposal: { readonly version: number | null; readonly digest: string | null; readonly by: string } | null;
  readonly problems: readonly string[];
  readonly versions: readonly {
    readonly version: number;
    readonly body: RuleBody;
    readonly approved: { readonly by: string } | null;
  }[];
}
const ruleNow = (id: string) => campus.get<RuleNow>(`rules/${id}`);
const file = (id: string) => join(campus.site.rules.folder, `${id}.yaml`);

async function propose(id: string, base: number, more: RuleBody): Promise<{ version: number; digest: string }> {
  const saved = await ask<{ version: number }>(lin, `rules/${id}/versions`, { body: bodyOf(id, more), why: 'x', base });
  expect(saved.status, JSON.stringify(saved.body)).toBe(200);
  const { version } = saved.body;
  const acted = await ask(lin, `rules/${id}/activate`, { version, why: 'x' });
  expect(acted.body, JSON.stringify(acted.body)).toMatchObject({ outcome: 'proposed' });
  return { version, digest: (await ruleNow(id)).proposal?.digest ?? '' };
}

async function coreAnswers(): Promise<void> {
  await until(async () => {
    expect(campus.status('core').state).toBe('ready');
    const { rules } = await campus.get<{ rules: { problems: string[] }[] }>('rules');
    expect(rules.flatMap(({ problems }) => problems).join()).not.toContain('core does not answer');
  });
}

beforeAll(async () => {
  campus = await startCampus({ only: ['web'], simulators: false, city: false });
  await coreAnswers();
  lin = await newPerson(campus, 'lin', 'facility');
  wang = await newPerson(campus, 'wang', 'security');
}, 90_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
});

describe('what comes over HTTP', () => {
  test('is refused in words when it is too much, no tree, another thing, or leads elsewhere', async () => {
    const tooMuch = `{"body":{"x":"${'x'.repeat(5_000_000)}"}}`;
    expect((await ask(lin, 'rules/check', tooMuch)).status).toBe(413);
    const deep = `{"body":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`;
    const looked = await ask(lin, 'rules/check', deep);
    expect([looked.status, looked.body.message]).toEqual([400, expect.stringContaining('nested more than')]);
    expect((await ask(lin, 'rehearsals', deep.replace('{', '{"rule":"x","from":0,"to":1,'))).status).toBe(400);
    const filled = `{"template":"co2-ventilate","id":"x","values":${deep}}`;
    expect((await ask(lin, 'rules/from-template', filled)).status).toBe(400);
    expect((await ask(lin, 'rules/check', '{"body":{"__proto__":{"kind":"safety"}}}')).status).toBe(400);
    for (const path of ['rules/..%2f..%2fcore/versions', 'rules/leak%00/versions', 'rules/leak@r301/versions']) {
      expect((await ask(lin, path, { body: bodyOf('leak'), why: 'x', base: 0 })).status).toBe(400);
    }
    for (const template of ['../smoke', 'comfort/co2-ventilate', '__proto__', 'constructor']) {
      const filled = await ask(lin, 'rules/from-template', { template, id: 'leak', values: {} });
      expect([template, filled.status]).toEqual([template, 404]);
    }
    const keys = { body: bodyOf('leak'), why: 'x', base: 0, origin: 'rollback', who: 'person:wang' };
    expect((await ask(lin, 'rules/leak/versions', keys)).status).toBe(400);
    expect((await ask(lin, 'rules/leak/activate', '{"version":1e400,"why":"x"}')).status).toBe(400);
    expect((await ask(lin, 'modes/constructor', { on: true, until: null, why: 'x' }, 'PUT')).status).toBe(404);
  }, 60_000);

  test('costs core nothing where a rule is small to write and large to run', async () => {
    const before = campus.pid('core');
    const stars = `${'*'.repeat(60)}x/${'*'.repeat(60)}x`;
    const globs = bodyOf('stars', {
      when: { kind: 'point', points: stars, test: { is: true }, onBad: 'ignore' },
      each: { place: 'device', of: '*/*' },
    });
    expect((await ask(lin, 'rules/check', { body: globs })).status).toBe(200);
    const everything = Array.from({ length: 60 }, (_, i) => ({
      ...{ kind: 'point', points: { of: '*/*', zones: campus.site.zones.map(({ id }) => id) } },
      ...{ test: { above: i }, onBad: 'ignore' },
    }));
    const large = bodyOf('large', {
      each: { place: 'device', of: '*/*' },
      when: { kind: 'any', conditions: everything },
    });
    expect((await ask(lin, 'rules/large/versions', { body: large, why: 'x', base: 0 })).status).toBe(200);
    for (const act of ['activate', 'shadow']) {
      const acted = await ask(lin, `rules/large/${act}`, { version: 1, why: 'x' });
      expect([acted.status, acted.body.error]).toEqual([409, 'rule-too-large']);
    }
    expect(campus.pid('core')).toBe(before);
  }, 60_000);
});

describe('two people for safety', () => {
  test('are not a token, nor somebody who may no longer, nor one who is gone', async () => {
    const { version, digest } = await propose('pump', 0, safety);
    const approval = { version, digest, why: 'x' };
    const program = await newToken(campus, 'program', ['see', 'rules', 'safety']);
    expect((await ask(program, 'rules/pump/approve', approval)).status).toBe(403);
    const zhou = await newPerson(campus, 'zhou', 'security');
    const people = () => campus.get<{ id: string; rev: number }[]>('people');
    const revOf = async (id: string) => (await people()).find((one) => one.id === id)?.rev ?? 0;
    await change('zhou', { rev: await revOf('zhou'), role: 'viewer', zones: ['teaching'] });
    // Another role ends his sessions.
    expect((await ask(zhou, 'rules/pump/approve', approval)).status).toBe(401);
    await change('zhou', { rev: await revOf('zhou'), disabled: true });
    expect((await ask(zhou, 'rules/pump/approve', approval)).status).toBe(401);
    expect(await ruleNow('pump')).toMatchObject({ active: null, proposal: { by: 'person:lin' } });
    const both = await Promise.all([1, 2].map(() => ask(wang, 'rules/pump/approve', approval)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const now = await ruleNow('pump');
    expect([now.active, now.versions[0]?.approved?.by]).toEqual([1, 'person:wang']);
  }, 60_000);

  test('and the files, whenever core is killed: what runs is what was approved, and its file says so', async () => {
    await propose('pump', 1, { ...safety, clearAfter: '1s' });
    let base = 2;
    for (let round = 0; round < 3; round++) {
      const now = await ruleNow('pump');
      const { version = null, digest = null } = now.proposal ?? {};
      const acts = [
        ask(wang, 'rules/pump/approve', { version, digest, why: 'x' }),
        ask(lin, `rules/fan-${round}/versions`, { body: bodyOf(`fan-${round}`), why: 'x', base: 0 }),
        ask(lin, 'rules/pump/versions', { body: bodyOf('pump', { kind: 'comfort' }), why: 'x', base }),
        ask(lin, 'rules/pump/activate', { version: null, why: 'x' }),
      ];
      await delay(round * 25);
      process.kill(campus.pid('core'), 'SIGKILL');
      await Promise.allSettled(acts);
      await until(() => expect(campus.status('core').restarts).toBeGreaterThan(round));
      await coreAnswers();
      const after = await ruleNow('pump');
      const running = after.versions.find((one) => one.version === after.active);
      expect(after.active).not.toBeNull();
      expect(running?.body.kind).toBe('safety');
      expect(running?.approved?.by).toBe('person:wang');
      expect(after.problems).toEqual([]);
      const parsed = parseRule(running?.body);
      await until(() => {
        const read = readRuleFile(readFileSync(file('pump'), 'utf8'));
        expect(read.ok && parsed.ok && ruleHash(read.rule) === ruleHash(parsed.rule)).toBe(true);
      });
      base = after.latest;
      if (after.proposal === null) await propose('pump', base++, { ...safety, clearAfter: `${round + 2}s` });
    }
  }, 120_000);

  test('an editor in the folder while core runs changes nothing before the next start, and then waits for people', async () => {
    const before = await ruleNow('pump');
    const body = before.versions.find(({ version }) => version === before.active)?.body ?? {};
    writeFileSync(file('pump'), JSON.stringify({ ...body, clearAfter: '31d' }));
    const { restarts } = campus.status('core');
    process.kill(campus.pid('core'), 'SIGKILL');
    await until(() => expect(campus.status('core').restarts).toBeGreaterThan(restarts));
    await coreAnswers();
    const after = await ruleNow('pump');
    expect([after.active, after.proposal?.by]).toEqual([before.active, 'file']);
    expect(after.problems.join()).toContain('is not what two people approved');
  }, 60_000);
});

describe('rehearsals', () => {
  const window = { from: Date.now() - 3_600_000, to: Date.now() };
  const wish = { rule: 'fan-0', body: bodyOf('fan-0'), ...window, against: null };
  interface View {
    readonly id: string;
    readonly state: string;
    readonly message: string;
  }

  test('are two at once, of a bounded window, each its owner’s, and end when they are ended', async () => {
    const started = await Promise.all(Array.from({ length: 10 }, () => ask<View>(lin, 'rehearsals', wish)));
    expect(started.map(({ status }) => status).sort()).toEqual([200, 200, ...Array.from({ length: 8 }, () => 429)]);
    const mine = started.filter(({ status }) => status === 200).map(({ body }) => body.id);
    for (const id of mine) {
      expect((await ask(wang, `rehearsals/${id}`)).status).not.toBe(200);
      expect((await ask(lin, `rehearsals/${id}`, undefined, 'DELETE')).status).toBe(200);
      await until(async () => expect((await ask<View>(lin, `rehearsals/${id}`)).body.state).toMatch(/ended|done/));
    }
    for (const [from, to] of [
      [0, window.to],
      [window.to, window.from],
      [-1, window.to],
      [0, 1e20],
    ]) {
      expect((await ask(lin, 'rehearsals', { ...wish, from, to })).status).toBe(400);
    }
  }, 60_000);

  test('of a rule made to hurt say that it cannot run, and serve the next one', async () => {
    const points = { of: `${'*'.repeat(60)}x/*`, zones: campus.site.zones.map(({ id }) => id) };
    const hurting = bodyOf('fan-0', {
      each: { place: 'device', of: '*/*' },
      when: {
        kind: 'any',
        conditions: Array.from({ length: 60 }, () => ({
          kind: 'rate',
          points,
          change: { rises: 1 },
          within: '31d',
          onBad: 'ignore',
        })),
      },
    });
    for (const body of [hurting, { rule: 1 }, bodyOf('fan-0')]) {
      const { body: view } = await ask<View>(lin, 'rehearsals', { ...wish, body });
      const ended = async () => (await ask<View>(lin, `rehearsals/${view.id}`)).body;
      await until(async () => expect((await ended()).state).toMatch(/done|failed/));
      const { state, message } = await ended();
      if (body === hurting) continue;
      expect([state, message]).toEqual(
        'kind' in body ? ['done', ''] : ['failed', expect.stringContaining('is missing')],
      );
    }
  }, 90_000);
});

/** As whoever owns the box. */
async function change(id: string, body: object): Promise<void> {
  const owner = { authorization: `Bearer ${readFileSync(join(campus.data, 'admin-token'), 'utf8').trim()}` };
  const answer = await ask(owner, `people/${id}`, body, 'PATCH');
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}
