import { type BenchLine, type BenchOptions, type Goal, median } from './bench-line.ts';
import { runLines } from './modbus-lines.ts';
import { runMany } from './modbus-many.ts';
import { type Measured, modbusPeers, type Peer, PeerClient } from './peers/modbus-peers.ts';
import { Script, temporaryFolder } from './rig.ts';

/** All values of the meter that change lie in this block: one request a poll. */
const block = { at: 0, length: 76 } as const;

interface Setting {
  readonly ports: readonly number[];
  readonly what: string;
  readonly note: string;
  readonly rounds: number;
  readonly ms: number;
  readonly peers: readonly Peer[];
}

/** Somebody who reads the same blocks. */
interface Reader {
  readonly name: string;
  readonly how: string;
  readonly measure: (ms: number) => Promise<Measured>;
}

type Goals = Readonly<Record<'rate' | 'cpu', Goal | undefined>>;

/** Of bare modbus-serial only: it runs in the same runtime, so that a ratio says something about our code. */
const bareGoals: Goals = { rate: { of: 'ratio', atLeast: 0.9 }, cpu: { of: 'ratio', atMost: 1.3 } };

/** One of the two clients in our runtime. */
async function ownClient(stack: AsyncDisposableStack, who: 'ours' | 'bare', ports: readonly number[]) {
  const client = stack.use(new Script('modbus-client.ts'));
  const { values } = await client.ask({ who, ports, block });
  const measure = async (ms: number): Promise<Measured> => {
    const { rate, cpu } = await client.ask({ ms });
    return { rate: Number(rate), cpu: Number(cpu) };
  };
  return { measure, values: Number(values) };
}

/** For each rival one line for the blocks a second, one for what a block costs. */
async function compare({ ports, what, note, rounds, ms, peers }: Setting): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const ours = await ownClient(stack, 'ours', ports);
  const bare = await ownClient(stack, 'bare', ports);
  const own: Reader = { name: 'ours', how: '', measure: ours.measure };
  const how = 'bare modbus-serial, which gives the registers';
  const rivals: Reader[] = [{ name: 'bare modbus-serial', how, measure: bare.measure }];
  for (const peer of peers) {
    if ('missing' in peer.command) continue;
    const client = stack.use(await PeerClient.start(peer.command, block, ports));
    rivals.push({ name: peer.name, how: `${peer.how}, gives the registers`, measure: (time) => client.measure(time) });
  }
  const taken = await takeTurns([own, ...rivals], rounds, ms);
  const detail = `${note}; ${block.length} registers a block, each unit on a connection of its own with one request in flight, each client in a process of its own; ours plans the read, checks the answer and decodes it into ${ours.values} samples with quality; all values but the energy change with every answer; median of ${rounds} paired rounds of ${ms / 1000} s`;
  return [
    ...rivals.flatMap((rival) => linesOf(rival, taken, what, detail)),
    ...peers.flatMap(({ name, command }): BenchLine[] =>
      'missing' in command
        ? [{ bench: 'modbus', what: `blocks read, ${what}, against ${name}`, ours: null, note: command.missing }]
        : [],
    ),
  ];
}

type Round = ReadonlyMap<string, Measured>;

/** One after the other, another one first in each round, so that none has the quiet moments for itself. */
async function takeTurns(readers: readonly Reader[], rounds: number, ms: number): Promise<Round[]> {
  // Until what runs often is compiled for it.
  for (const reader of readers) await reader.measure(3 * ms);
  const taken: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % readers.length;
    const measured = new Map<string, Measured>();
    for (const reader of [...readers.slice(first), ...readers.slice(0, first)]) {
      measured.set(reader.name, await reader.measure(ms));
    }
    taken.push(measured);
  }
  return taken;
}

function linesOf({ name, how }: Reader, rounds: readonly Round[], what: string, detail: string): BenchLine[] {
  const goals = name === 'bare modbus-serial' ? bareGoals : { rate: undefined, cpu: undefined };
  const line = (key: 'rate' | 'cpu', label: string, unit: string, note: string): BenchLine => {
    const of = (round: Round, reader: string) => round.get(reader)?.[key] ?? Number.NaN;
    const value = median(rounds.map((round) => of(round, 'ours')));
    const other = value / median(rounds.map((round) => of(round, 'ours') / of(round, name)));
    const goal = goals[key];
    return {
      bench: 'modbus',
      what: `${label}, ${what}`,
      ours: { value, unit },
      other: { value: other, unit, name },
      ...(goal === undefined ? {} : { goal }),
      note,
    };
  };
  return [
    line('rate', 'blocks read', '/s', `against ${how}; ${detail}`),
    line('cpu', 'CPU a block', 'us', `against ${name}: user and system time of the process, in the same rounds`),
  ];
}

async function startMeters(meters: Script, order: object): Promise<number[]> {
  const { ports } = await meters.ask(order);
  if (!Array.isArray(ports)) throw new Error('the meters did not start');
  return ports.map(Number);
}

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  const { quick, say } = options;
  await using folder = await temporaryFolder('modbus-peers');
  const peers = modbusPeers(folder.path);
  for (const { name, command } of peers) if ('missing' in command) say(`  SKIPPED ${name}: ${command.missing}`);
  const timing = { rounds: quick ? 4 : 8, ms: quick ? 500 : 1_000, peers };
  await using meters = new Script('modbus-units.ts');
  const near = await startMeters(meters, { count: 8, think: 0 });
  const far = await startMeters(meters, { count: 50, think: 20 });
  const note = 'Modbus TCP to simulated meters in a process of their own';
  return [
    ...(await compare({ ports: near.slice(0, 1), what: '1 unit in sequence', note, ...timing })),
    ...(await compare({ ports: near, what: '8 units at once', note, ...timing })),
    ...(await compare({ ports: far, what: '50 gateways', note: `${note}, which take 20 ms for an answer`, ...timing })),
    ...(await runLines(options)),
    ...(await runMany(options)),
  ];
}
