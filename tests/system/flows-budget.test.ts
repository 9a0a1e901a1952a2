import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Child, flowsRoom, secret } from './flows-room.ts';

/* What one tab takes is put down to it alone; who hangs the process has a name. Real Node-RED, real broker. */

const soon = { timeout: 20_000, interval: 50 };
/** As long as it takes to tell; a real one looks at ten seconds and stops after a minute. */
const budget = { window: 2_000, haltAfter: 3_000, haltFor: 3_600_000, cpu: 0.2, messages: 300, refused: 40 };

interface Entry {
  readonly id: string;
  readonly [key: string]: unknown;
}
// Without a place on the page a node would be taken for a configuration.
const tab = (id: string, label: string, nodes: Entry[]): Entry[] => [
  { id, type: 'tab', label },
  ...nodes.map((node) => ({ z: id, x: 100, y: 100, wires: [], ...node })),
];
/** Takes the CPU in slices by a timer, which no timeout of a function sees. */
const hog = tab('hog', 'other/hog', [
  { id: 'h-in', type: 'campus reading', point: 'button-1/pressed', qualityChanges: false, wires: [['h-f']] },
  {
    id: 'h-f',
    type: 'function',
    name: 'busy',
    func: 'if (msg.payload) setInterval(() => { for (const end = Date.now() + 60; Date.now() < end;); }, 80);',
    outputs: 1,
    wires: [[]],
  },
  { id: 'h-ask', type: 'campus reading', point: 'button-2/pressed', qualityChanges: false, wires: [['h-out']] },
  hold('h-out', 'relay-1/relay_1', 'h-answer'),
  remember('h-answer'),
]);
const good = tab('good', 'other/good', [
  { id: 'g-in', type: 'campus reading', point: 'button-2/pressed', qualityChanges: false, wires: [['g-out']] },
  hold('g-out', 'relay-1/relay_2', ''),
]);

function hold(id: string, point: string, next: string) {
  const how = { value: 'payload', valueType: 'msg', seconds: '60', reason: 'test' };
  return { id, type: 'campus hold', point, name: id, ...how, wires: [next === '' ? [] : [next]] };
}
/** Tells in the flow's own context what was answered, where the control can be asked for it. */
function remember(id: string) {
  return { id, type: 'function', func: 'flow.set("answer", msg.payload.outcome);', outputs: 0 };
}

interface State {
  problem: string | null;
  isSafeMode: boolean;
  tabs: {
    id: string;
    state: string;
    disabled: boolean;
    budget: { why: string; offender: { node: string } | null } | null;
    ended: { node: string; times: number[] } | null;
    versions: { version: number; by: string; why: string }[];
  }[];
  removed: { tab: string }[];
}

const headers = (mode: string) => ({ 'x-campus-token': `${secret}:${mode}:wang`, 'content-type': 'application/json' });
const call = (child: Child, path: string, body?: object, mode = 'edit') =>
  fetch(`http://127.0.0.1:${child.port}${path}`, {
    headers: headers(mode),
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
const stateOf = async (child: Child): Promise<State> =>
  (await (await call(child, '/flows-control/state')).json()) as State;
const tabOf = async (child: Child, id: string) => (await stateOf(child)).tabs.find((one) => one.id === id);
const answerOf = async (child: Child, id: string): Promise<unknown> => {
  const found = (await (await call(child, `/flows-editor/context/flow/${id}/answer`)).json()) as { msg?: unknown };
  return found.msg;
};
const deploy = (child: Child, flows: readonly object[]) => call(child, '/flows-editor/flows', flows);

describe('a tab that takes more than its budget', () => {
  let room: Awaited<ReturnType<typeof flowsRoom>>;
  let child: Child;
  beforeAll(async () => {
    room = await flowsRoom();
    await room.writeFlow('other/hog.json', hog);
    await room.writeFlow('other/good.json', good);
    child = await room.start({ budget });
  }, 60_000);
  afterAll(async () => {
    await child?.[Symbol.asyncDispose]();
    await room?.[Symbol.asyncDispose]();
  });

  it('is named with its node, told to core, and its requests are refused while another tab asks on', async () => {
    await room.say('button-1/pressed', true);
    await vi.waitFor(async () => expect((await tabOf(child, 'hog'))?.state).toBe('over-budget'), soon);
    const { budget: taken } = (await tabOf(child, 'hog')) ?? {};
    expect(taken).toMatchObject({ why: expect.stringContaining('of a core'), offender: { node: 'h-f' } });
    await vi.waitFor(() => expect(room.said[0]).toMatchObject({ ask: 'report', state: 'over-budget' }), soon);
    expect(room.said[0]?.origin).toBe('flow:other/hog/busy');
    await room.say('button-2/pressed', true);
    await vi.waitFor(() => expect(room.asked).toHaveLength(1), soon);
    expect(room.asked[0]).toMatchObject({ point: 'relay-1/relay_2', origin: 'flow:other/good/g-out' });
    await vi.waitFor(async () => expect(await answerOf(child, 'hog')).toBe('over-budget'), soon);
    expect((await tabOf(child, 'good'))?.state).toBe('running');
  });

  it('is stopped when it goes on, and starts again with a deploy', async () => {
    await vi.waitFor(async () => expect((await tabOf(child, 'hog'))?.state).toBe('halted'), soon);
    await vi.waitFor(() => expect(room.said.at(-1)).toMatchObject({ state: 'halted' }), soon);
    const before = room.asked.length;
    await room.say('button-2/pressed', false);
    await vi.waitFor(() => expect(room.asked).toHaveLength(before + 1), soon);
    expect(room.asked.at(-1)).toMatchObject({ point: 'relay-1/relay_2', value: false });
    // Its timers are gone with it: the process is calm again.
    await vi.waitFor(() => expect(child.silence()).toBeLessThan(200), soon);
    await room.say('button-1/pressed', false);
    const since = room.asked.length;
    expect((await deploy(child, [...hog, ...good])).status).toBe(204);
    await vi.waitFor(async () => expect((await tabOf(child, 'hog'))?.state).toBe('running'), soon);
    const points = () => room.asked.slice(since).map(({ point }) => point);
    await vi.waitFor(() => expect(points()).toContain('relay-1/relay_1'), soon);
  });
});

describe('earlier versions of a tab', () => {
  let room: Awaited<ReturnType<typeof flowsRoom>>;
  let child: Child;
  beforeAll(async () => {
    room = await flowsRoom();
    await room.writeFlow('other/good.json', good);
    child = await room.start();
  }, 60_000);
  afterAll(async () => {
    await child?.[Symbol.asyncDispose]();
    await room?.[Symbol.asyncDispose]();
  });
  const current = async () => (await (await call(child, '/flows-editor/flows')).json()) as object[];

  it('are kept from the shipped one on, and gone back to through a deploy of Node-RED', async () => {
    const changed = good.map((node) => (node.id === 'g-out' ? { ...node, seconds: '7' } : node));
    expect((await deploy(child, changed)).status).toBe(204);
    const [shipped, edited] = (await tabOf(child, 'good'))?.versions ?? [];
    expect([shipped, edited]).toMatchObject([
      { version: 1, by: 'file' },
      { version: 2, by: 'wang' },
    ]);
    const diff = await (await call(child, '/flows-control/tabs/good/diff?from=1&to=2')).json();
    expect(diff).toMatchObject({ nodes: [{ id: 'g-out', what: 'changed', keys: ['seconds'] }] });
    const back = await call(child, '/flows-control/tabs/good/rollback', { version: 1, why: 'too short' });
    expect(await back.json()).toEqual({ version: 3 });
    expect(await current()).toEqual(good);
    expect((await tabOf(child, 'good'))?.versions.at(-1)).toMatchObject({ by: 'wang', why: 'too short' });
    await vi.waitFor(() => expect(child.deployments).toHaveLength(2), soon);
  });

  it('bring a removed tab back', async () => {
    expect((await deploy(child, [{ id: 'x', type: 'tab', label: 'other/x' }])).status).toBe(204);
    expect((await stateOf(child)).removed).toMatchObject([{ tab: 'good' }]);
    const back = await call(child, '/flows-control/tabs/good/rollback', { version: 3, why: 'missed' });
    expect(back.status).toBe(200);
    expect(await current()).toHaveLength(1 + good.length);
  });

  it('do not get round a lock, and are for those who may edit', async () => {
    const locked = good.map((node) => (node.id === 'good' ? { ...node, locked: true } : node));
    expect((await deploy(child, locked)).status).toBe(204);
    const refused = await call(child, '/flows-control/tabs/good/rollback', { version: 1, why: 'x' });
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: 'tab-locked' }]);
    expect((await call(child, '/flows-control/tabs/good/rollback', { version: 1, why: 'x' }, 'view')).status).toBe(403);
    expect((await call(child, '/flows-control/restart', { why: 'x' }, 'view')).status).toBe(403);
    expect((await call(child, '/flows-control/state', undefined, 'view')).status).toBe(200);
    const made = { 'x-campus-token': 'made-up:edit:wang' };
    expect((await fetch(`http://127.0.0.1:${child.port}/flows-control/state`, { headers: made })).status).toBe(401);
  });

  it.each([
    ['GET', '/flows-control/tabs/good/versions/99', 404],
    ['GET', '/flows-control/tabs/..%2f..%2fetc/versions/1', 404],
    ['GET', '/flows-control/tabs/good/versions/x', 400],
    ['GET', '/flows-control/nothing', 404],
    ['GET', '/flows-control/tabs/%zz/diff', 400],
    ['POST', '/flows-control/tabs/good/rollback', 400],
    ['DELETE', '/flows-control/state', 404],
    ['GET', '/flows-editor/..%2fflows-control/state', 404],
  ])('are asked for in words that are checked: %s %s', async (method, path, status) => {
    const body = method === 'POST' ? { body: '{"version":0}' } : {};
    const answer = await fetch(`http://127.0.0.1:${child.port}${path}`, { method, headers: headers('edit'), ...body });
    expect(answer.status).toBe(status);
  });
});

it('a node that hangs the process has a name at the next start, and its tab is disabled after the second time', async () => {
  await using room = await flowsRoom();
  const spin = tab('spin', 'other/spin', [
    { id: 's-in', type: 'campus reading', point: 'button-1/pressed', qualityChanges: false, wires: [['s-f']] },
    { id: 's-f', type: 'function', name: 'spins', func: '(async () => { while (true) await null; })();', outputs: 0 },
  ]);
  await room.writeFlow('other/spin.json', spin);
  await room.writeFlow('other/good.json', good);
  await room.say('button-1/pressed', true);
  for (const _ of [1, 2]) {
    await using hanging = await room.start();
    await vi.waitFor(() => expect(hanging.silence()).toBeGreaterThan(800), soon);
    const exited = once(hanging.process, 'exit', { signal: AbortSignal.timeout(5_000) });
    hanging.process.kill('SIGKILL');
    await exited;
  }
  await using child = await room.start();
  expect(await tabOf(child, 'spin')).toMatchObject({ state: 'quarantined', disabled: false, ended: { node: 's-f' } });
  await room.say('button-2/pressed', true);
  await vi.waitFor(() => expect(room.asked).toMatchObject([{ point: 'relay-1/relay_2' }]), soon);
  expect(child.silence()).toBeLessThan(2_000);
  // Deploying the others leaves it as it is; mending and enabling it is a new beginning.
  const given = (await (await call(child, '/flows-editor/flows')).json()) as { id: string; func?: string }[];
  expect(given.find(({ id }) => id === 'spin')).toMatchObject({ disabled: true });
  expect((await deploy(child, [...given, { id: 'x', type: 'tab', label: 'other/x' }])).status).toBe(204);
  expect((await tabOf(child, 'spin'))?.state).toBe('quarantined');
  const mended = given.map((node) => ({
    ...node,
    ...(node.id === 'spin' ? { disabled: false } : {}),
    ...(node.func === undefined ? {} : { func: 'return msg;' }),
  }));
  expect((await deploy(child, mended)).status).toBe(204);
  await vi.waitFor(
    async () => expect(await tabOf(child, 'spin')).toMatchObject({ state: 'running', ended: null }),
    soon,
  );
}, 90_000);

it('safe mode is left by a restart that somebody asks for', async () => {
  await using room = await flowsRoom();
  await room.writeFlow('other/good.json', good);
  await using child = await room.start({ safeMode: true });
  expect(await stateOf(child)).toMatchObject({ problem: 'safe-mode', isSafeMode: true, tabs: [{ state: 'stopped' }] });
  const answer = await call(child, '/flows-control/restart', { why: 'mended' });
  expect(await answer.json()).toEqual({ problem: null });
  expect(await stateOf(child)).toMatchObject({ problem: null, tabs: [{ state: 'running' }] });
  await room.say('button-2/pressed', true);
  await vi.waitFor(() => expect(room.asked).toHaveLength(1), soon);
}, 60_000);
