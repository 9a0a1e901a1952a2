import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { delay } from '#edge/runtime/lifecycle.ts';
import { emptyTally, faultsOf, type Lab, mistakes, never, readMany, type Tally } from '../contract/meter-faults-lab.ts';
import { startMeterLab } from '../contract/meter-faults-meters.ts';
import { startModbusLab } from '../contract/meter-faults-modbus.ts';
import { whyNoTerminals } from '../contract/meter-faults-terminals.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';

/* Half an hour on lines that go wrong: the drivers must hold no more at its end than when they had settled. */

const share = 0.05;
const linesEach = 2;
/** Between two reads of a device, ms: a poll, not a race. */
const pause = 100;

interface Probe {
  /** ms since the start. */
  readonly at: number;
  /** MB, after a collection. */
  readonly heap: number;
  readonly outside: number;
  readonly rss: number;
}

const megabytes = (bytes: number) => bytes / 2 ** 20;

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  return () => {
    if (typeof gc === 'function') gc();
  };
}

/** How much `pick` rises over `ms`, by the line of least squares through the probes. */
function riseOver(probes: readonly Probe[], ms: number, pick: (probe: Probe) => number): number {
  const meanAt = probes.reduce((sum, { at }) => sum + at, 0) / probes.length;
  const mean = probes.reduce((sum, probe) => sum + pick(probe), 0) / probes.length;
  const above = probes.reduce((sum, probe) => sum + (probe.at - meanAt) * (pick(probe) - mean), 0);
  const below = probes.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  return below === 0 ? 0 : (ms * above) / below;
}

async function startLabs(stack: AsyncDisposableStack, say: (text: string) => void): Promise<Lab[]> {
  const noTerminals = whyNoTerminals();
  if (noTerminals !== null) say(`  without a serial port: ${noTerminals}`);
  const labs = await Promise.all([
    startModbusLab('tcp', 1, linesEach),
    startModbusLab('rtuOverTcp', 101, linesEach),
    ...(noTerminals === null ? [startModbusLab('serial', 201, linesEach)] : []),
    startMeterLab('dlt645', 301, linesEach),
    startMeterLab('cjt188', 401, linesEach),
  ]);
  for (const lab of labs) {
    stack.use(lab);
    for (const { weather } of lab.lines) weather.storm(share, lab.kinds);
  }
  return labs;
}

async function watch(ms: number, say: (text: string) => void): Promise<Probe[]> {
  const collect = collector();
  const probes: Probe[] = [];
  const began = performance.now();
  const every = Math.min(30_000, ms / 30);
  while (performance.now() - began < ms) {
    await delay(every, never);
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    const at = performance.now() - began;
    probes.push({ at, heap: megabytes(heapUsed), outside: megabytes(external), rss: megabytes(rss) });
    const { heap = 0, rss: resident = 0 } = probes.at(-1) ?? {};
    if (probes.length % 10 === 0) {
      say(`  ${(at / 60_000).toFixed(1)} min: heap ${heap.toFixed(1)} MB, resident ${resident.toFixed(0)} MB`);
    }
  }
  return probes;
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, one) => all + one, 0);

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  const ms = quick ? 60_000 : 1_800_000;
  await using stack = new AsyncDisposableStack();
  const labs = await startLabs(stack, say);
  const tallies = labs.map(() => emptyTally());
  const reading = labs.map((lab, i) =>
    readMany(lab, { answers: Number.POSITIVE_INFINITY, ms, pause }, tallies[i] ?? emptyTally()),
  );
  const probes = await watch(ms, say);
  await Promise.all(reading);
  const settled = probes.filter(({ at }) => at > ms / 3);
  const over = (2 * ms) / 3;
  const span = quick
    ? `the last ${over / 1_000} of ${ms / 1_000} s`
    : `the last ${over / 60_000} of ${ms / 60_000} min`;
  const none: Probe = { at: 0, heap: 0, outside: 0, rss: 0 };
  const [first, last] = [settled[0] ?? none, settled.at(-1) ?? none];
  const of = (key: keyof Tally) => tallies.reduce((all, tally) => all + tally[key], 0);
  const each = labs.map((lab, i) => `${lab.protocol} ${JSON.stringify(tallies[i])}, ${sum(faultsOf(lab))} faults`);
  const rise = (what: string, pick: (probe: Probe) => number, note: string): BenchLine => ({
    bench: 'soak',
    what: `${what}, rise over ${span}`,
    ours: { value: riseOver(settled, over, pick), unit: 'MB' },
    goal: { of: 'figure', atMost: 5 },
    note: `${note}; line of least squares through ${settled.length} probes, from ${pick(first).toFixed(1)} to ${pick(last).toFixed(1)} MB`,
  });
  return [
    rise('heap after a collection', ({ heap }) => heap, `drivers and slaves in one process; ${each.join('; ')}`),
    rise('outside of the heap', ({ outside }) => outside, 'buffers'),
    rise('resident memory', ({ rss }) => rss, 'as the kernel sees it'),
    {
      bench: 'soak',
      what: `wrong values among ${of('good') + of('doubtful') + of('wrong')} answers`,
      ours: { value: of('wrong'), unit: '' },
      goal: { of: 'figure', atMost: 0 },
      note: `5 % faults of all kinds${mistakes.length > 0 ? `; ${mistakes.join('; ')}` : ''}`,
    },
  ];
}
