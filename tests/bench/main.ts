import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '#edge/runtime/errors.ts';
import { type BenchLine, type BenchOptions, formatTable, ratioOf, verdictOf } from './bench-line.ts';

/* The one bench table: `npm run bench`, `npm run bench -- store latency`, `--quick`, `--json FILE`. */

type Bench = (options: BenchOptions) => Promise<BenchLine[]>;

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  ingest: async () => (await import('./ingest.ts')).run,
  store: async () => (await import('./store.ts')).run,
  latency: async () => (await import('./latency.ts')).run,
  modbus: async () => (await import('./modbus.ts')).run,
  rules: async () => (await import('./rules.ts')).run,
  school: async () => (await import('./school.ts')).run,
  'school-truth': async () => (await import('./school-truth.ts')).run,
  cameras: async () => (await import('./cameras.ts')).run,
  live: async () => (await import('./live.ts')).run,
  gatehouse: async () => (await import('./gatehouse.ts')).run,
  memory: async () => (await import('./memory.ts')).run,
  console: async () => (await import('./console.ts')).run,
  rtp: async () => (await import('./rtp.ts')).run,
  alarm: async () => (await import('./alarm.ts')).run,
  earthquake: async () => (await import('./earthquake.ts')).run,
  rehearse: async () => (await import('./rehearse.ts')).run,
  soak: async () => (await import('./soak.ts')).run,
};

/** They take long: only when they are asked for by name. */
const onRequest = ['soak', 'school-truth'];

const usage = `npm run bench -- [${Object.keys(benches).join('|')}]... [--quick] [--json FILE]\n`;

async function runOne(name: string, options: BenchOptions): Promise<BenchLine[]> {
  const load = benches[name];
  if (load === undefined) throw new Error(`there is no bench "${name}"\n${usage}`);
  const began = performance.now();
  options.say(`${name} ...`);
  try {
    const run = await load();
    const lines = await run(options);
    options.say(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
    return lines;
  } catch (error) {
    // One bench that cannot run must not take the table with it; its line says so.
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    options.say(`${name} failed: ${stack || messageOf(error)}`);
    return [{ bench: name, what: 'could not be measured', ours: null, failed: true, note: messageOf(error) }];
  }
}

function describeMachine(): string {
  const [load = 0] = loadavg();
  const busy = load > 0.5 * availableParallelism() ? '; OTHERS WORK ON IT: trust the ratios, not the figures' : '';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, ${memory} GB, Node ${process.versions.node}, load ${load.toFixed(1)} at the start${busy}`;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => benches[name] === undefined);
  if (values.help === true || unknown.length > 0) {
    process.stderr.write(unknown.length > 0 ? `there is no bench "${unknown.join('", "')}"\n${usage}` : usage);
    return unknown.length > 0 ? 2 : 0;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(benches).filter((name) => !onRequest.includes(name));
  const machine = describeMachine();
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const lines: BenchLine[] = [];
  for (const name of names) lines.push(...(await runOne(name, { quick: values.quick, say })));
  process.stdout.write(`\n${machine}${values.quick ? '; quick run' : ''}\n\n${formatTable(lines)}`);
  if (values.json !== undefined) {
    const rows = lines.map((line) => ({ ...line, ratio: ratioOf(line), verdict: verdictOf(line) }));
    await writeFile(values.json, `${JSON.stringify({ machine, quick: values.quick, lines: rows }, null, 2)}\n`);
  }
  return lines.some((line) => verdictOf(line) === 'FAILED') ? 1 : 0;
}

// Something that was left open must not keep a finished bench from ending.
process.exit(await main());
