import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { paths } from '#edge/processes/context.ts';
import { openReader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/*
 * A function node of Node-RED that has got out of its sandbox, which takes it one line (`constructor.constructor`). What it
 * tries, what holds, and where that is tried:
 *
 * endless loop: plain           function timeout names the node                            flows-loop
 * endless loop: microtasks      killed after 8 s of silence, named at the next start,       flows-loop, flows-budget,
 *                               disabled the second time; the siren sounds meanwhile        smoke-while-flows-spin
 * endless loop: timers          over budget, refused, stopped; others run                   flows-budget
 * leaks memory, buffers         heap cap, 768 MB of resident memory                         here
 * leaves a rejection, exits     its own process ends, named                                 here
 * files, /etc/passwd, programs, Node's permission model                                     here
 *   threads, debugger, add-ons
 * kills, slows, debugs others   doors.ts                                                    here
 * environment                   there is nothing in it                                      here
 * opens ports                   doors.ts                                                    here
 * require and import            give what the process may have, and no more                 here
 * RPC of core                   one method, in nobody's name                                here
 * floods the bus (10,000 /s)    core answers a few, the others go on                        here
 * asks as somebody else         ACL of the broker, by connection                            here
 * huge messages                 256 KB a packet; its own memory                             here
 * pollutes prototypes           its own process only; strict decoding                       here, unit/flows-host/wish
 * takes over the editor         policies, headers, rights                                   hostile-editor
 * admin routes without a name   401                                                         flows-editor, web-flows
 */

const root = join(import.meta.dirname, '../..');
const soon = { timeout: 45_000, interval: 100 };
const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
const data = join(folder, 'data');
const flows = join(folder, 'flows');
const state = paths.flowsState(data);
let campus: RunningCampus;

let tabs = 0;

/**
 * Runs each `code` once when Node-RED starts, on a tab of its own that is new: one that ended the process twice would be started
 * disabled. `host` is the real `process`, `load` gives the modules of Node.
 */
function writeFlow(...codes: readonly string[]): void {
  const nodes = codes.flatMap((code) => {
    const id = `t${++tabs}`;
    const preamble = `const host = this.constructor.constructor('return process')();
      const load = (name) => host.getBuiltinModule(name);
      const fs = load('fs');
      ${code}`;
    const inject = { type: 'inject', z: id, once: true, onceDelay: 0.1, props: [], repeat: '', wires: [[`f-${id}`]] };
    return [
      { id, type: 'tab', label: `other/hostile ${id}` },
      { id: `i-${id}`, ...inject },
      { id: `f-${id}`, type: 'function', z: id, func: preamble, outputs: 1, wires: [[]] },
    ];
  });
  mkdirSync(join(flows, 'other'), { recursive: true });
  writeFileSync(join(flows, 'other/hostile.json'), JSON.stringify(nodes));
}

const result = join(state, 'result.json');
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
async function runAnew(...codes: readonly string[]): Promise<void> {
  rmSync(result, { force: true });
  writeFlow(...codes);
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
      attempt('read passwd', () => fs.readFileSync('/etc/passwd'));
      attempt('list data', () => fs.readdirSync(data));
      attempt('write data', () => fs.writeFileSync(data + '/evil', 'x'));
      attempt('link', () => fs.symlinkSync(data, ${JSON.stringify(state)} + '/way-out'));
      attempt('hard link', () => fs.linkSync(data + '/admin-token', ${JSON.stringify(state)} + '/token'));
      attempt('program', () => load('child_process').execSync('id'));
      attempt('thread', () => new (load('worker_threads').Worker)('0', { eval: true }));
      attempt('debugger', () => load('inspector').open(0));
      attempt('binding', () => host.binding('fs'));
      attempt('add-on', () => host.dlopen({ exports: {} }, '/tmp/x.node'));
      const { createRequire } = load('module');
      const require = createRequire(${JSON.stringify(join(root, 'package.json'))});
      attempt('program by require', () => require('child_process').spawnSync('id'));
      attempt('add-on by require', () => new (require('better-sqlite3'))(':memory:'));
      attempt('file by require', () => require('/etc/passwd'));
      attempt('listen', () => load('net').createServer().listen(0));
      attempt('listen by http', () => load('http').createServer().listen(0, '0.0.0.0'));
      attempt('listen on a path', () => load('net').createServer().listen(${JSON.stringify(join(state, 'x.sock'))}));
      attempt('bind', () => load('dgram').createSocket('udp4').bind(0));
      attempt('kill core', () => host.kill(${core}, 'SIGKILL'));
      attempt('kill core below', () => { if (host._kill(${core}, 9) !== 0) throw new Error(); });
      attempt('debug core', () => host._debugProcess(${core}));
      attempt('kill supervisor', () => host.kill(host.ppid, 'SIGKILL'));
      attempt('slow core', () => load('os').setPriority(${core}, 19));
      attempt('open the doors', () => Object.defineProperty(host, 'kill', { value: 1 }));
      await import('fs').then(() => { tried['file by import'] = 'done'; }, ({ code }) => { tried['file by import'] = code; });
      const environment = Object.keys(host.env);
      fs.writeFileSync(${JSON.stringify(result)}, JSON.stringify({ tried, environment }));`);
    const { tried, environment } = JSON.parse(readFileSync(result, 'utf8')) as {
      tried: Record<string, string>;
      environment: string[];
    };
    const { 'open the doors': doors, ...others } = tried;
    expect(doors).not.toBe('done');
    // What Node-RED itself puts there, and what programs need to run.
    const known = /^(PATH|HOME|TZ|LANG|TMPDIR|NODE_RED_HOME|NODE_CHANNEL_.*|NODE_UNIQUE_ID)$/;
    expect(environment.filter((name) => !known.test(name))).toEqual([]);
    for (const [name, outcome] of Object.entries(others)) {
      // What may not be looked at is not found by require; a function has no import at all.
      const byName: Record<string, string> = {
        'file by require': 'MODULE_NOT_FOUND',
        'file by import': 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING',
      };
      const held = ['ERR_ACCESS_DENIED', 'FLOWS_FORBIDDEN', 'ERR_DLOPEN_DISABLED', byName[name]];
      expect(held, name).toContain(outcome);
    }
    expect(Object.keys(others)).toHaveLength(32);
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

  test('floods the bus, asks as somebody else, sends what is huge: core answers a few, the broker cuts it off', async () => {
    const before = campus.status('core');
    await runAnew(`
      const net = load('net');
      const text = (words) => { const bytes = Buffer.from(words); return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]); };
      const packet = (first, body, claim = body.length) => {
        const length = [];
        for (let rest = claim; length.length === 0 || rest > 0; ) { let digit = rest % 128; rest = (rest - digit) / 128; length.push(rest > 0 ? digit | 128 : digit); }
        return Buffer.concat([Buffer.from([first, ...length]), body]);
      };
      const publish = (topic, body, claim) => packet(0x30, Buffer.concat([text(topic), Buffer.from(JSON.stringify(body))]), claim);
      // The connection of the process itself: its password is nowhere to be read, its socket is.
      const mine = () => host._getActiveHandles().find((one) => one.remotePort === ${campus.site.mqtt.port});
      const wish = { point: 'relay-1/relay_1', value: true, priority: 12, seconds: 1, reason: 'flood' };
      const wait = (ms) => new Promise((resolve) => load('timers').setTimeout(resolve, ms));
      const until = async (what) => { for (let i = 0; i < 200 && !what(); i++) await wait(25); return what(); };
      const connect = (client, password) => new Promise((resolve) => {
        const socket = net.connect(${campus.site.mqtt.port}, '127.0.0.1');
        const flags = Buffer.from([4, 0xc2, 0, 60]);
        socket.on('error', () => {});
        socket.on('data', (bytes) => { resolve(bytes[3]); socket.destroy(); });
        socket.on('close', () => resolve('closed'));
        socket.write(packet(0x10, Buffer.concat([text('MQTT'), flags, text(client), text(client), text(password)])));
      });
      (async () => {
        const told = { refused: [] };
        for (const client of ['web', 'core', 'fieldbus', 'supervisor']) told.refused.push(await connect(client, 'guess'));
        await until(mine);
        // 10,000 requests in a second, in the name of flows.
        for (let i = 0; i < 100; i++) {
          const many = Array.from({ length: 100 }, () => publish('v1/request/flows', wish));
          mine()?.write(Buffer.concat(many));
          await wait(10);
        }
        told.flooded = true;
        await wait(500);
        told.cut = {};
        for (const [name, bytes] of [
          ['as web', publish('v1/request/web', { ...wish, priority: 8 })],
          ['a command', publish('v1/command/fieldbus', { id: 'x' })],
          ['an alarm', publish('v1/out/alarm/01939d5e-0000-7000-8000-000000000000', {})],
          ['a reading', publish('v1/in/smoke-101/samples', { s: [['smoke', false]] })],
          ['a health', publish('v1/out/health/core', {})],
          ['100 MB', publish('v1/request/flows', wish, 100_000_000)],
        ]) {
          await until(() => mine()?.writable);
          const socket = mine();
          let isCut = false;
          socket?.on('close', () => { isCut = true; });
          socket?.write(bytes);
          told.cut[name] = socket !== undefined && (await until(() => isCut));
        }
        fs.writeFileSync(${quoted(result)}, JSON.stringify(told));
      })();`);
    const told = JSON.parse(readFileSync(result, 'utf8'));
    // 4 or 5: bad user name or password, not authorised.
    for (const code of told.refused) expect([4, 5, 'closed']).toContain(code);
    expect(told.cut).toEqual({
      'as web': true,
      'a command': true,
      'an alarm': true,
      'a reading': true,
      'a health': true,
      '100 MB': true,
    });
    expect(campus.status('core')).toMatchObject({ pid: before.pid, restarts: 0, state: 'ready' });
    using reader = openReader(data);
    const asked = reader.newestAudit(2_000).filter(({ who, why }) => who === 'client:flows' && why === 'flood');
    // 200 at once and ten a second: the disk hardly notices.
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.length).toBeLessThan(400);
    expectOthersWell();
  }, 90_000);

  test('that pollutes prototypes pollutes its own process: core asks for the same strict words as ever', async () => {
    await runAnew(`
      const outside = host.constructor.constructor('return Object')();
      outside.prototype.priority = 1;
      outside.prototype.client = 'web';
      outside.prototype.who = 'person:lin';
      outside.prototype.ask = 'alarm';
      outside.prototype.toJSON = function () { return { point: 'relay-1/relay_1', value: true, priority: 1, seconds: 9, reason: 'pollution', ...this }; };
      fs.writeFileSync(${quoted(result)}, '{}');`);
    await vi.waitFor(async () => {
      const outputs = await campus.get<{ ref: string; holder: string | null }[]>('outputs');
      expect(outputs.find(({ ref }) => ref === 'relay-1/relay_1')?.holder ?? null).toBeNull();
    }, soon);
    using reader = openReader(data);
    const lines = reader.newestAudit(2_000).filter(({ why }) => why === 'pollution');
    for (const line of lines) expect(line).toMatchObject({ who: 'client:flows' });
    expectOthersWell();
  });

  test('that exits, leaves a rejection alone, writes nonsense to the supervisor or takes all memory ends itself only', async () => {
    // Each deed on its own tab, in a life of its own: when the deed before it was done in another life.
    const marker = (i: number) => quoted(join(state, `deed-${i}`));
    await runAnew(
      `fs.writeFileSync(${quoted(result)}, '{}');`,
      ...deeds.map(
        ([code], i) => `
        const doneIn = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');
        const before = ${i === 0 ? "'nobody'" : `doneIn(${marker(i - 1)})`};
        if (doneIn(${marker(i)}) !== '' || before === '' || before === String(host.pid)) return;
        fs.writeFileSync(${marker(i)}, String(host.pid));
        load('timers').setTimeout(() => { ${code} }, 50);`,
      ),
    );
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
