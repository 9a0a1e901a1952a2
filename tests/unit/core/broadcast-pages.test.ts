import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import { BroadcastDesk } from '#edge/processes/core/broadcast-desk.ts';
import { createBroadcastMethods } from '#edge/processes/core/broadcast-methods.ts';
import { longestPage } from '#edge/processes/core/broadcast-pages.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc, type RpcClient, startRpcServer } from '#edge/runtime/rpc.ts';
import type { CoreNow } from '#edge/web/broadcast-core.ts';
import { createSoundNow } from '#edge/web/broadcast-now.ts';
import type { LiveState } from '#edge/web/live.ts';
import { place, point } from '../commands/desk.ts';
import { ten } from './broadcast-room.ts';

/* A campus of 1,200 loudspeakers over the real socket, whose lines have an end. */

const count = 1_200;
const long = '因为今天下午有雷雨，所有室外活动改到室内进行。'.repeat(6);
const devices = Array.from({ length: count }, (_, n) => place(`speaker-${n}`, 'broadcast', [point('clip', 'text', {})]))
  .flat()
  .map(({ device }) => device);

let desk: BroadcastDesk;
let server: AsyncDisposable;
let client: RpcClient & AsyncDisposable;
const sizes: number[] = [];

beforeEach(async () => {
  const clock = new ManualClock(ten);
  const append = async () => {};
  desk = new BroadcastDesk({
    ...{ devices, append, clock, log: silentLog, stored: () => [], onChange: () => {}, isDriven: true },
    commands: () => ({ setInterlockHolds: () => {}, holdsOn: () => [] }),
    ...{ drillWord: { clip: 'word', length: 1_000 }, sirens: [], clip: () => ({ length: 60_000, isEndless: false }) },
  });
  desk.begin();
  for (const [n, soundClass] of (['background', 'programme', 'bell', 'page'] as const).entries()) {
    const answer = desk.play({
      ...{ class: soundClass, name: { zh: long, en: long }, source: { kind: 'clips', clips: ['bell'], loop: true } },
      ...{ zones: 'all', by: `person:${n}`, why: long, interruption: 'resume', patience: null },
    });
    expect(answer.outcome).toBe('taken');
  }
  const path = join(mkdtempSync(join(tmpdir(), 'pages-')), 'core.sock');
  const methods = createBroadcastMethods({
    ...{ desk, settings: { quiets: [], tick: () => {} } as never, append, commit: append, clock },
    ...{ latest: () => undefined, revOf: () => 0 },
  });
  server = await startRpcServer({ path, methods, log: silentLog });
  client = connectRpc(path);
  sizes.length = 0;
});
afterEach(async () => {
  desk[Symbol.dispose]();
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const measured: Pick<RpcClient, 'call'> = {
  async call(method, params) {
    const answer = await client.call(method, params);
    sizes.push(JSON.stringify(answer).length);
    return answer;
  },
};
const live = { listen: () => ({ [Symbol.dispose]: () => {} }) } as unknown as LiveState;

describe('1,200 loudspeakers with four sounds on each', () => {
  test('are told whole, each once, in lines that are never too long', async () => {
    using sound = createSoundNow(measured, live, new ManualClock(ten));
    const { now }: { now: CoreNow } = await sound.ask();
    expect(now.rooms.map(({ output }) => output)).toEqual([...desk.speakers.keys()]);
    expect(now.rooms.every(({ answer }) => answer.playing?.class === 'page' && answer.waiting.length === 3)).toBe(true);
    expect(now.items).toHaveLength(4);
    for (const { outputs } of now.items) expect(Object.values(outputs).flat()).toHaveLength(count);
    expect(sizes.length).toBeGreaterThan(1);
    // One room may be on a page beyond its size, and no more.
    expect(Math.max(...sizes)).toBeLessThan(longestPage + 20_000);
    console.info(`broadcast.now: ${count} loudspeakers in ${sizes.length} lines, the longest of ${Math.max(...sizes)}`);
  });

  test('one that goes between two pages shifts nothing', async () => {
    const first = (await client.call('broadcast.now', {})) as CoreNow & { next: object };
    const [, second] = desk.items();
    if (second === undefined) throw new Error('there are four');
    desk.stop(second.item.id, { by: 'person:1', why: 'enough' });
    const outputs = first.rooms.map(({ output }) => output);
    const items: string[] = [];
    let next: object | null = first.next;
    while (next !== null) {
      const page = (await client.call('broadcast.now', { after: next })) as CoreNow & { next: object | null };
      outputs.push(...page.rooms.map(({ output }) => output as PointRef));
      items.push(...page.items.map(({ item }) => item.id));
      next = page.next;
    }
    expect(outputs).toEqual([...desk.speakers.keys()]);
    expect(items.toSorted()).toEqual(
      desk
        .items()
        .map(({ item }) => item.id)
        .toSorted(),
    );
  });

  test('the story of one item fits into a line too', async () => {
    const [first] = desk.items();
    if (first === undefined) throw new Error('there are four');
    const answer = (await client.call('broadcast.item', { id: first.item.id })) as {
      parts: unknown[];
      story: unknown[];
    };
    expect(answer.parts).toHaveLength(count);
    expect(answer.story.length).toBeGreaterThan(0);
    expect(JSON.stringify(answer).length).toBeLessThan(1_000_000);
  });
});
