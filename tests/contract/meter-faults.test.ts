import { availableParallelism, loadavg } from 'node:os';
import { describe, expect, inject, it } from 'vitest';
import { emptyTally, type FaultKind, faultsOf, type Lab, mistakes, readMany, type Tally } from './meter-faults-lab.ts';
import { startMeterLab } from './meter-faults-meters.ts';
import { startModbusLab } from './meter-faults-modbus.ts';
import { whyNoTerminals } from './meter-faults-terminals.ts';

/*
 * Five protocols on lines where 5 % of the answers go wrong, all kinds mixed, with reads and writes: no value may be wrong, and that
 * is a value that the slave did not have for that very register while it was asked.
 */

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers that are judged, over all protocols; `npm run verify` gives more. */
    answers?: number;
  }
}

const answers = inject('answers') ?? 5_000;
const isFull = answers > 20_000;
const share = 0.05;
/** Lines of one protocol that are read at the same time. */
const lineCount = isFull ? 8 : 3;
const limit = isFull ? 3_000_000 : 80_000;

const noTerminals = whyNoTerminals();
if (noTerminals !== null) console.warn(`SKIPPED: Modbus RTU on a serial port: ${noTerminals}`);

const starters: readonly ((seed: number) => Promise<Lab>)[] = [
  (seed) => startModbusLab('tcp', seed, lineCount),
  (seed) => startModbusLab('rtuOverTcp', seed, lineCount),
  ...(noTerminals === null ? [(seed: number) => startModbusLab('serial', seed, Math.min(4, lineCount))] : []),
  (seed) => startMeterLab('dlt645', seed, lineCount),
  (seed) => startMeterLab('cjt188', seed, lineCount),
];

const sumOf = (counts: Partial<Record<FaultKind, number>>) => Object.values(counts).reduce((sum, one) => sum + one, 0);

/** A fault of the connection spoils the answers of all its lines for seconds: the short run has few, and all other kinds. */
const isRare = (kind: FaultKind) => kind === 'half-open';

describe(`${answers} answers of meters with 5 % of all faults mixed`, () => {
  it('bring no wrong value, whatever is spoken', { timeout: limit + 60_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const labs = await Promise.all(starters.map(async (start, i) => stack.use(await start(20_261_122 + 100 * i))));
    const total: Tally = emptyTally();
    const results: { readonly protocol: string; readonly wrong: number }[] = [];
    await Promise.all(
      labs.map(async (lab) => {
        for (const { weather } of lab.lines)
          weather.storm(share, isFull ? lab.kinds : lab.kinds.filter((k) => !isRare(k)));
        const enough = Math.ceil(answers / labs.length);
        const began = performance.now();
        const tally = await readMany(lab, { answers: enough, ms: limit });
        const faults = faultsOf(lab);
        const seconds = ((performance.now() - began) / 1000).toFixed(0);
        console.info(
          `${lab.protocol}: ${JSON.stringify(tally)} in ${seconds} s with ${sumOf(faults)} faults ${JSON.stringify(faults)}`,
        );
        for (const verdict of ['good', 'bad', 'doubtful', 'wrong'] as const) total[verdict] += tally[verdict];
        results.push({ protocol: lab.protocol, wrong: tally.wrong });
        expect(tally.good).toBeGreaterThan(0.97 * enough);
        expect(sumOf(faults)).toBeGreaterThan(0.6 * share * enough);
      }),
    );
    expect({ results, mistakes }).toEqual({ results: results.map((one) => ({ ...one, wrong: 0 })), mistakes: [] });
    const [load = 0] = loadavg();
    console.info(`all: ${JSON.stringify(total)}; load ${load.toFixed(1)} on ${availableParallelism()} cores`);
  });
});
