import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startCampus } from '../system/campus.ts';
import { newToken } from '../system/people-client.ts';
import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { until } from './rig.ts';

/* An earthquake terminal: from its word over HTTP to the first packet at the last of four loudspeakers, the real processes between. */

const host = '127.0.0.1';
const speakers = 4;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Loudspeakers that note when their latest packet came. */
class Ears implements AsyncDisposable {
  readonly #sockets: readonly Socket[];
  readonly #first: (number | null)[] = [];
  #latest = 0;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    sockets.forEach((socket, n) => {
      socket.on('message', ({ length }) => {
        // An empty datagram is a keep-alive.
        if (length === 0) return;
        this.#latest = performance.now();
        this.#first[n] ??= this.#latest;
      });
    });
  }

  static async open(): Promise<Ears> {
    const sockets = Array.from({ length: speakers }, () => createSocket('udp4'));
    for (const socket of sockets) {
      socket.bind(0, host);
      await once(socket, 'listening');
    }
    return new Ears(sockets);
  }

  get ports(): number[] {
    return this.#sockets.map((socket) => socket.address().port);
  }

  forget(): void {
    this.#first.fill(null, 0, speakers);
    this.#first.length = 0;
  }

  /** When the last of them heard its first packet. */
  async all(): Promise<number> {
    await until('every loudspeaker hears it', 20_000, () => this.#sockets.every((_, n) => this.#first[n] != null), 1);
    return Math.max(...this.#first.map((at) => at ?? 0));
  }

  async silence(): Promise<void> {
    await until('silence', 20_000, () => performance.now() - this.#latest > 250, 20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** The same over bare node:http and node:dgram: what the way takes where nobody decides anything, ms. */
async function measureBare(ears: Ears, trials: number): Promise<number[]> {
  const mouth = createSocket('udp4');
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      for (const port of ears.ports) mouth.send(Buffer.alloc(172), port, host);
      response.end('{}');
    });
  }).listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const took: number[] = [];
  for (let trial = -5; trial < trials; trial++) {
    ears.forget();
    await pause(20 + 20 * Math.random());
    const began = performance.now();
    const [heard] = await Promise.all([ears.all(), fetch(`http://${host}:${port}/`, { method: 'POST', body: '{}' })]);
    if (trial >= 0) took.push(heard - began);
  }
  mouth.close();
  server.closeAllConnections();
  server.close();
  return took;
}

async function measureCampus(ears: Ears, trials: number, say: (text: string) => void): Promise<number[]> {
  const { ports } = ears;
  await using campus = await startCampus({
    ...{ only: ['core', 'broadcast', 'web'], simulators: false, city: false, onlyRules: {} },
    change: (site) => ({
      ...site,
      devices: ports.map((port, n) => ({
        ...{ id: `speaker-${n}`, profile: 'speaker/rtp-speaker', zone: 'teaching', tags: [] },
        ...{ name: { zh: `音箱${n}`, en: `Speaker ${n}` }, address: { rtp: { host, port }, codec: 'PCMA' } },
      })) as never,
      emergency: { ...site.emergency, allClear: null },
    }),
  });
  const isReady = () => ['core', 'broadcast', 'web'].every((name) => campus.status(name).state === 'ready');
  await until('the campus is ready', 60_000, isReady, 100);
  const machine = await newToken(campus, 'early-warning', ['warn']);
  const tell = async (word: object): Promise<string> => {
    const headers = { ...machine, 'content-type': 'application/json' };
    const url = `${campus.url}/api/v1/earthquake`;
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(word) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    return (JSON.parse(text) as { act: string }).act;
  };
  await pause(3_000);
  const took: number[] = [];
  for (let trial = -3; trial < trials; trial++) {
    const event = `bench-${trial}`;
    await ears.silence();
    ears.forget();
    await pause(50 + 100 * Math.random());
    const began = performance.now();
    const [heard, act] = await Promise.all([ears.all(), tell({ event, intensity: 7, seconds: 20 })]);
    if (act !== 'sound') throw new Error(`the word was answered with ${act}`);
    if (trial >= 0) took.push(heard - began);
    await tell({ event, intensity: 7, cancel: true });
    if (trial > 0 && trial % 25 === 0) say(`earthquake: ${trial} of ${trials}`);
  }
  return took;
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using ears = await Ears.open();
  const trials = quick ? 30 : 200;
  const bare = await measureBare(ears, trials);
  const ours = await measureCampus(ears, trials, say);
  const note = `${trials} words over HTTP, ${speakers} loudspeakers over RTP, web, core and broadcast as processes`;
  const other = { name: 'node:http and node:dgram', unit: 'ms' };
  return [
    {
      ...{ bench: 'earthquake', what: 'word of a terminal to first packet, median', note },
      ...{ ours: { value: median(ours), unit: 'ms' }, other: { ...other, value: median(bare) } },
    },
    {
      ...{ bench: 'earthquake', what: 'word of a terminal to first packet, 99 %', note },
      ...{ ours: { value: percentile(ours, 0.99), unit: 'ms' }, other: { ...other, value: percentile(bare, 0.99) } },
      goal: { of: 'figure', atMost: 500 },
    },
  ];
}
