import { describe, expect, inject, it } from 'vitest';
import { delay } from '#edge/runtime/lifecycle.ts';
import { type FaultKind, type Lab, never, recoveryFrom, timing } from './meter-faults-lab.ts';
import { startMeterLab } from './meter-faults-meters.ts';
import { startModbusLab } from './meter-faults-modbus.ts';
import { whyNoTerminals } from './meter-faults-terminals.ts';

/* How long after each fault the device it befell is read well again. */

const rounds = inject('answers') === undefined ? 1 : 5;
const noTerminals = whyNoTerminals();
if (noTerminals !== null) console.warn(`SKIPPED: recovery of a serial port: ${noTerminals}`);

/** Open and dead is seen by the age of what was heard: 5 s, and 10 s the next time. */
const slowest = 30_000;

const starters: readonly (readonly [string, () => Promise<Lab>])[] = [
  ['Modbus TCP', () => startModbusLab('tcp', 1, 2)],
  ['Modbus RTU over TCP', () => startModbusLab('rtuOverTcp', 1, 2)],
  ...(noTerminals === null ? [['Modbus RTU on a serial port', () => startModbusLab('serial', 1, 2)] as const] : []),
  ['DL/T 645', () => startMeterLab('dlt645', 1, 2)],
  ['CJ/T 188', () => startMeterLab('cjt188', 1, 2)],
];

/** Half-open on one line while all else befalls the other: the one takes as long as all the rest. */
async function recoveries(lab: Lab): Promise<Map<FaultKind, number[]>> {
  const times = new Map<FaultKind, number[]>();
  const befall = async (index: number, kinds: readonly FaultKind[]) => {
    const line = lab.lines[index];
    const subject = line?.subjects[0];
    if (line === undefined || subject === undefined) throw new Error(`${lab.protocol}: no line ${index}`);
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        const ms = await recoveryFrom(kind, line, subject);
        times.set(kind, [...(times.get(kind) ?? []), ms]);
        // What a late or doubled answer left behind belongs to this fault, not to the next.
        await delay(timing.late, never);
      }
    }
  };
  const isSlow = (kind: FaultKind) => kind === 'half-open';
  await Promise.all([
    befall(
      0,
      lab.kinds.filter((kind) => !isSlow(kind)),
    ),
    befall(1, lab.kinds.filter(isSlow)),
  ]);
  return times;
}

describe('after each fault', () => {
  it.concurrent.each(starters)(
    'a device of %s is read well again',
    async (_, start) => {
      await using lab = await start();
      const times = await recoveries(lab);
      const said = lab.kinds.map((kind) => `${kind} ${(times.get(kind) ?? []).map((ms) => Math.round(ms)).join('/')}`);
      console.info(`${lab.protocol}, ms until read well: ${said.join(', ')}`);
      expect([...times.keys()].sort()).toEqual([...lab.kinds].sort());
      for (const [kind, all] of times) {
        for (const ms of all)
          expect({ kind, isSoon: ms < (kind === 'half-open' ? slowest : 8_000) }).toEqual({ kind, isSoon: true });
      }
    },
    300_000,
  );
});
