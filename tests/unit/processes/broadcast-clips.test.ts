import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAccess } from '#edge/bus/access.ts';
import { type Broker, startBroker } from '#edge/bus/broker.ts';
import { type BusClient, connectBus } from '#edge/bus/client.ts';
import { grantsFor } from '#edge/bus/grants.ts';
import { clipsTopic } from '#edge/bus/topics.ts';
import type { ClipListing } from '#edge/domain/broadcast.ts';
import { type ClipLibrary, openClipLibrary } from '#edge/drivers/sound/clips.ts';
import { startClipLine } from '#edge/processes/broadcast-clips.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';
import { followCampus } from '#edge/web/follow.ts';
import { LiveState } from '#edge/web/live.ts';

/* Core's broker with its access list, `broadcast` and `web` as clients of it: clips go out, facts come back. */

const patience = { timeout: 20_000, interval: 20 };

let folder: string;
let broker: Broker;
let library: ClipLibrary;
let stack: AsyncDisposableStack;
let live: LiveState;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clip-line-'));
  stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true }));
  await writeClips(folder);
  await mkdir(join(folder, 'clips'));
  const [clock, log] = [systemClock, silentLog];
  const internal = new Map([
    ['broadcast', 'a secret'],
    ['web', 'another'],
  ]);
  const access = createAccess({ dataFolder: folder, internal, grants: grantsFor({ clients: [] }, {}), clock, log });
  const listen = { hosts: ['127.0.0.1'], port: 0, websocketPort: null, access, clock, log };
  broker = stack.use(await startBroker({ ...listen, onPublish: () => {} }));
  const clips = { bell: { file: 'class-bell.wav', loop: false }, gone: { file: 'gone.wav', loop: false } };
  library = stack.use(openClipLibrary({ clips, folder, cache: join(folder, 'cache'), arrival: 20_000 }));
  live = new LiveState(clock);
  stack.use(await followCampus(await enter('web', 'another'), live, log));
  stack.use(startClipLine({ bus: await enter('broadcast', 'a secret'), library, folder: join(folder, 'clips'), log }));
});
afterEach(() => stack.disposeAsync());

async function enter(client: string, password: string): Promise<BusClient> {
  const ending = new AbortController();
  const address = { host: '127.0.0.1', port: broker.ports.mqtt };
  const bus = await connectBus({
    ...address,
    client,
    password,
    clock: systemClock,
    log: silentLog,
    signal: ending.signal,
  });
  return stack.use(bus);
}

async function clipOf(name: string, source: string, ahead = false): Promise<ClipListing> {
  const content = await readFile(join(folder, source));
  const file = `${createHash('sha256').update(content).digest('hex')}.wav`;
  await writeFile(join(folder, 'clips', file), content);
  return { name, file, ahead };
}

const tell = (listings: readonly ClipListing[]) =>
  broker.bus.publish(clipsTopic('broadcast'), listings, { retain: true });

test('what core tells is played at once, and whoever asked before waited; web hears what is known of it', async () => {
  const waits = library.load('lunch', 8_000);
  await tell([await clipOf('lunch', 'tune.wav'), await clipOf('gas', 'test-tones.wav', true)]);
  expect((await waits).name).toBe('lunch');
  await vi.waitFor(() => expect(library.ready('gas', 8_000)).toBeDefined(), patience);
  await vi.waitFor(() => {
    expect(live.clipFacts.get('lunch')).toMatchObject({ length: expect.any(Number), problem: null });
    expect(live.clipFacts.get('gas')).toMatchObject({ length: 3_600, problem: null });
  }, patience);
});

test('clips of the site are told too, and so is a file that is not there, until it is gone from the list', async () => {
  await tell([{ name: 'lost', file: `${'0'.repeat(64)}.wav`, ahead: false }]);
  await library.prepare(8_000);
  await vi.waitFor(() => {
    expect(live.clipFacts.get('bell')).toEqual({ name: 'bell', length: 4_000, problem: null });
    expect(live.clipFacts.get('gone')).toMatchObject({ length: null, problem: expect.stringContaining('ENOENT') });
    expect(live.clipFacts.get('lost')).toEqual({ name: 'lost', length: null, problem: 'its file is not there' });
  }, patience);
  await tell([]);
  await vi.waitFor(() => expect(live.clipFacts.has('lost')).toBe(false), patience);
  expect(live.clipFacts.has('bell')).toBe(true);
});

test('a library of thousands of clips stays within what a message may be', async () => {
  const listings = Array.from({ length: 3_000 }, (_, i) => ({
    name: `announcement-${i}-${'x'.repeat(40)}`,
    file: `${createHash('sha256').update(String(i)).digest('hex')}.wav`,
    ahead: false,
  }));
  await tell(listings);
  await vi.waitFor(() => expect(live.clipFacts.size).toBeGreaterThan(1_000), patience);
  expect(library.facts()).toEqual([]);
});
