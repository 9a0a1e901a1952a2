import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Browser, type OpenPage, startBrowser } from '../e2e/browser.ts';
import { makePerson, signIn } from '../e2e/people.ts';
import { type RunningCampus, startCampus } from './campus.ts';
import { newToken, signIn as signInByApi } from './people-client.ts';

/*
 * Whoever may write flows can answer in the editor's place: a function node gets out of its sandbox in one line. An
 * administrator opens the editor, in the same browser and at the same address as the console. What can be taken from him?
 */

const soon = { timeout: 40_000, interval: 100 };
const folder = mkdtempSync(join(tmpdir(), 'hostile-editor-'));
let campus: RunningCampus;
let browser: Browser;
let open: OpenPage;
let page: Page;

/** Runs inside Node-RED: answers below /flows-editor/evil with what an attacker would send. */
const takeOver = `
  const http = this.constructor.constructor('return process')().getBuiltinModule('http');
  const emit = http.Server.prototype.emit;
  const answers = {
    page: [200, 'text/html', '<!doctype html><title>evil</title><script>window.isEvil = true</script>'],
    worker: [200, 'text/javascript', 'self.onfetch = () => {}'],
    away: [302, 'text/plain', ''],
  };
  http.Server.prototype.emit = function (name, request, response) {
    const wanted = name === 'request' && /^\\/flows-editor\\/evil\\/(\\w+)/.exec(request.url);
    if (!wanted) return emit.apply(this, arguments);
    const [status, type, body] = answers[wanted[1]];
    response.writeHead(status, {
      'content-type': type,
      'content-security-policy': "default-src * 'unsafe-inline' 'unsafe-eval'; frame-ancestors *",
      'cross-origin-opener-policy': 'same-origin',
      'access-control-allow-origin': '*',
      'service-worker-allowed': '/',
      'clear-site-data': '"cookies"',
      refresh: '0;url=/',
      'set-cookie': ['campus=planted; Path=/api', 'other=planted; Path=/'],
      ...(status === 302 ? { location: '/api/v1/me' } : {}),
    });
    response.end(body);
    return true;
  };`;

beforeAll(async () => {
  mkdirSync(join(folder, 'other'), { recursive: true });
  const nodes = [
    { id: 't', type: 'tab', label: 'other/hostile' },
    {
      id: 'i',
      type: 'inject',
      z: 't',
      once: true,
      onceDelay: 0.1,
      props: [],
      repeat: '',
      x: 120,
      y: 80,
      wires: [['f']],
    },
    { id: 'f', type: 'function', z: 't', name: 'take over', func: takeOver, outputs: 1, x: 320, y: 80, wires: [[]] },
  ];
  writeFileSync(join(folder, 'other/hostile.json'), JSON.stringify(nodes));
  [campus, browser] = await Promise.all([
    startCampus({
      only: ['web', 'flows'],
      simulators: false,
      city: false,
      change: (site) => ({ ...site, flows: { ...site.flows, folder } }),
    }),
    startBrowser(),
  ]);
  await vi.waitFor(() => {
    for (const name of ['core', 'web', 'flows']) expect(campus.status(name).state, name).toBe('ready');
  }, soon);
  await makePerson(campus, 'lin', '林涛', 'administrator');
  open = await browser.open({ language: 'en' });
  page = open.page;
  page.setDefaultTimeout(30_000);
  await signIn(page, campus.url, 'lin');
}, 120_000);
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await campus?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

test('the real editor works in its confinement, code editor and live connection included', async () => {
  open.wrong.length = 0;
  await page.goto(`${campus.url}/flows-editor/`);
  await page.dblclick('.red-ui-flow-node-group:has-text("take over")');
  await page.waitForSelector('.monaco-editor .view-line:visible');
  await page.waitForFunction('globalThis.RED?.comms !== undefined');
  await page.click('#node-dialog-cancel');
  expect(open.wrong.filter((line) => /policy/i.test(line))).toEqual([]);
}, 60_000);

test('a page in its place is held to our policies, plants nothing, and gets no hold of the console', async () => {
  const answer = await page.goto(`${campus.url}/flows-editor/evil/page`);
  expect(await page.evaluate('window.isEvil')).toBe(true);
  const headers = await answer?.allHeaders();
  expect(headers?.['content-security-policy']).toContain(`connect-src ${campus.url}/flows-editor/ ws://`);
  for (const name of [
    'set-cookie',
    'service-worker-allowed',
    'clear-site-data',
    'refresh',
    'access-control-allow-origin',
  ])
    expect(headers?.[name], name).toBeUndefined();
  expect((await open.context.cookies()).map(({ name }) => name)).toEqual(['campus']);
  const tried = await page.evaluate<Record<string, string>>(`(async () => {
    const tried = {};
    const attempt = async (name, act) => {
      try { tried[name] = String(await act()).slice(0, 100); } catch (error) { tried[name] = 'refused'; }
    };
    const read = (path, options) => fetch(path, options).then(async (answer) => {
      const text = await answer.text();
      return text.includes('csrf') || text.includes('lin') ? 'TAKEN' : 'nothing';
    });
    const heard = (source, good) => new Promise((resolve) => {
      source.addEventListener(good, () => resolve('TAKEN'));
      source.addEventListener('error', () => resolve('refused'));
      setTimeout(() => resolve('nothing'), 3000);
    });
    await attempt('who one is', () => read('/api/v1/me'));
    await attempt('the same by another spelling', () => read('/flows-editor/../api/v1/me'));
    await attempt('the same by a way round', () => read('/flows-editor/evil/away'));
    await attempt('a module', () => import('/api/v1/me', { with: { type: 'json' } }).then(() => 'TAKEN'));
    await attempt('a back-up', () => read('/api/v1/backups'));
    await attempt('the page', () => read('/'));
    await attempt('the stream', () => heard(new EventSource('/api/v1/stream'), 'open'));
    await attempt('a worker of others', () => heard(new Worker('/assets/x.js'), 'message'));
    await attempt('a worker that stays', () =>
      navigator.serviceWorker.register('/flows-editor/evil/worker', { scope: '/' }).then(() => 'TAKEN'));
    await attempt('a worker that stays below', () =>
      navigator.serviceWorker.register('/flows-editor/evil/worker').then(() => 'TAKEN'));
    for (const path of ['/', '/api/v1/me', '/%zz', '/?' + 'a'.repeat(20000), '/api/v1/stream', '/ca.crt', '/healthz']) {
      await attempt('a window: ' + path.slice(0, 20), () => (window.open(path) === null ? 'refused' : 'TAKEN'));
    }
    await attempt('a frame', () => new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.onload = () => resolve(frame.contentDocument?.URL?.includes('/api/') ? 'TAKEN' : 'nothing');
      frame.src = '/api/v1/me';
      document.body.append(frame);
      setTimeout(() => resolve('nothing'), 3000);
    }));
    await attempt('its own', () => read('/flows-editor/evil/page'));
    return tried;
  })()`);
  expect(tried['its own']).toBe('nothing');
  for (const [name, outcome] of Object.entries(tried)) expect(['refused', 'nothing'], name).toContain(outcome);
  expect(Object.keys(tried).length).toBe(19);
  expect(open.context.pages()).toHaveLength(1);
}, 60_000);

test('answers that no route makes cannot be opened and held either: they have the policies of all others', async () => {
  const paths = ['/api/v1/stream', '/%zz', `/?${'a'.repeat(20_000)}`, '/nothing', '/api/v1/me', '/ca.crt', '/'];
  const ending = new AbortController();
  const { cookie } = await signInByApi(campus, 'lin', 'Zhong-Ying-4817');
  for (const path of paths) {
    const answer = await fetch(`${campus.url}${path}`, { headers: { cookie }, signal: ending.signal });
    expect(answer.headers.get('cross-origin-opener-policy'), path.slice(0, 20)).toBe('same-origin');
    expect(answer.headers.get('content-security-policy'), path.slice(0, 20)).toContain("default-src 'none'");
    expect(answer.headers.get('content-security-policy'), path.slice(0, 20)).toContain("frame-ancestors 'none'");
  }
  ending.abort();
});

test('flows know no zones: who is limited to some neither sees nor edits them', async () => {
  const token = await newToken(campus, 'everywhere', ['flows-view', 'flows-edit', 'see']);
  const made = await campus.post<{ secret: string }>('tokens', {
    id: 'at-the-gate',
    name: 'gate',
    scopes: ['flows-view', 'flows-edit', 'see'],
    zones: ['gate'],
  });
  const gate = { authorization: `Bearer ${made.secret}` };
  const statusOf = async (headers: Record<string, string>) =>
    (await fetch(`${campus.url}/flows-editor/flows`, { headers: { accept: 'application/json', ...headers } })).status;
  expect(await statusOf(token)).toBe(200);
  expect(await statusOf(gate)).toBe(403);
  const seen = await fetch(`${campus.url}/api/v1/campus`, { headers: gate });
  expect(await seen.json()).toMatchObject({ flowsEditor: false });
});
