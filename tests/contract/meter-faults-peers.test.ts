import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import { type FaultKind, faultsOf, type Lab, mistakes, readMany, Weather } from './meter-faults-lab.ts';
import { Held, host, modbusKinds, openSubject, profile, type Slave } from './meter-faults-modbus.ts';
import { type Framing, startFaultProxy } from './meter-faults-proxy.ts';
import { startTerminals, whyNoTerminals } from './meter-faults-terminals.ts';

/* Modbus slaves that nobody here wrote, behind a gateway that spoils 5 % of what they say. */

const answers = inject('answers') === undefined ? 400 : 5_000;
const isFull = answers > 1_000;
const fixtures = new URL('../fixtures/modbus/', import.meta.url).pathname;
const python = '/usr/bin/python3';

function whyNoPymodbus(): string | null {
  const probe = spawnSync(python, ['-c', 'import pymodbus.server'], { encoding: 'utf8', timeout: 20_000 });
  return probe.status === 0 ? null : `no python3-pymodbus for ${python}`;
}

const folder = mkdtempSync(join(tmpdir(), 'campus-libmodbus-'));
const program = join(folder, 'numbered_slave');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function whyNoLibmodbus(): string | null {
  const source = join(fixtures, 'numbered_slave.c');
  const flags = ['-O1', '-I/usr/include/modbus', '-o', program, source, '-lmodbus'];
  const compiled = spawnSync('gcc', flags, { encoding: 'utf8', timeout: 60_000 });
  if (compiled.status === 0) return null;
  return compiled.error === undefined ? `no libmodbus: ${compiled.stderr.split('\n')[0]}` : 'there is no gcc';
}

const missing = { pymodbus: whyNoPymodbus(), libmodbus: whyNoLibmodbus(), terminals: whyNoTerminals() };
for (const why of Object.values(missing)) if (why !== null) console.warn(`SKIPPED: ${why}`);

interface Program extends AsyncDisposable {
  readonly words: readonly string[];
}

/** Says one line when it is ready; its standard input is its leash. */
async function start(file: string, args: readonly string[]): Promise<Program> {
  const child: ChildProcess = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const ready = new Promise<string>((resolve, reject) => {
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  const line = await within(20_000, `a first line of ${file}`, ready);
  return {
    words: line.split(' '),
    async [Symbol.asyncDispose]() {
      child.stdin?.end();
      child.kill('SIGKILL');
      await end;
    },
  };
}

/** What went to the slaves and what they took, seen from the gateway. */
function witness(units: readonly number[]) {
  let reads = 0;
  const slaves = new Map(
    units.map((unit) => {
      const held = { output: new Held(0), coil: new Held(false) };
      return [unit, { asked: () => reads, held } satisfies Slave];
    }),
  );
  return {
    slaves,
    asking(body: Buffer) {
      const [, fc = 0] = body;
      if ((fc === 3 || fc === 4) && [0, 100].includes(body.readUInt16BE(2))) reads++;
    },
    answered(body: Buffer, answer: Buffer) {
      const [unit = 0, fc = 0] = body;
      const held = slaves.get(unit)?.held;
      if (answer[1] !== fc) return;
      if (fc === 6) held?.output.set(body.readUInt16BE(4));
      if (fc === 5) held?.coil.set(body.readUInt16BE(4) === 0xff00);
    },
  };
}

interface Reached {
  readonly name: string;
  readonly framing: Framing;
  readonly kinds: readonly FaultKind[];
  readonly units: readonly number[];
  /** Address of the gateway for the driver, and the slaves behind it. */
  readonly reach: (
    stack: AsyncDisposableStack,
    proxy: (slave?: number) => Promise<{ port: number; slavePort: number }>,
  ) => Promise<object>;
}

const four = [1, 3, 5, 7];

const peers: readonly (Reached & { readonly why: string | null })[] = [
  {
    name: 'pymodbus by Modbus TCP',
    why: missing.pymodbus,
    framing: 'mbap',
    kinds: modbusKinds,
    units: four,
    async reach(stack, proxy) {
      const slave = stack.use(await start(python, [`${fixtures}numbered_slaves.py`, ...four.map(String)]));
      return { tcp: { host, port: (await proxy(Number(slave.words[0]))).port } };
    },
  },
  {
    name: 'pymodbus by RTU over TCP',
    why: missing.pymodbus,
    framing: 'rtu',
    kinds: modbusKinds.filter((kind) => kind !== '0x0B'),
    units: four,
    async reach(stack, proxy) {
      const slave = stack.use(await start(python, [`${fixtures}numbered_slaves.py`, ...four.map(String)]));
      return { rtuOverTcp: { host, port: (await proxy(Number(slave.words[1]))).port } };
    },
  },
  {
    name: 'libmodbus by Modbus TCP',
    why: missing.libmodbus,
    framing: 'mbap',
    kinds: modbusKinds,
    units: four,
    async reach(stack, proxy) {
      const slave = stack.use(await start(program, ['tcp']));
      return { tcp: { host, port: (await proxy(Number(slave.words[0]))).port } };
    },
  },
  {
    name: 'libmodbus on a serial port, ours on another',
    why: missing.libmodbus ?? missing.terminals,
    framing: 'rtu',
    kinds: modbusKinds.filter((kind) => !['0x0B', 'half-open', 'reset', 'close'].includes(kind)),
    units: [1],
    async reach(stack, proxy) {
      const { port, slavePort } = await proxy();
      const terminals = stack.use(await startTerminals([port, slavePort]));
      stack.use(await start(program, [terminals.paths[1] ?? '']));
      return { serial: { path: terminals.paths[0], baud: 115_200 } };
    },
  },
];

async function startLab({ name, framing, kinds, units, reach }: Reached): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const weather = new Weather(20_261_122);
  const { slaves, asking, answered } = witness(units);
  const address = await reach(stack, async (slave) => {
    const proxy = { framing, weather, asking, answered, ...(slave === undefined ? {} : { slave }) };
    return stack.use(await startFaultProxy(proxy));
  });
  const buses = stack.use(createBuses({ clock: systemClock, reconnect: { first: 20, cap: 200 } }));
  const driver = createModbusDriver({ clock: systemClock, profiles: new Map([['meter/numbered', profile]]), buses });
  const subjects = await Promise.all(
    [...slaves].map(([unit, slave]) => openSubject({ driver, stack, address, unit, slave, name })),
  );
  const owned = stack.move();
  return { protocol: name, kinds, lines: [{ weather, subjects }], [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe('a slave of somebody else, behind a gateway that spoils 5 % of the answers,', () => {
  for (const { why, ...peer } of peers) {
    it.skipIf(why !== null).concurrent(
      `is read and written without a wrong value: ${peer.name}`,
      async () => {
        await using lab = await startLab(peer);
        for (const { weather } of lab.lines)
          weather.storm(
            0.05,
            peer.kinds.filter((kind) => isFull || kind !== 'half-open'),
          );
        const wanted = (answers * peer.units.length) / 4;
        const tally = await readMany(lab, { answers: wanted, ms: isFull ? 600_000 : 200_000 });
        console.info(`${peer.name}: ${JSON.stringify(tally)} with ${JSON.stringify(faultsOf(lab))}`);
        expect({ wrong: tally.wrong, mistakes: tally.wrong === 0 ? [] : mistakes }).toEqual({ wrong: 0, mistakes: [] });
        expect(tally.good).toBeGreaterThan(0.9 * wanted);
      },
      700_000,
    );
  }
});
