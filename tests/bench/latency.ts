import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { MqttSocket } from './mqtt-socket.ts';
import { cpuTimeOf, Script, until } from './rig.ts';
import { type Mood, moodNames, type SmokeCampus, startSmokeCampus } from './smoke-campus.ts';

const relays = 16;
/** The relay's profile wants 200 ms between commands and 1 s between writes of one output; each is read back. */
const relayRest = 1_600;
/** The first write of each relay opens its connection, and is asserted again once its driver has said that it is online. */
const warmUp = 2 * relays;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** From the publish of a contact until the coil write arrives at its relay, ms; interleaved with bare hops. */
async function measureRelays(
  campus: SmokeCampus,
  bare: BareHop,
  trials: number,
): Promise<{ way: number[]; hop: number[] }> {
  const way: number[] = [];
  const hop: number[] = [];
  let arrived: (at: number) => void = () => {};
  let expected = -1;
  campus.onRelay((n, _on, at) => {
    if (n === expected) arrived(at);
  });
  const free = Array.from({ length: relays }, () => 0);
  const isOn = Array.from({ length: relays }, () => false);
  for (let trial = -warmUp; trial < trials; trial++) {
    const n = (trial + warmUp) % relays;
    await pause(Math.max(1 + 5 * Math.random(), (free[n] ?? 0) - performance.now()));
    isOn[n] = isOn[n] !== true;
    expected = n;
    const write = new Promise<number>((resolve) => {
      arrived = resolve;
    });
    const began = performance.now();
    const told = campus.contact(n, isOn[n] === true);
    const took = (await write) - began;
    await told;
    free[n] = performance.now() + relayRest;
    const bareTook = await bare.measure();
    if (trial >= 0) {
      way.push(took);
      hop.push(bareTook);
    }
  }
  return { way, hop };
}

interface BareHop extends AsyncDisposable {
  /** One message through bare aedes, from publish to the subscriber, ms. */
  measure(): Promise<number>;
}

export async function startBareHop(): Promise<BareHop> {
  await using stack = new AsyncDisposableStack();
  const aedes = stack.use(new Script('bare-aedes.ts'));
  const { port } = await aedes.ask({ what: 'start' });
  const subscriber = stack.use(await MqttSocket.open({ port: Number(port), client: 'subscriber' }));
  const publisher = stack.use(await MqttSocket.open({ port: Number(port), client: 'publisher' }));
  let arrived: (at: number) => void = () => {};
  await subscriber.subscribe('contact', () => arrived(performance.now()));
  const owned = stack.move();
  return {
    async measure() {
      const heard = new Promise<number>((resolve) => {
        arrived = resolve;
      });
      const began = performance.now();
      const told = publisher.publish('contact', { t: began, s: [['alarm', true]] });
      const took = (await heard) - began;
      await told;
      return took;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** From the publish of smoke to the first RTP packet at the last of the loudspeakers, ms. */
export async function measureSmoke(campus: SmokeCampus, trials: number): Promise<number[]> {
  const took: number[] = [];
  for (let trial = -1; trial < trials; trial++) {
    for (const speaker of campus.speakers) speaker.reset();
    await pause(100 + 100 * Math.random());
    const began = performance.now();
    const told = campus.smoke(1, true);
    await until('every loudspeaker sounds', 30_000, () => firstPackets(campus) !== null, 2);
    if (trial >= 0) took.push((firstPackets(campus) ?? Number.NaN) - began);
    await told;
    await campus.smoke(1, false);
    await until('every loudspeaker is silent', 30_000, () =>
      campus.speakers.every((speaker) => speaker.heard().silentSince !== null),
    );
  }
  return took;
}

/** When the last loudspeaker got its first packet; null while one waits. */
export function firstPackets(campus: SmokeCampus): number | null {
  const at = campus.speakers.map((speaker) => speaker.heard().firstPacketAt);
  return at.includes(null) ? null : Math.max(...at.map(Number));
}

/** What flows may take of a core before their mood counts as begun. */
const busyShare = 0.1;

const flowsOf = (campus: SmokeCampus) => campus.processes().find(({ name }) => name === 'flows');

/** Resolves when the flows do what the mood says: they hang, they end, or they work hard. */
async function untilMoody(campus: SmokeCampus, mood: Mood): Promise<void> {
  const { pid = 0, restarts = 0 } = flowsOf(campus) ?? {};
  if (mood === 'spin') return until('the flows hang', 60_000, async () => !(await campus.flowsAnswer(500)), 50);
  if (mood === 'reject') return until('the flows end', 60_000, () => (flowsOf(campus)?.restarts ?? 0) > restarts, 20);
  let before = await cpuTimeOf(pid ?? 0);
  let at = performance.now();
  await until(`the flows ${mood}`, 60_000, async () => {
    await pause(250);
    const now = await cpuTimeOf(pid ?? 0);
    const share = ((now ?? 0) - (before ?? 0)) / (performance.now() - at);
    [before, at] = [now, performance.now()];
    return share > busyShare;
  });
}

interface Moody {
  readonly mood: Mood;
  readonly calm: number[];
  readonly during: number[];
  readonly restarts: number;
}

/** The way to the relays before and while the flows are in a mood, each on a campus of its own. */
async function measureMood(mood: Mood, trials: number): Promise<Moody> {
  // The silence that would end a hanging process is made long: it must hang while this measures.
  const times = { silence: 600_000, start: 120_000, ...(mood === 'spin' ? {} : { backoffFirst: 200 }) };
  await using campus = await startSmokeCampus({ relays, smokeNeeded: 1, latch: false, flows: true, times });
  await using bare = await startBareHop();
  const { way: calm } = await measureRelays(campus, bare, trials);
  await campus.mood(mood, true);
  await untilMoody(campus, mood);
  const { way: during } = await measureRelays(campus, bare, trials);
  return { mood, calm, during, restarts: flowsOf(campus)?.restarts ?? 0 };
}

async function measureSpinning(campus: SmokeCampus, trials: number) {
  const pid = flowsOf(campus)?.pid ?? 0;
  await campus.mood('spin', true);
  await untilMoody(campus, 'spin');
  const began = performance.now();
  const before = await cpuTimeOf(pid);
  const took = await measureSmoke(campus, trials);
  const used = ((await cpuTimeOf(pid)) ?? 0) - (before ?? 0);
  const isStillSpinning = flowsOf(campus)?.pid === pid && !(await campus.flowsAnswer(500));
  if (!isStillSpinning) throw new Error('the flows process did not spin to the end of the measurement');
  return { took, share: used / (performance.now() - began) };
}

/** The whole of the first campus: relays beside bare hops, then smoke, calm and while a flow spins. */
async function measureCalm({ quick, say }: BenchOptions) {
  const times = { silence: 600_000, start: 120_000 };
  await using campus = await startSmokeCampus({ relays, smokeNeeded: 1, latch: false, flows: true, times });
  await using bare = await startBareHop();
  const { way, hop } = await measureRelays(campus, bare, quick ? 64 : 400);
  say('  relay writes measured');
  const trials = quick ? 12 : 50;
  const calm = await measureSmoke(campus, trials);
  say('  smoke measured; now a flow spins');
  const { took: spinning, share } = await measureSpinning(campus, trials);
  return { way, hop, calm, spinning, share };
}

const moodWords: Readonly<Record<Mood, string>> = {
  spin: 'spin',
  leak: 'leak 30 MB/s',
  flood: 'ask 10,000 times a second',
  reject: 'reject promises',
};

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  const { quick, say } = options;
  const { way, hop, calm, spinning, share } = await measureCalm(options);
  const moody: Moody[] = [];
  for (const mood of moodNames) {
    say(`  relay writes while flows ${moodWords[mood]}`);
    moody.push(await measureMood(mood, quick ? 64 : 400));
  }
  const bench = 'latency';
  const line = (what: string, of: readonly number[], against: readonly number[], name: string, p: number) => ({
    bench,
    what,
    ours: { value: percentile(of, p), unit: 'ms' },
    other: { value: percentile(against, p), unit: 'ms', name },
  });
  const compared = `QoS 1 publish to the coil write arriving at the simulated relay: MQTT, ingest, interlock, command, Modbus TCP, three processes; ${way.length} writes on ${relays} relays, each followed by one hop publisher -> bare aedes -> subscriber with the same payload`;
  const smokeCompared = `zigbee2mqtt publish to the first RTP packet at the last of two loudspeakers, ${spinning.length} trials each; "calm" is the same before the flow began to spin`;
  return [
    { ...line('contact to relay write, p50', way, hop, 'bare hop', 0.5), note: compared },
    { ...line('contact to relay write, p99', way, hop, 'bare hop', 0.99), goal: { of: 'ratio', atMost: 3 } },
    ...moody.map(({ mood, calm: quiet, during, restarts }) => ({
      ...line(`relay write while flows ${moodWords[mood]}, p99`, during, quiet, 'calm', 0.99),
      goal: { of: 'ratio' as const, atMost: 1.5 },
      note: `${during.length} writes each way; p50 ${percentile(during, 0.5).toFixed(2)} ms against ${percentile(quiet, 0.5).toFixed(2)} ms calm; flows (nice 19) were started anew ${restarts} times`,
    })),
    line('smoke to RTP while a flow spins, p50', spinning, calm, 'calm', 0.5),
    {
      ...line('smoke to RTP while a flow spins, p99', spinning, calm, 'calm', 0.99),
      goal: { of: 'figure', atMost: 100 },
      note: `${smokeCompared}; the flows process (nice 19) took ${Math.round(100 * share)} % of a core meanwhile; median ${median(spinning).toFixed(1)} ms, worst ${Math.max(...spinning).toFixed(1)} ms`,
    },
  ];
}
