import { createSocket } from 'node:dgram';
import { constants, setPriority } from 'node:os';
import { putSoundFirst } from '#edge/drivers/sound/urgency.ts';
import { type BenchLine, type BenchOptions, percentile } from './bench-line.ts';
import { Script, until } from './rig.ts';

/* 200 rooms by RTP: what they cost, how even they are, and how fast an alarm breaks in. */

const rooms = 200;
const background = 'tune';
const alarm = 'evacuation class=fire';

interface Room {
  readonly host: string;
  readonly port: number;
  /** Of the stream that was heard last. */
  ssrc: number;
  lastAt: number;
  /** Pauses between packets of one stream, ms. */
  gaps: number[];
  /** Called with the first packet of another stream, and the time since the last of the one before. */
  onStream: ((at: number, gap: number) => void) | null;
  packets: number;
}

/** Each room has an address of its own on the loopback. */
async function listen(): Promise<{ readonly all: Room[] } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const all: Room[] = [];
  for (let i = 0; i < rooms; i++) {
    const socket = stack.use(createSocket('udp4'));
    const host = `127.0.8.${i + 1}`;
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
    const { port } = socket.address();
    const room: Room = { host, port, ssrc: -1, lastAt: 0, gaps: [], onStream: null, packets: 0 };
    socket.on('message', (bytes) => take(room, bytes));
    all.push(room);
  }
  const owned = stack.move();
  return { all, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function take(room: Room, bytes: Buffer): void {
  if (bytes.length < 12) return;
  const at = performance.now();
  const ssrc = bytes.readUInt32BE(8);
  const gap = at - room.lastAt;
  room.packets++;
  room.lastAt = at;
  if (ssrc === room.ssrc) {
    room.gaps.push(gap);
    return;
  }
  room.ssrc = ssrc;
  room.onStream?.(at, gap);
}

interface Cost {
  /** Percent of one core. */
  readonly share: number;
  /** Packets heard. */
  readonly packets: number;
}

/** While nothing is asked of it but to play. */
async function costOf(sender: Script, all: readonly Room[], ms: number): Promise<Cost> {
  for (const room of all) Object.assign(room, { gaps: [], packets: 0 });
  const before = await sender.ask({ what: 'cpu' });
  await new Promise((resolve) => setTimeout(resolve, ms));
  const after = await sender.ask({ what: 'cpu' });
  const share = (100 * (Number(after.cpu) - Number(before.cpu))) / (Number(after.time) - Number(before.time));
  return { share, packets: all.reduce((sum, room) => sum + room.packets, 0) };
}

async function measureBare(all: readonly Room[], ms: number): Promise<Cost> {
  await using sender = new Script('rtp-bare.ts');
  await sender.ask({ what: 'open', rooms: all.map(({ host, port }) => ({ host, port })) });
  await costOf(sender, all, 500);
  return await costOf(sender, all, ms);
}

/** From the order's way to the sender until the first packet of the alarm is here, and the silence before it. */
async function measureAlarms(sender: Script, all: readonly Room[], trials: number) {
  const first: number[] = [];
  const silence: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const n = (trial * 37) % rooms;
    const room = all[n];
    if (room === undefined) continue;
    const heard = Promise.withResolvers<void>();
    const began = performance.now();
    room.onStream = (at, gap) => {
      first.push(at - began);
      silence.push(gap);
      room.onStream = null;
      heard.resolve();
    };
    await sender.ask({ what: 'play', rooms: [n], value: alarm });
    await heard.promise;
    await sender.ask({ what: 'play', rooms: [n], value: background });
    await new Promise((resolve) => setTimeout(resolve, 5 + 30 * Math.random()));
  }
  return { first, silence };
}

/** The alarm in all rooms at once: until the first packet in the last one, ms. */
async function measureEverywhere(sender: Script, all: readonly Room[]): Promise<number> {
  const began = performance.now();
  let last = 0;
  let left = rooms;
  for (const room of all) {
    room.onStream = (at) => {
      last = Math.max(last, at - began);
      left--;
      room.onStream = null;
    };
  }
  await sender.ask({ what: 'play', rooms: all.map((_, i) => i), value: alarm });
  await until('the alarm in every room', 20_000, () => left === 0);
  return last;
}

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  // The ear is as wakeful as the voice, or its own delays would be measured.
  const isFirst = putSoundFirst();
  try {
    return await measure(options, isFirst);
  } finally {
    setPriority(constants.priority.PRIORITY_NORMAL);
  }
}

async function measure({ quick, say }: BenchOptions, isFirst: boolean): Promise<BenchLine[]> {
  const ms = quick ? 3_000 : 10_000;
  await using listening = await listen();
  const { all } = listening;
  say('rtp: bare sockets');
  const bare = await measureBare(all, ms);
  const bareGaps = all.flatMap((room) => room.gaps);
  say('rtp: 200 rooms play');
  await using sender = new Script('rtp-sender.ts');
  await sender.ask({ what: 'open', rooms: all.map(({ host, port }) => ({ host, port })), codec: 'PCMA' });
  await sender.ask({ what: 'play', rooms: all.map((_, i) => i), value: background });
  await costOf(sender, all, 500);
  const ours = await costOf(sender, all, ms);
  const gaps = all.flatMap((room) => room.gaps);
  say('rtp: alarms in single rooms');
  const { first, silence } = await measureAlarms(sender, all, quick ? 60 : 300);
  const everywhere = await measureEverywhere(sender, all);
  const { skipped } = await sender.ask({ what: 'cpu' });
  const bench = 'rtp';
  const played = `${rooms} unicast rooms, G.711, one process; receivers in another on the same machine, ${isFirst ? 'both before other processes (nice)' : 'without the right to go before others'}`;
  return [
    {
      bench,
      what: `CPU of ${rooms} rooms`,
      ours: { value: ours.share, unit: '% of a core' },
      other: { value: bare.share, unit: '% of a core', name: 'bare node:dgram' },
      goal: { of: 'figure', atMost: 15 },
      note: `${played}. Bare: the same number of packets, made beforehand. ${ours.packets} and ${bare.packets} packets heard.`,
    },
    {
      bench,
      what: 'trigger to first packet, p99',
      ours: { value: percentile(first, 0.99), unit: 'ms' },
      goal: { of: 'figure', atMost: 50 },
      note: `${first.length} alarms in single rooms while all ${rooms} play, from another process; p50 ${percentile(first, 0.5).toFixed(1)} ms.`,
    },
    {
      bench,
      what: 'alarm in all rooms at once',
      ours: { value: everywhere, unit: 'ms' },
      goal: { of: 'figure', atMost: 100 },
      note: 'until the first packet in the last room, once.',
    },
    {
      bench,
      what: 'silence at pre-emption, p99',
      ours: { value: percentile(silence, 0.99), unit: 'ms' },
      goal: { of: 'figure', atMost: 100 },
      note: `from the last packet of one sound to the first of the next; longest ${Math.max(...silence).toFixed(1)} ms.`,
    },
    {
      bench,
      what: 'pause between packets, p99',
      ours: { value: percentile(gaps, 0.99), unit: 'ms' },
      other: { value: percentile(bareGaps, 0.99), unit: 'ms', name: 'bare node:dgram' },
      goal: { of: 'figure', atMost: 40 },
      note: `${gaps.length} pauses, p50 ${percentile(gaps, 0.5).toFixed(1)} ms, as the receiver saw them; ${String(skipped)} frames skipped.`,
    },
  ];
}
