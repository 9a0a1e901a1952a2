import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Child, flowsRoom, secret } from './flows-room.ts';

let room: Awaited<ReturnType<typeof flowsRoom>>;
let child: Child;
beforeAll(async () => {
  room = await flowsRoom();
  child = await room.start();
});
afterAll(async () => {
  await child?.[Symbol.asyncDispose]();
  await room?.[Symbol.asyncDispose]();
});

const campusTypes = [
  'campus reading',
  'campus event',
  'campus alarm in',
  'campus calendar',
  'campus history',
  'campus hold',
  'campus broadcast',
  'campus alarm',
  'campus notify',
];
const asWang = { 'x-campus-token': `${secret}:edit:wang` };
const call = (path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${child.port}${path}`, { ...init, signal: AbortSignal.timeout(10_000), redirect: 'manual' });
const get = (path: string, headers: Record<string, string> = asWang) => call(path, { headers });
const deploy = (flows: unknown, more: Record<string, string> = {}) =>
  call('/flows-editor/flows', {
    method: 'POST',
    headers: { ...asWang, 'content-type': 'application/json', ...more },
    body: JSON.stringify(flows),
  });

describe('the flow editor', () => {
  it('starts with no flows at all', () => {
    expect(child.problem).toBeNull();
  });

  const routes = [
    '/',
    '/flows-editor',
    '/flows-editor/',
    '/flows-editor/flows',
    '/flows-editor/nodes',
    '/flows-editor/settings',
    '/flows-editor/settings/user',
    '/flows-editor/context/global',
    '/flows-editor/library/local/flows/',
    '/flows-editor/auth/login',
    '/flows-editor/locales/editor',
    '/flows-editor/red/red.min.js',
    '/flows-editor/plugins',
    '/flows-editor/diagnostics',
  ];
  it.each(routes)('shows %s to nobody without the token', async (path) => {
    for (const headers of [
      {},
      { 'x-campus-token': 'wrong:edit:wang' },
      { 'x-campus-token': `${secret}:wang` },
      { 'x-campus-token': `${secret}:admin:wang` },
      { 'x-campus-token': secret },
      { authorization: `Bearer ${secret}` },
    ]) {
      expect((await get(path, headers as Record<string, string>)).status).toBe(401);
    }
  });

  it('takes no deploy without the token, and has no login of its own', async () => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[]' };
    expect((await call('/flows-editor/flows', init)).status).toBe(401);
    const login = JSON.stringify({
      client_id: 'node-red-admin',
      grant_type: 'password',
      scope: '*',
      username: 'admin',
      password: 'x',
    });
    const tried = await call('/flows-editor/auth/token', {
      ...init,
      body: login,
      headers: { ...init.headers, ...asWang },
    });
    expect(tried.status).toBe(403);
  });

  it('serves the editor, our nodes with both languages, and none of the nodes that would let a flow out', async () => {
    const page = await get('/flows-editor/');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Campus Edge');
    const answer = await get('/flows-editor/nodes', { ...asWang, accept: 'application/json' });
    const sets = (await answer.json()) as { types: string[]; err?: string }[];
    const types = sets.flatMap((set) => (set.err === undefined ? set.types : []));
    expect(types).toEqual(expect.arrayContaining([...campusTypes, 'function', 'switch', 'http request']));
    for (const type of ['exec', 'file', 'file in', 'watch', 'tcp in', 'udp in', 'websocket in', 'http in']) {
      expect(types).not.toContain(type);
    }
    const templatesIn = async (language: string) =>
      await (await get('/flows-editor/nodes', { ...asWang, accept: 'text/html', 'accept-language': language })).text();
    const templates = await templatesIn('zh-CN');
    const inEnglish = await templatesIn('en-US');
    for (const type of campusTypes) {
      expect(templates.includes(`data-template-name="${type}"`), type).toBe(true);
      expect(templates.includes(`data-help-name="${type}" data-lang="zh-CN"`), type).toBe(true);
      expect(inEnglish.includes(`data-help-name="${type}" data-lang="en-US"`), type).toBe(true);
    }
    // The TypeScript of a node is not for the browser.
    expect(templates.includes('doorOf')).toBe(false);
    for (const [lang, word] of [
      ['zh-CN', '保持输出'],
      ['en-US', 'hold output'],
    ] as const) {
      const catalog = await (await get(`/flows-editor/nodes/messages?lng=${lang}`)).text();
      expect(catalog).toContain(word);
    }
  });

  it('installs nothing', async () => {
    const tried = await call('/flows-editor/nodes', {
      method: 'POST',
      headers: { ...asWang, 'content-type': 'application/json' },
      body: JSON.stringify({ module: 'node-red-contrib-anything' }),
    });
    expect(tried.status).toBeGreaterThanOrEqual(400);
  });

  it('writes a deployed tab to its file and says who did it', async () => {
    const flows = [
      { id: 'f1', type: 'tab', label: 'notify/hello' },
      { id: 'n1', type: 'comment', z: 'f1', name: 'x', wires: [] },
    ];
    expect((await deploy(flows)).status).toBe(204);
    await vi.waitFor(() => expect(child.deployments).toHaveLength(1));
    expect(child.deployments[0]).toEqual({ user: 'wang', written: ['notify/hello.json'], removed: [], tabs: ['f1'] });
    const file = join(room.folder, 'flows/notify/hello.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(flows);
    expect(await (await get('/flows-editor/flows')).json()).toEqual(flows);
  });

  it('refuses a locked tab and a forbidden node in words, and goes on with what runs', async () => {
    const locked = [{ id: 'f1', type: 'tab', label: 'notify/hello', locked: true }];
    expect((await deploy(locked)).status).toBe(204);
    const changed = await deploy([{ ...locked[0], info: 'changed' }]);
    expect(changed.status).toBe(403);
    expect(await changed.text()).toContain('is locked');
    const forbidden = await deploy([...locked, { id: 'x', type: 'exec', command: 'reboot' }]);
    expect(forbidden.status).toBe(400);
    expect(await forbidden.text()).toContain('not allowed here');
    expect(await (await get('/flows-editor/flows')).json()).toEqual(locked);
    expect(await readdir(join(room.folder, 'flows'))).toEqual(['notify']);
  });

  it('opens its live connection with the token only', async () => {
    const url = `ws://127.0.0.1:${child.port}/flows-editor/comms`;
    const anonymous = new WebSocket(url);
    const [refused] = await once(anonymous, 'error', { signal: AbortSignal.timeout(5000) });
    expect(String(refused)).toContain('401');
    const live = new WebSocket(url, { headers: asWang });
    await once(live, 'open', { signal: AbortSignal.timeout(5000) });
    live.send(JSON.stringify({ subscribe: 'notification/#' }));
    const [message] = await once(live, 'message', { signal: AbortSignal.timeout(20_000) });
    expect(JSON.parse(String(message))).toBeInstanceOf(Array);
    live.terminate();
  });

  it('listens on 127.0.0.1 and nowhere else', async () => {
    for (const host of ['127.0.0.2', '::1']) {
      const socket = connect({ host, port: child.port });
      const [error] = await once(socket, 'error', { signal: AbortSignal.timeout(5000) });
      expect(String(error)).toContain('ECONNREFUSED');
    }
  });
});

it('opens with the flows stopped and the reason said when a node type is missing', async () => {
  await using other = await flowsRoom();
  await other.writeFlow('other/x.json', [
    { id: 't', type: 'tab', label: 'x' },
    { id: 'n', type: 'nobody knows this', z: 't', wires: [] },
  ]);
  await using broken = await other.start();
  expect(broken.problem).toBe('missing-types: ["nobody knows this"]');
  const page = await fetch(`http://127.0.0.1:${broken.port}/flows-editor/flows`, { headers: asWang });
  expect(page.status).toBe(200);
});
