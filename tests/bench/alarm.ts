import { createSocket } from 'node:dgram';
import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { measureSmoke, startBareHop } from './latency.ts';
import { until } from './rig.ts';
import { type SmokeCampus, startSmokeCampus } from './smoke-campus.ts';

/* An alarm from end to end: from the sensor's message to the sound, and how soon it sounds again when a process is killed meanwhile. */

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A message through bare aedes, and a datagram after it: what the way takes where nobody decides anything, ms. */
async function measureBare(trials: number): Promise<number[]> {
  await using stack = new AsyncDisposableStack();
  const hop = stack.use(await startBareHop());
  const ear = stack.use(createSocket('udp4'));
  const mouth = stack.use(createSocket('udp4'));
  await new Promise<void>((resolve) => ear.bind(0, '127.0.0.1', resolve));
  const { port } = ear.address();
  const took: number[] = [];
  for (let trial = -10; trial < trials; trial++) {
    await pause(20 + 20 * Math.random());
    const way = await hop.measure();
    const heard = Promise.withResolvers<void>();
    ear.once('message', () => heard.resolve());
    const began = performance.now();
    mouth.send(Buffer.alloc(172), port, '127.0.0.1');
    await heard.promise;
    if (trial >= 0) took.push(way + performance.now() - began);
  }
  return took;
}

/** Packets of all loudspeakers, as they were heard. */
const packetsOf = (campus: SmokeCampus) => campus.speakers.map((speaker) => speaker.heard().packets);

/** From SIGKILL of the process until every loudspeaker hears it again, and the silence of the one that was silent longest, ms. */
async function measureKills(campus: SmokeCampus, name: 'core' | 'broadcast', trials: number): Promise<number[]> {
  const took: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const { pid = 0 } = campus.processes().find((one) => one.name === name) ?? {};
    const before = packetsOf(campus);
    await pause(300);
    const isSounding = packetsOf(campus).every((count, n) => count > (before[n] ?? 0));
    if (!isSounding) throw new Error('the alarm does not sound');
    const silence = watchSilence(campus);
    process.kill(pid ?? 0, 'SIGKILL');
    const isBack = () => {
      const now = campus.processes().find((one) => one.name === name);
      return now?.pid !== pid && now?.state === 'ready';
    };
    await until(`${name} is back`, 60_000, isBack, 20);
    await until('the alarm sounds again', 60_000, () => silence.isOver(), 5);
    // What the new process would silence, it silences soon; and by then it counts as healthy.
    await pause(3_000);
    took.push(silence.end());
  }
  return took;
}

/** The longest time without a packet at any loudspeaker. */
function watchSilence(campus: SmokeCampus) {
  let counts = packetsOf(campus);
  const last = campus.speakers.map(() => performance.now());
  let longest = 0;
  const look = () => {
    const now = performance.now();
    const next = packetsOf(campus);
    next.forEach((count, n) => {
      longest = Math.max(longest, now - (last[n] ?? now));
      if (count !== counts[n]) last[n] = now;
    });
    counts = next;
  };
  const timer = setInterval(look, 5);
  return {
    isOver: () => last.every((at) => performance.now() - at < 60),
    end: () => {
      look();
      clearInterval(timer);
      return longest;
    },
  };
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  const bench = 'alarm';
  const trials = quick ? 30 : 150;
  const kills = quick ? 3 : 10;
  const bare = await measureBare(trials);
  await using campus = await startSmokeCampus({
    ...{ relays: 0, smokeNeeded: 1, latch: false, flows: false },
    // Each kill is the first one, as it is on a campus where nothing ends for months.
    times: { healthy: 2_000 },
  });
  const sound = await measureSmoke(campus, trials);
  say('  smoke to sound measured; now processes are killed while it sounds');
  await campus.smoke(1, true);
  await until('every loudspeaker sounds', 30_000, () => packetsOf(campus).every((count) => count > 0), 5);
  await pause(1_000);
  const core = await measureKills(campus, 'core', kills);
  const broadcast = await measureKills(campus, 'broadcast', kills);
  const other = (p: number) => ({ value: percentile(bare, p), unit: 'ms', name: 'bare aedes + UDP' });
  const note = `zigbee2mqtt publish to the first RTP packet at the last of two loudspeakers: MQTT, ingest, rule, arbiter, command, driver, two processes; ${trials} trials; worst ${Math.max(...sound).toFixed(1)} ms`;
  const silence = (name: string, of: readonly number[], atMost: number): BenchLine => ({
    ...{ bench, what: `silence after SIGKILL of ${name}, longest`, ours: { value: Math.max(...of), unit: 'ms' } },
    goal: { of: 'figure', atMost },
    note: `${of.length} kills while the alarm sounds, any loudspeaker; median ${median(of).toFixed(0)} ms`,
  });
  return [
    { bench, what: 'smoke to sound, p50', ours: { value: median(sound), unit: 'ms' }, other: other(0.5), note },
    {
      ...{
        bench,
        what: 'smoke to sound, p99',
        ours: { value: percentile(sound, 0.99), unit: 'ms' },
        other: other(0.99),
      },
      goal: { of: 'figure', atMost: 100 },
    },
    silence('core', core, 100),
    silence('broadcast', broadcast, 3_000),
  ];
}
