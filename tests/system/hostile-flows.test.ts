import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { paths } from '#edge/processes/context.ts';
import { openReader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* A function node of Node-RED that has got out of its sandbox, which takes it one line. */

const soon = { timeout: 45_000, interval: 100 };
const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
const data = join(folder, 'data');
const flows = join(folder, 'flows');
const state = paths.flowsState(data);
let campus: RunningCampus;

/** Runs `code` once when Node-RED starts; `host` is the real `process`, `load` the modules of Node. */
function writeFlow(code: string): void {
  const preamble = `const host = this.constructor.constructor('return process')();
    const load = (name) => host.getBuiltinModule(name);
    const fs = load('fs');
    ${code}`;
  mkdirSync(join(flows, 'other'), { recursive: true });
  writeFileSync(
    join(flows, 'other/hostile.json'),
    JSON.stringify([
      { id: 't', type: 'tab', label: 'other/hostile' },
      { id: 'i', type: 'inject', z: 't', once: true, onceDelay: 0.1, props: [], repeat: '', wires: [['f']] },
      { id: 'f', type: 'function', z: 't', func: preamble, outputs: 1, wires: [[]] },
    ]),
  );
}

const result = join(state, 'result.json');
const lives = join(state, 'lives');
const quoted = JSON.stringify;

/** How its lives ended, in turn; each deed is done in a life of its own, and the last life is a quiet one. */
const deeds: readonly (readonly [code: string, end: string])[] = [
  ['host.reallyExit(7);', 'exit 7'],
  ["Promise.reject(new Error('left alone'));", 'exit 1'],
  ["fs.writeSync(3, 'nonsense\\n');", 'a message that is not JSON'],
  [
    'const kept = []; (function take() { kept.push(Buffer.alloc(2e7, 1)); load("timers").setTimeout(take, 15); })();',
    'more than 768 MB of memory',
  ],
];

beforeAll(async () => {
  mkdirSync(flows, { recursive: true });
  writeFlow('');
  campus = await startCampus({
    only: ['flows', 'web'],
    simulators: false,
    city: false,
    data,
    // A crash is forgotten at once: otherwise the third one opens the editor without the flows.
    times: { crashWindow: 1 },
    change: (site) => ({ ...site, flows: { ...site.flows, folder: flows } }),
  });
  await vi.waitFor(() => {
    for (const name of ['core', 'web', 'flows']) expect(campus.status(name).state, name).toBe('ready');
  }, soon);
}, 120_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Nobody else has noticed anything. */
function expectOthersWell(): void {
  for (const name of ['core', 'web']) {
    expect(campus.status(name)).toMatchObject({ name, state: 'ready', restarts: 0 });
  }
}

/** Starts Node-RED anew with that code, and waits until it has written its result. */
async function runAnew(code: string): Promise<void> {
  rmSync(result, { force: true });
  writeFlow(code);
  process.kill(campus.pid('flows'), 'SIGKILL');
  await vi.waitFor(() => expect(existsSync(result)).toBe(true), soon);
}

describe('a hostile function node', () => {
  test('reads none of our files, starts nothing, and reaches none of our processes', async () => {
    const core = campus.pid('core');
    await runAnew(`
      const tried = {};
      const attempt = (name, act) => {
        try { act(); tried[name] = 'done'; } catch (error) { tried[name] = String(error.code); }
      };
      const data = ${JSON.stringify(data)};
      for (const file of ['admin-token', 'credentials.json', 'campus.db', 'core.sock.keys/all',
        'core.sock.keys/interlock.reset', 'supervisor.lock', 'run/core.pid'])
        attempt('read ' + file, () => fs.readFileSync(data + '/' + file));
      attempt('read environment', () => fs.readFileSync('/proc/${core}/environ'));
      attempt('read own command line', () => fs.readFileSync('/proc/self/cmdline'));
      attempt('list data', () => fs.readdirSync(data));
      attempt('write data', () => fs.writeFileSync(data + '/evil', 'x'));
      attempt('link', () => fs.symlinkSync(data, ${JSON.stringify(state)} + '/way-out'));
      attempt('hard link', () => fs.linkSync(data + '/admin-token', ${JSON.stringify(state)} + '/token'));
      attempt('program', () => load('child_process').execSync('id'));
      attempt('thread', () => new (load('worker_threads').Worker)('0', { eval: true }));
      attempt('debugger', () => load('inspector').open(0));
      attempt('binding', () => host.binding('fs'));
      attempt('add-on', () => host.dlopen({ exports: {} }, '/tmp/x.node'));
      attempt('kill core', () => host.kill(${core}, 'SIGKILL'));
      attempt('kill core below', () => { if (host._kill(${core}, 9) !== 0) throw new Error(); });
      attempt('debug core', () => host._debugProcess(${core}));
      attempt('kill supervisor', () => host.kill(host.ppid, 'SIGKILL'));
      attempt('slow core', () => load('os').setPriority(${core}, 19));
      attempt('open the doors', () => Object.defineProperty(host, 'kill', { value: 1 }));
      fs.writeFileSync(${JSON.stringify(result)}, JSON.stringify(tried));`);
    const tried: Record<string, string> = JSON.parse(readFileSync(result, 'utf8'));
    const { 'open the doors': doors, ...others } = tried;
    expect(doors).not.toBe('done');
    for (const [name, outcome] of Object.entries(others)) {
      expect(['ERR_ACCESS_DENIED', 'FLOWS_FORBIDDEN', 'ERR_DLOPEN_DISABLED'], name).toContain(outcome);
    }
    expect(Object.keys(others)).toHaveLength(23);
    expectOthersWell();
  });

  test('may call nothing of core but say what was saved, in the name of no person', async () => {
    await runAnew(`
      const net = load('net');
      const key = fs.readFileSync(${quoted(join(data, 'core.sock.keys/flows.saved'))}, 'utf8').trim();
      const calls = {
        reset: ['interlock.reset', { id: 'fire', reason: 'x', who: 'person:lin', from: 'x' }],
        forge: ['audit', { who: 'person:lin', from: '10.0.0.1', what: 'alarm.acknowledge', why: 'x', result: 'x' }],
        saved: ['flows.saved', { user: 'lin', deployment: '{}' }],
        other: ['flows.saved', { user: 'lin', deployment: '{}', who: 'person:lin' }],
      };
      const ask = (first, name = 'reset') => new Promise((resolve) => {
        const [method, params] = calls[name];
        const call = JSON.stringify({ id: 1, method, params });
        const socket = net.connect(${quoted(join(data, 'core.sock'))});
        let heard = '';
        socket.on('data', (bytes) => { heard += bytes; socket.end(); });
        socket.on('error', () => {});
        socket.on('close', () => resolve(heard));
        socket.write(first + call + '\\n');
      });
      (async () => {
        const mine = JSON.stringify({ key }) + '\\n';
        const answers = [await ask(''), await ask('{"key":"guess"}\\n')];
        for (const name of Object.keys(calls)) answers.push(await ask(mine, name));
        fs.writeFileSync(${quoted(result)}, JSON.stringify(answers));
      })();`);
    const notGranted = expect.stringContaining('RPC_NOT_GRANTED');
    const done = expect.stringContaining('"result"');
    const wrong = expect.stringContaining('RPC_PARAMS');
    expect(JSON.parse(readFileSync(result, 'utf8'))).toEqual(['', '', notGranted, notGranted, done, wrong]);
    using reader = openReader(data);
    const lines = reader.newestAudit(1_000);
    expect(lines).toContainEqual(expect.objectContaining({ who: 'process:flows', why: 'by lin', result: 'saved' }));
    expect(lines.filter(({ who }) => who === 'person:lin')).toEqual([]);
    expectOthersWell();
  });

  test('that exits, leaves a rejection alone, writes nonsense to the supervisor or takes all memory ends itself only', async () => {
    const acts = deeds.map(([code]) => `() => { ${code} }`).join(', ');
    await runAnew(`
      const life = fs.existsSync(${quoted(lives)}) ? fs.readFileSync(${quoted(lives)}, 'utf8').length : 0;
      fs.writeFileSync(${quoted(lives)}, 'x'.repeat(life + 1));
      fs.writeFileSync(${quoted(result)}, '{}');
      const act = [${acts}][life];
      if (act) load('timers').setTimeout(act, 50);`);
    const seen = new Set<string | null>();
    await vi.waitFor(
      () => {
        seen.add(campus.status('flows').lastExit);
        expect([...seen]).toEqual(expect.arrayContaining(deeds.map(([, end]) => end)));
        expect(campus.status('flows').state).toBe('ready');
      },
      { timeout: 70_000, interval: 20 },
    );
    expectOthersWell();
  }, 90_000);

  test('in the same box, what a person deploys is saved and written into the audit', async () => {
    const authorization = `Bearer ${readFileSync(join(data, 'admin-token'), 'utf8').trim()}`;
    const tab = [{ id: 'g', type: 'tab', label: 'notify/good' }];
    await vi.waitFor(async () => {
      const headers = { authorization, 'content-type': 'application/json', 'node-red-deployment-type': 'full' };
      const body = JSON.stringify(tab);
      const deployed = await fetch(`${campus.url}/flows-editor/flows`, { method: 'POST', headers, body });
      expect(deployed.status).toBe(204);
    }, soon);
    expect(JSON.parse(readFileSync(join(flows, 'notify/good.json'), 'utf8'))).toEqual(tab);
    await vi.waitFor(async () => {
      const { lines } = await campus.get<{ lines: { who: string; what: string; why: string }[] }>('audit?limit=100');
      expect(lines).toContainEqual(expect.objectContaining({ who: 'token:local', what: 'flows.deploy' }));
      const saved = lines.find(({ what }) => what.includes('notify/good.json'));
      expect(saved).toMatchObject({ who: 'process:flows', why: 'by token:local' });
    }, soon);
  });

  test('whose flows do not run says so where devices are looked at', async () => {
    writeFlow('');
    writeFileSync(
      join(flows, 'other/hostile.json'),
      '[{"id":"t","type":"tab","label":"x"},{"id":"n","type":"nobody-knows","z":"t","wires":[]}]',
    );
    process.kill(campus.pid('flows'), 'SIGKILL');
    await vi.waitFor(async () => {
      const devices = await campus.get<{ device: string; state: string; message: string }[]>('devices');
      expect(devices.find(({ device }) => device === 'flows')).toMatchObject({
        state: 'misconfigured',
        message: expect.stringContaining('nobody-knows'),
      });
    }, soon);
  });
});
