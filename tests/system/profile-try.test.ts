import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '#edge/runtime/clock.ts';
import { createCjt188Meter } from '#edge/simulators/meter-cjt188.ts';
import { createDlt645Meter } from '#edge/simulators/meter-dlt645.ts';
import { startMeterLine } from '#edge/simulators/meter-line.ts';
import { type SimServer, startModbusServer } from '#edge/simulators/modbus-server.ts';
import { countingFace, countingFlow } from '../contract/meter-rig.ts';
import { campus, host, load, meterUnit } from './try-rig.ts';

/* `campus profile try` and `campus scan` as a technician uses them, against meters that are wired, set or described wrongly. */

const secondary = { current_l1: 4.6 / 40, current_l2: 5.01 / 40, current_l3: 5.52 / 40 };
const turned = { power_l2: -1_102, power: 1_109, power_factor: 0.318 };
const started = clock.monotonic();
/** What a right counter counts of the load, kWh; `times`: as one in another unit would. */
const counting = (times: number) => (name: string) =>
  name === 'energy_import' ? 1_000 + (times * 3_313 * (clock.monotonic() - started)) / 3_600_000_000 : undefined;

let tcp: SimServer;
let rtu: SimServer;
let far: SimServer;
const sdm = 'meter/eastron-sdm630';
beforeAll(async () => {
  const units = new Map([
    [1, meterUnit(sdm)],
    [2, meterUnit(sdm, { order: 'CDAB' })],
    [3, meterUnit('meter/chint-dtsu666', { isOtherTable: true })],
    [4, meterUnit(sdm, { values: secondary })],
    [5, meterUnit(sdm, { values: turned })],
    [6, meterUnit('meter/janitza-umg96rm', { shift: 1 })],
    [7, meterUnit(sdm, {}, counting(1))],
    [8, meterUnit(sdm, {}, counting(1_000))],
  ]);
  tcp = await startModbusServer({ host, port: 0, framing: 'mbap', units });
  rtu = await startModbusServer({
    host,
    port: 0,
    framing: 'rtu',
    units: new Map([
      [1, meterUnit(sdm)],
      [3, meterUnit('meter/chint-dtsu666')],
      [4, meterUnit(sdm)],
    ]),
    fault: ({ unit }) => (unit === 4 ? { kind: 'collision' } : null),
  });
  far = await startModbusServer({ host, port: 0, framing: 'mbap', units: new Map([[1, meterUnit(sdm)]]) });
});
afterAll(async () => {
  for (const server of [tcp, rtu, far]) await server[Symbol.asyncDispose]();
});

const at = (unit: number) => `tcp://${host}:${tcp.port}/${unit}`;

describe('campus profile try', () => {
  it('says of a meter that is right that it works and is plausible, what was compared, and ends with 0', async () => {
    const { code, out } = await campus('profile', 'try', sdm, at(1));
    expect(out).toContain('works, and what it says is plausible');
    expect(out).toMatch(/voltage_l1 +230\.2 V +good +Voltage L1/);
    expect(out).toContain('+ power_l1 + power_l2 + power_l3 is within 3 % of power');
    expect(out).toContain('+ sum of the phases 3313 W, total 3313 W');
    expect(code).toBe(0);
  });

  it.each([
    [sdm, 2, 'order', 'its byte order is CDAB', 'bus: { order: CDAB }'],
    ['meter/chint-dtsu666', 3, 'table', 'its values are in the input registers (function 04)', 'bus: { fc: input }'],
    [sdm, 4, 'current-ratio', 'times 40 (200/5 A for one)', 'current: { scale: 40 }'],
    [sdm, 5, 'turned', 'the current transformer on L2 is the wrong way round', ''],
    ['meter/janitza-umg96rm', 6, 'base', 'addresses are one higher', '# every at: + 1'],
  ])('finds out what is wrong with %s, unit %i: %s', async (profile, unit, kind, words, yaml) => {
    const { code, out } = await campus('profile', 'try', profile, at(unit), '--json');
    const { judgement } = JSON.parse(out);
    expect(judgement.proposals[0]).toMatchObject({ kinds: [kind] });
    expect(judgement.proposals[0].says.en).toContain(words);
    expect(judgement.proposals[0].profile).toContain(yaml);
    expect(judgement.proposals[0].compared.length).toBeGreaterThan(3);
    expect(judgement.suspicions.length).toBeGreaterThan(0);
    expect(code).toBe(1);
  });

  it('compares the counter with what flows, and finds out one that counts Wh for kWh', async () => {
    const watch = (unit: number) => campus('profile', 'try', sdm, at(unit), '--minutes', '0.1', '--json');
    const [right, wrong] = await Promise.all([watch(7), watch(8)]);
    const importOf = ({ out }: { out: string }) =>
      JSON.parse(out).energy.find((one: { point: string }) => one.point === 'energy_import');
    expect(right.err).toContain('minutes to go');
    expect(importOf(right)).toMatchObject({ state: 'fits', factor: null });
    expect(importOf(right).expected).toBeGreaterThan(4);
    expect(importOf(wrong)).toMatchObject({ state: 'differs', factor: 0.001 });
    expect([right.code, wrong.code]).toEqual([0, 1]);
  });

  it('reads RTU over TCP, DL/T 645 and CJ/T 188 by their real drivers', async () => {
    const face = { ...countingFace(), current: [1, 2, 3], power: [230, 460, 690], powerFactor: 1 };
    const electric = createDlt645Meter({ clock, face, address: '000000000161', model: 'M1' });
    const water = createCjt188Meter({
      clock,
      face: countingFlow(),
      type: 0x10,
      address: '00000012345678',
      diOrder: '1F90',
    });
    await using line = await startMeterLine({ host, port: 0, baud: null, meters: [electric, water] });
    const [over, dlt645, cjt188] = await Promise.all([
      campus('profile', 'try', sdm, `rtu+tcp://${host}:${rtu.port}/1?baud=9600`),
      campus('profile', 'try', 'meter/dlt645-2007', `dlt645+tcp://${host}:${line.port}/000000000161`),
      campus('profile', 'try', 'water/cjt188-water', `cjt188+tcp://${host}:${line.port}/12345678`),
    ]);
    expect(over.out).toContain('is plausible');
    expect(dlt645.out).toMatch(/voltage_l3 +230\.3 V +good/);
    expect(dlt645.out).toContain('+ sum of the phases 1380 W, total 1380 W');
    expect(cjt188.out).toContain('works');
    expect([over.code, dlt645.code, cjt188.code]).toEqual([0, 0, 0]);
  });

  it.each([
    [['meter/eastron-sdm630'], 'PROFILE and ADDRESS are needed'],
    [['meter/eastron-sdm630', '10.0.3.7'], 'is no address such as tcp://'],
    [['meter/eastron-sdm630', 'tcp://127.0.0.1/300'], 'unit "300" is not 1..247'],
    [['meter/eastron-sdm630', 'tcp://127.0.0.1/1?bauds=9600'], '"bauds" in the address is none of'],
    [['meter/dlt645-2007', 'cjt188+tcp://127.0.0.1:4001/1'], 'the address says cjt188'],
    [['meter/dlt645-2007', 'dlt645+tcp://127.0.0.1/1'], 'needs the port of the serial server'],
    [['camera/onvif-generic', 'tcp://127.0.0.1/1'], 'campus device try PROFILE --address JSON'],
  ])('says what is wrong with %j and ends with 2', async (words, message) => {
    const { code, err } = await campus('profile', 'try', ...words);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });

  it('ends with 1 and says so when nobody answers', async () => {
    const { code, out } = await campus('profile', 'try', sdm, `tcp://${host}:1/1`);
    expect(out).toContain('does not work');
    expect(code).toBe(1);
  });
});

describe('campus scan', () => {
  it('finds the units of a line, two with one number, and the profiles that fit', async () => {
    const { code, out } = await campus(
      'scan',
      `modbus+rtu+tcp://${host}:${rtu.port}`,
      '--units',
      '2-4',
      '--timeout',
      '150',
      '--json',
    );
    const { found, isWhole } = JSON.parse(out);
    expect(found.map((one: { unit: number; state: string }) => [one.unit, one.state])).toEqual([
      [3, 'answers'],
      [4, 'collision'],
    ]);
    const paths = (i: number) => found[i].fits.map(({ path }: { path: string }) => path);
    expect(paths(0)).toEqual(['meter/chint-dtsu666']);
    expect(found[0].address).toBe(`rtu+tcp://${host}:${rtu.port}/3`);
    expect({ code, isWhole }).toEqual({ code: 0, isWhole: true });
  });

  it('finds DL/T 645 meters by the digits that tell them apart, and one CJ/T 188 meter of a kind', async () => {
    const electric = (address: string) => createDlt645Meter({ clock, face: countingFace(), address, model: 'M1' });
    const water = createCjt188Meter({
      clock,
      face: countingFlow(),
      type: 0x10,
      address: '00000012345678',
      diOrder: '1F90',
    });
    const meters = [electric('000000000161'), electric('000000000262'), water];
    await using line = await startMeterLine({ host, port: 0, baud: null, meters });
    const { out } = await campus('scan', `rtu+tcp://${host}:${line.port}`, '--units', '1', '--timeout', '40', '--json');
    const found = JSON.parse(out).found.map((one: { meter: string; fits: { path: string }[] }) => [
      one.meter,
      one.fits.map(({ path }) => path).join(),
    ]);
    expect(found).toEqual([
      ['000000000161', 'meter/dlt645-2007'],
      ['000000000262', 'meter/dlt645-2007'],
      ['00000012345678', 'water/cjt188-water'],
    ]);
    expect(line.stats.frames).toBeLessThan(200);
  });

  it('ends by Ctrl-C with what it found so far', async () => {
    const main = join(import.meta.dirname, '../../edge/cli/main.ts');
    const words = [main, 'scan', `tcp://${host}:${far.port}`, '--timeout', '5000', '--bare', '--lang', 'en'];
    const child: ChildProcess = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      out += String(bytes);
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('exit', resolve);
    });
    await expect.poll(() => far.stats.requests, { timeout: 40_000 }).toBeGreaterThan(1);
    child.kill('SIGINT');
    expect(await ended).toBe(1);
    expect(out).toContain('ended early: 1 found so far');
  });
});

const python = '/usr/bin/python3';
const probe = spawnSync(python, ['-c', 'import pymodbus.server'], { encoding: 'utf8', timeout: 20_000 });
const isMissing = probe.status !== 0;
if (isMissing) console.warn(`SKIPPED: no python3-pymodbus for ${python}: ${probe.stderr.trim().split('\n').at(-1)}`);

describe.skipIf(isMissing)('a server of python3-pymodbus', () => {
  it('is tried, judged and found by a scan', async () => {
    const script = new URL('../fixtures/modbus/pymodbus_server.py', import.meta.url).pathname;
    const child = spawn(python, [script, host], { stdio: ['pipe', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const [port] = line.split(' ');
    const right = await campus('profile', 'try', sdm, `tcp://${host}:${port}/1`);
    expect(right.out).toContain('works, and what it says is plausible');
    const { out } = await campus('scan', `tcp://${host}:${port}`, '--units', '1-2', '--timeout', '300', '--json');
    const [first] = JSON.parse(out).found;
    expect(first.fits.map(({ path }: { path: string }) => path)).toContain(sdm);
    child.stdin.end();
    child.kill('SIGKILL');
  });
});

it('the load of these tests is one that could be', () => {
  const { voltage_l1 = 0, current_l1 = 0, power_l1 = 0 } = load;
  expect(power_l1 / (voltage_l1 * current_l1)).toBeCloseTo(0.95, 2);
});
