import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Right, Zones } from '#edge/domain/access.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { RuleDecision } from '#edge/domain/rule.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newTokenSecret } from '#edge/web/people/tokens.ts';
import { storeRules } from './stored-rules.ts';
import { startWebRoom, type WebRoom } from './web-room.ts';

/* Rules over HTTP: a real store and RPC socket; of core only what it answers is made up. */

type Ask = (path: string, init?: RequestInit) => Promise<Response>;
const time = 1_793_577_600_000;
const called: { method: string; params: Record<string, unknown> }[] = [];
let room: WebRoom;
let whole: Ask;
let guard: Ask;

const instance = (id: string, fired = false) => ({
  instance: id,
  rule: id,
  version: 1,
  place: null,
  fired,
  since: fired ? time : null,
  blind: false,
  coolsUntil: null,
});
const seen = (ref: string) => ({ ref: ref as PointRef, value: true, quality: 'good' as const, time });
const decision = (rule: string, n: number, more: Partial<RuleDecision> = {}): RuleDecision => ({
  time: time + n,
  rule,
  instance: rule,
  version: 1,
  shadow: false,
  what: 'fired',
  why: 'smoke-101/smoke is true (good), fire-panel/alarm is true (good)',
  saw: [seen('smoke-101/smoke'), seen('fire-panel/alarm')],
  did: ['hold speaker-gate/clip="evacuation" at 1', 'hold relay-1/relay_5=false at 1'],
  ...more,
});
const condition = (...refs: string[]) => ({
  ...{ kind: 'point', path: 'when', met: true, dueAt: null, count: refs.length, needs: 1, parts: [] },
  points: refs.map((ref) => ({ ...seen(ref), met: true })),
});

async function someone(id: string, scopes: Right[], zones: Zones): Promise<Ask> {
  const { secret, digest } = newTokenSecret(id);
  const times = { created: time, expires: null, lastUsed: null };
  const body = { name: id, digest, scopes, zones: zones === 'all' ? zones : [...zones], by: 'person:li', ...times };
  const document = { kind: 'token', id, rev: 0, time, who: 'person:li', from: 'test', why: '', body } as const;
  await room.store?.append({ documents: [document] });
  return (path, init = {}) =>
    room.ask(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
}

const json = async <T>(ask: Ask, path: string): Promise<T> => (await (await ask(path)).json()) as T;
const send = (ask: Ask, path: string, body: object, method = 'POST') =>
  ask(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

beforeAll(async () => {
  const answers: Record<string, (params: Record<string, unknown>) => unknown> = {
    'rule.list': () => ({
      rules: [{ id: 'fire', instances: 1, fired: 1, blind: 0, problems: ['unknown point smoke-999/smoke'] }],
      broken: [{ file: 'bad.yaml', message: 'line 1: is no YAML' }],
    }),
    'rule.now': ({ id }) => ({ instances: [instance(String(id), true)], problems: [] }),
    'rule.why': ({ instance: asked }) => ({
      instance: instance(String(asked), true),
      when: { ...condition(), kind: 'any', parts: [condition('smoke-101/smoke'), condition('fire-panel/alarm')] },
      while: [],
      holds: [
        { ref: 'relay-1/relay_5', value: false },
        { ref: 'speaker-gate/clip', value: 'evacuation' },
      ],
    }),
    'rule.save': () => ({ version: 2, problems: [] }),
    'rule.check': () => ({ mistakes: [], problems: [], instances: ['x'], tests: [] }),
    'rule.activate': ({ id }) => {
      if (id === 'fire') throw new CodedError('RULE_NEEDS_PERSON', 'for people');
      return { outcome: 'done', message: 'v1 runs' };
    },
    'rule.approve': () => ({ outcome: 'done', message: 'v1 runs' }),
    'mode.set': ({ on, until }) => ({ on, since: time, until, by: 'token:whole', why: 'x' }),
  };
  const methods = Object.entries(answers).map(([name, answer]) => [
    name,
    async (params: unknown) => {
      called.push({ method: name, params: params as Record<string, unknown> });
      return answer(params as Record<string, unknown>);
    },
  ]);
  room = await startWebRoom({ methods: Object.fromEntries(methods) });
  await storeRules(room.store);
  whole = await someone('whole', ['see', 'operate', 'rules', 'safety'], 'all');
  guard = await someone('guard', ['see', 'operate', 'rules', 'safety'], ['gate']);
  await room.store?.append({
    journal: [decision('fire', 1), decision('leak', 2), decision('fire', 3, { shadow: true }), decision('gone', 4)],
  });
});
afterAll(async () => await room[Symbol.asyncDispose]());

describe('everybody', () => {
  test('sees every rule with how far it is, and what core says of it now', async () => {
    interface Rules {
      rules: Record<string, unknown>[];
      broken: unknown[];
    }
    const { rules, broken } = await json<Rules>(whole, '/api/v1/rules');
    expect(rules.map(({ id }) => id)).toEqual([
      'after-hours-gate',
      'after-hours-playground',
      'fire',
      'leak',
      'overload',
      'smoke',
    ]);
    expect(rules.find(({ id }) => id === 'fire')).toMatchObject({
      kind: 'safety',
      priority: 1,
      state: 'active',
      active: 1,
      hasDraft: false,
      fired: 1,
      lastFired: time + 1,
      problems: ['unknown point smoke-999/smoke'],
    });
    expect(broken).toEqual([{ file: 'bad.yaml', message: 'line 1: is no YAML' }]);
    expect((await json<Rules>(guard, '/api/v1/rules')).rules).toHaveLength(6);
    const one = await json<{ versions: unknown[]; now: unknown[] }>(whole, '/api/v1/rules/fire');
    expect(one.versions).toMatchObject([{ version: 1, from: 'file', approved: null, body: { id: 'fire' } }]);
    expect(one.now).toMatchObject([{ instance: 'fire', fired: true }]);
    expect((await whole('/api/v1/rules/nothing')).status).toBe(404);
  });

  test('reads why a rule is fired as far as his zones go', async () => {
    interface Why {
      when: { parts: { points: { ref: string }[] }[] };
      holds: { ref: string }[];
      last: RuleDecision;
    }
    const all = await json<Why>(whole, '/api/v1/rules/fire/why');
    expect(all.when.parts.map(({ points }) => points.map(({ ref }) => ref))).toEqual([
      ['smoke-101/smoke'],
      ['fire-panel/alarm'],
    ]);
    const his = await json<Why>(guard, '/api/v1/rules/fire/why');
    expect(his.when.parts.map(({ points }) => points.map(({ ref }) => ref))).toEqual([[], ['fire-panel/alarm']]);
    expect(his.holds.map(({ ref }) => ref)).toEqual(['speaker-gate/clip']);
    expect(his.last.saw.map(({ ref }) => ref)).toEqual(['fire-panel/alarm']);
    expect(JSON.stringify(his)).not.toContain('smoke-101');
    expect((await guard('/api/v1/rules/leak/why')).status).toBe(404);
    expect((await whole('/api/v1/rules/leak/why?instance=fire')).status).toBe(404);
  });

  test('reads the journal of what reaches into his zones, in words that tell nothing of elsewhere', async () => {
    const rulesOf = async (ask: Ask, path: string) => (await json<RuleDecision[]>(ask, path)).map(({ rule }) => rule);
    expect(await rulesOf(whole, '/api/v1/journal')).toEqual(['gone', 'fire', 'leak', 'fire']);
    expect(await rulesOf(guard, '/api/v1/journal')).toEqual(['fire', 'fire']);
    expect(await rulesOf(guard, '/api/v1/journal?shadow=false')).toEqual(['fire']);
    expect(await rulesOf(guard, '/api/v1/rules/leak/journal')).toEqual([]);
    const [line] = await json<RuleDecision[]>(guard, '/api/v1/rules/fire/journal?limit=1');
    expect(line?.saw).toHaveLength(1);
    expect(JSON.stringify(line)).not.toMatch(/smoke-101|relay-1/);
    const [newest] = await json<{ seq: number }[]>(whole, '/api/v1/journal?limit=1');
    expect(await rulesOf(whole, `/api/v1/journal?before=${newest?.seq}`)).toEqual(['fire', 'leak', 'fire']);
  });
});

describe('who writes rules', () => {
  test('is passed on with his address, and told what core refuses', async () => {
    called.length = 0;
    const body = { rule: 1, id: 'leak' };
    const saved = await send(whole, '/api/v1/rules/leak/versions', { body, why: 'better', base: 1 });
    expect(await saved.json()).toEqual({ version: 2, problems: [] });
    expect(called).toEqual([
      {
        method: 'rule.save',
        params: { id: 'leak', body, why: 'better', base: 1, origin: 'person', who: 'token:whole', from: '127.0.0.1' },
      },
    ]);
    expect(await (await send(whole, '/api/v1/rules/check', { body })).json()).toMatchObject({ instances: ['x'] });
    expect((await send(whole, '/api/v1/rules/leak/activate', { version: 1, why: 'x' })).status).toBe(200);
    expect((await send(whole, '/api/v1/rules/fire/activate', { version: 1, why: 'x' })).status).toBe(403);
    expect((await send(whole, '/api/v1/rules/fire/approve', { version: 1, why: 'x' })).status).toBe(400);
    const digest = 'a'.repeat(64);
    expect((await send(whole, '/api/v1/rules/fire/approve', { version: 1, digest, why: 'x' })).status).toBe(200);
    expect(called.at(-1)?.params).toMatchObject({ id: 'fire', version: 1, digest, who: 'token:whole' });
  });

  test('sees the whole campus: a rule knows no zones', async () => {
    called.length = 0;
    for (const act of ['versions', 'activate', 'shadow', 'approve', 'reject', 'remove']) {
      expect(
        (await send(guard, `/api/v1/rules/leak/${act}`, { version: 1, why: 'x', body: {}, base: 0 })).status,
        act,
      ).toBe(403);
    }
    expect((await send(guard, '/api/v1/modes/exam', { on: true, until: null, why: 'x' }, 'PUT')).status).toBe(403);
    expect(called).toEqual([]);
  });

  test('fills in templates that come with the program', async () => {
    const templates = await json<{ id: string; parameters: { id: string; default?: unknown }[] }[]>(
      whole,
      '/api/v1/rules/templates',
    );
    expect(templates.length).toBeGreaterThan(0);
    const [first] = templates;
    const answer = await send(whole, '/api/v1/rules/from-template', { template: first?.id, id: 'mine', values: {} });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ body: { id: 'mine' }, version: null });
    expect((await send(whole, '/api/v1/rules/from-template', { template: 'nothing', id: 'mine' })).status).toBe(404);
  });
});

test('modes of the site file are listed, and set through core', async () => {
  const modes = await json<{ id: string; on: boolean }[]>(guard, '/api/v1/modes');
  expect(modes).toContainEqual(expect.objectContaining({ id: 'exam', on: false, since: null }));
  const until = systemClock.now() + 3_600_000;
  const answer = await send(whole, '/api/v1/modes/exam', { on: true, until, why: 'x' }, 'PUT');
  expect(await answer.json()).toMatchObject({ id: 'exam', on: true, until, by: 'token:whole' });
  expect((await send(whole, '/api/v1/modes/nothing', { on: true, until: null, why: 'x' }, 'PUT')).status).toBe(404);
});

test('with core away rules are shown all the same, and that nothing is known of them now', async () => {
  await using alone = await startWebRoom({ methods: null });
  await storeRules(alone.store);
  const answer = await alone.ask('/api/v1/rules');
  const { rules } = (await answer.json()) as { rules: { problems: string[] }[] };
  expect(rules).toHaveLength(6);
  for (const { problems } of rules) expect(problems[0]).toContain('core does not answer');
  expect((await alone.ask('/api/v1/rules/fire')).status).toBe(200);
  expect((await alone.ask('/api/v1/rules/fire/why')).status).toBe(503);
});
