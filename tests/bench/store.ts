import { join } from 'node:path';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { temporaryFolder } from './rig.ts';
import { measureAppends, measureFolding } from './store-append.ts';
import { measureMonth } from './store-month.ts';
import { measureSignals } from './store-signals.ts';

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using folder = await temporaryFolder('store');
  const signals = await measureSignals(join(folder.path, 'signals'), quick ? 2 : 6);
  say('  signals stored');
  const month = await measureMonth(
    join(folder.path, 'month'),
    quick ? { points: 2, every: 30_000, rounds: 5 } : { points: 4, every: 10_000, rounds: 7 },
  );
  say('  30 days read');
  const appends = await measureAppends(join(folder.path, 'append'), quick ? 3 : 7);
  const folding = await measureFolding(join(folder.path, 'fold'), quick ? 200_000 : 600_000);
  return [...signals, ...month, ...appends, ...folding];
}
