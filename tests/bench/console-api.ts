import { type BenchLine, median } from './bench-line.ts';
import { loadOf } from './console-load.ts';
import type { Room } from './console-page.ts';
import { cpuTimeOf, Script } from './rig.ts';

/* What an answer of the API costs beside one of bare Fastify, and how long a month of one point takes. */

const connections = 32;

async function answerOf(room: Room, path: string): Promise<string> {
  const headers = { cookie: room.cookie };
  const response = await fetch(`${room.url}${path}`, { headers, signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${body}`);
  return body;
}

/** At least so many for one of bare Fastify: it has nothing to look up, to judge or to write down. */
const routes = { '/api/v1/now': 0.1, '/api/v1/points': 0.2 };

interface Rate {
  readonly perSecond: number;
  /** CPU of the server's process, microseconds an answer. */
  readonly cpu: number;
}

/** Requests a second of real routes, with a session, against Fastify that sends the same bytes to anybody. */
export async function measureApi(
  room: Room,
  { pid, rounds, ms }: { readonly pid: number; readonly rounds: number; readonly ms: number },
): Promise<BenchLine[]> {
  const answers: Record<string, string> = {};
  for (const path of Object.keys(routes)) answers[path] = await answerOf(room, path);
  await using bare = new Script('console-bare.ts');
  const { url } = await bare.ask({ answers });
  const lines: BenchLine[] = [];
  for (const [path, goal] of Object.entries(routes)) {
    const take = async (target: string, process: number, time: number): Promise<Rate> => {
      const before = await cpuTimeOf(process);
      const began = performance.now();
      const perSecond = await loadOf({ url: target, path, cookie: room.cookie, connections, ms: time });
      const count = (perSecond * (performance.now() - began)) / 1_000;
      return { perSecond, cpu: (1_000 * (((await cpuTimeOf(process)) ?? Number.NaN) - (before ?? 0))) / count };
    };
    const both = async (time: number) => ({
      ours: await take(room.url, pid, time),
      bare: await take(String(url), bare.pid, time),
    });
    await both(ms / 2);
    const turns: Awaited<ReturnType<typeof both>>[] = [];
    for (let i = 0; i < rounds; i++) turns.push(await both(ms));
    const middle = (who: 'ours' | 'bare', what: keyof Rate) => median(turns.map((turn) => turn[who][what]));
    const bytes = answers[path]?.length ?? 0;
    lines.push({
      bench: 'console',
      what: `requests a second, GET ${path}`,
      ours: { value: middle('ours', 'perSecond'), unit: '1/s' },
      other: { value: middle('bare', 'perSecond'), unit: '1/s', name: 'bare Fastify, the same bytes' },
      goal: { of: 'ratio', atLeast: goal },
      note: `${bytes} bytes made anew for each request from the live state (${room.points} points) and the store, with the session looked up, rights, zones and headers, against bytes that lie ready; ${connections} sockets that stay open, one process each, median of ${rounds} turns of ${ms / 1_000} s; CPU of the server an answer: ${middle('ours', 'cpu').toFixed(0)} us against ${middle('bare', 'cpu').toFixed(0)} us`,
    });
  }
  return lines;
}

export interface MonthRoom extends Room {
  readonly from: number;
  readonly to: number;
}

/** The question that the page of a point asks for its 30 days. */
export async function measureChart(room: MonthRoom, about: string, rounds: number): Promise<BenchLine> {
  const range = `from=${room.from}&to=${room.to}&step=auto&buckets=1500`;
  const path = `/api/v1/points/meter-main/power/history?${range}`;
  const times: number[] = [];
  let first = Number.NaN;
  for (let i = 0; i <= rounds; i++) {
    const began = performance.now();
    const { buckets } = JSON.parse(await answerOf(room, path)) as { readonly buckets?: readonly unknown[] };
    const took = performance.now() - began;
    if (buckets?.length !== 720) throw new Error(`30 days were answered with ${buckets?.length} buckets`);
    if (i === 0) first = took;
    else times.push(took);
  }
  return {
    bench: 'console',
    what: '30 days of one point over HTTP',
    ours: { value: median(times), unit: 'ms' },
    goal: { of: 'figure', atMost: 100 },
    note: `720 hourly buckets with mean, minimum, maximum and good time, from the rollups of ${about}; with a session, parsed by the asker; median of ${rounds}, and ${first.toFixed(0)} ms for the first of all`,
  };
}
