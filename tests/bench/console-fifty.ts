import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Site } from '#edge/runtime/site.ts';
import { waitForCampus } from '../e2e/people.ts';
import { startCampus } from '../system/campus.ts';
import type { BenchLine } from './bench-line.ts';
import { Script } from './rig.ts';

/* What fifty people with the console open cost a campus that runs. */

const consoles = 50;
/** Often, so that core has work that a short window sees as much of as the next one. */
const poll = { fast: 500, normal: 1_000, slow: 1_000 };

/** What a process has computed since it started, ms, finer than the clock's ticks. */
async function computedBy(pid: number): Promise<number> {
  const folder = `/proc/${pid}/task`;
  const threads = await readdir(folder);
  const texts = await Promise.all(threads.map((thread) => readFile(join(folder, thread, 'schedstat'), 'utf8')));
  return texts.reduce((total, text) => total + Number(text.split(' ')[0]), 0) / 1e6;
}

/** For what opening and closing leaves to be done, ms. */
const settling = 500;

interface Window {
  readonly core: number;
  readonly web: number;
}

/** `seconds` of each of four windows: with, without, without, with, so that what drifts falls on both alike. */
export async function measureFifty(seconds: number): Promise<BenchLine[]> {
  const change = (site: Site): Site => ({ ...site, poll });
  await using campus = await startCampus({ city: false, only: ['core', 'fieldbus', 'web'], change });
  await waitForCampus(campus);
  await using crowd = new Script('console-crowd.ts');
  const token = readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
  const open = () => crowd.ask({ kind: 'open', url: campus.url, token, consoles });
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const window = async (): Promise<Window> => {
    await pause(settling);
    const at = async () => ({ core: await computedBy(campus.pid('core')), web: await computedBy(campus.pid('web')) });
    const before = await at();
    await pause(1_000 * seconds);
    const after = await at();
    return { core: after.core - before.core, web: after.web - before.web };
  };
  await open();
  await crowd.ask({ kind: 'report' });
  const first = await window();
  const heard = await crowd.ask({ kind: 'close' });
  const none = [await window(), await window()];
  await open();
  const fifty = [first, await window()];
  const share = (windows: readonly Window[], of: keyof Window) =>
    windows.reduce((total, window) => total + window[of], 0) / (10 * seconds * windows.length);
  const line = (of: keyof Window): BenchLine => ({
    bench: 'console',
    what: `CPU of ${of} with ${consoles} consoles`,
    ours: { value: share(fifty, of), unit: '%' },
    other: { value: share(none, of), unit: '%', name: 'with none' },
  });
  const perSecond = (count: unknown) => (Number(count) / (seconds + settling / 1_000)).toFixed(0);
  return [
    {
      ...line('core'),
      goal: { of: 'ratio', atMost: 1.2 },
      note: `of one CPU, two windows of ${seconds} s each in the order with, without, without, with, on the demo's campus with its simulators, every device asked at least once a second; together the consoles heard ${perSecond(heard.messages)} messages (${perSecond(Number(heard.bytes) / 1_000)} kB) and asked ${perSecond(heard.requests)} questions a second`,
    },
    line('web'),
  ];
}
