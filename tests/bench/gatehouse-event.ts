import type { Page } from 'playwright-core';
import { systemClock } from '#edge/runtime/clock.ts';
import type { Site } from '#edge/runtime/site.ts';
import { type Camera, startCamera } from '#edge/simulators/camera.ts';
import type { Browser } from '../e2e/browser.ts';
import { makePerson, signIn, waitForCampus } from '../e2e/people.ts';
import { startCampus } from '../system/campus.ts';
import { type BenchLine, type BenchOptions, median, percentile } from './bench-line.ts';
import { until } from './rig.ts';

/* From what a camera says to its picture on the glass of the security desk: real processes, ONVIF over a real socket, a real browser. */

const login = { username: 'campus', password: 'demo-camera-gate-5' };
/** Longer than two events belong to one incident, and no multiple of anything that is done once a second, ms. */
const pause = 2_700;
const within = 1_000;

/** Moments on the clock of this machine, ms: by event what the stream told, by incident what was painted. */
const watching = `
  window.bench = { told: {}, painted: {} };
  performance.setResourceTimingBufferSize(10_000);
  const Native = window.EventSource;
  window.EventSource = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener('incident', ({ data }) => {
        const { id, picture } = JSON.parse(data);
        bench.told[id] ??= { at: Date.now(), picture };
      });
    }
  };
  const paint = async (image, id) => {
    await image.decode();
    // Drawn in the next frame, and shown by the one after it.
    requestAnimationFrame(() => requestAnimationFrame(() => { bench.painted[id] ??= Date.now(); }));
  };
  document.addEventListener('load', ({ target }) => {
    const row = target instanceof HTMLImageElement ? target.closest('[data-incident]') : null;
    if (row !== null) paint(target, row.dataset.incident).catch(() => {});
  }, true);`;

interface Seen {
  readonly id: string;
  /** The camera says it; the page is told; the picture is asked for (the last time, which brought it) and has come; it is painted. */
  readonly said: number;
  readonly told: number;
  readonly asked: number;
  readonly came: number;
  readonly painted: number;
}

function siteOf(port: number): (site: Site) => Site {
  return ({ city: _, energy: __, ...site }) => ({
    ...site,
    devices: site.devices.flatMap(({ uplink: ___, ...device }) =>
      device.id === 'camera-gate' ? [{ ...device, address: { host: '127.0.0.1', port, ...login } }] : [],
    ),
    flowRequests: [],
    flows: { ...site.flows, enabled: false },
    incidents: {
      ...site.incidents,
      rules: [
        {
          ...{ types: ['person'], zones: 'all', devices: 'all', during: null, class: 'high' },
          ...{ within, longest: within, escalateAfter: null },
        },
      ],
    },
    panic: [],
    keyPlaces: [],
  });
}

const script = `(() => {
  const at = (entry, what) => Math.round(performance.timeOrigin + entry[what]);
  const shots = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/snapshot'));
  return Object.entries(bench.painted).flatMap(([id, painted]) => {
    const told = bench.told[id];
    const shot = shots.findLast(({ name }) => name.includes(told?.picture));
    return shot === undefined ? [] : [{ id, told: told.at, asked: at(shot, 'startTime'), came: at(shot, 'responseEnd'), painted }];
  });
})()`;

async function watch(page: Page, camera: Camera, events: number): Promise<Seen[]> {
  const all: Seen[] = [];
  const known = new Set((await page.evaluate<Seen[]>(script)).map(({ id }) => id));
  for (let left = events; left > 0; left--) {
    const said = systemClock.now();
    camera.person();
    const fresh = async () => (await page.evaluate<Omit<Seen, 'said'>[]>(script)).find(({ id }) => !known.has(id));
    let found = await fresh();
    const look = async () => {
      found = await fresh();
      return found !== undefined;
    };
    await until('the picture of an event', 20_000, look, 20);
    if (found === undefined) continue;
    known.add(found.id);
    all.push({ ...found, said });
    const rest = said + pause + 17 * (left % 30) - systemClock.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
  }
  return all;
}

export async function measureEvents(browser: Browser, { quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using camera = await startCamera({
    ...{ host: '127.0.0.1', port: 0, ...login, clock: systemClock, personFor: 500 },
    ...{ auth: 'digest', model: 'DS-GATE-4', topicDialect: 'reolink' },
  });
  const only = ['core', 'camera', 'web'];
  await using campus = await startCampus({
    ...{ only, simulators: false, city: false, onlyRules: {}, change: siteOf(camera.port) },
  });
  await waitForCampus(campus);
  await makePerson(campus, 'wang', '王敏', 'administrator');
  await makePerson(campus, 'li', '李强', 'security');
  const { page, context } = await browser.open({ width: 1920, height: 1080, language: 'zh' });
  page.setDefaultTimeout(30_000);
  await page.addInitScript({ content: watching });
  await signIn(page, campus.url, 'li');
  await page.evaluate(`void (location.hash = '/incidents')`);
  await page.waitForSelector('.incidents');
  // Its driver finds out what it can do; all of them connect, log in and compile.
  const walkThrough = async () => {
    camera.person();
    await new Promise((resolve) => setTimeout(resolve, pause));
    return (await page.evaluate<Seen[]>(script)).length >= 3;
  };
  await until('a picture in the list', 90_000, walkThrough, 0);
  const seen = await watch(page, camera, quick ? 12 : 40);
  await context.close();
  const times = (of: (one: Seen) => number) => seen.map(of);
  const parts = [
    ['event to the page', times(({ said, told }) => told - said)],
    ['to the request that brought the picture', times(({ told, asked }) => asked - told)],
    ['its answer', times(({ asked, came }) => came - asked)],
    ['painting', times(({ came, painted }) => painted - came)],
  ] as const;
  const note = parts
    .map(([what, ms]) => `${what} ${median(ms).toFixed(0)} (p95 ${percentile(ms, 0.95).toFixed(0)}) ms`)
    .join(', ');
  say(`  ${note}`);
  const total = times(({ said, painted }) => painted - said);
  const figure = (value: number) => ({ value, unit: 'ms' });
  return [
    { bench: 'gatehouse', what: 'event to its picture on the screen p50', ours: figure(median(total)) },
    {
      bench: 'gatehouse',
      what: 'event to its picture on the screen p95',
      ours: figure(percentile(total, 0.95)),
      goal: { of: 'figure', atMost: 700 },
      note: `${seen.length} events, each an incident of its own, from the camera's word to the second frame after the picture was decoded; ${note}`,
    },
  ];
}
