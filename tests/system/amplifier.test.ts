import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { OutputState } from '#edge/domain/output.ts';
import type { SiteDevice } from '#edge/runtime/site.ts';
import { amplifiersSection } from '#edge/runtime/site-amplifiers.ts';
import type * as shapes from '#edge/web/broadcast-schemas.ts';
import { temporaryFolder } from '../unit/broadcast/speakers.ts';
import { hasAplay } from '../unit/line/line-rig.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* Amplifiers on a whole campus: relays over Modbus, a sound card whose samples ALSA writes to a file, and a relay board that is away. */

const soon = { timeout: 30_000, interval: 100 };
type Played = z.infer<typeof shapes.played>;
type Story = z.infer<typeof shapes.itemStory>;
type AlarmRow = { readonly source: string; readonly active: boolean; readonly message: { readonly zh: string } };

let campus: RunningCampus;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const heardFile = () => join(folder.path, 'heard.raw');

beforeAll(async () => {
  folder = await temporaryFolder();
  const config = join(folder.path, 'asound.conf');
  const file = `type file file "| cat >> ${heardFile()}" format raw slave { pcm { type null } }`;
  await writeFile(config, `</usr/share/alsa/alsa.conf>\npcm.hall { type plug slave.pcm { ${file} } }\n`);
  const device = (id: string, profile: string, address: object) =>
    ({ ...{ id, name: { zh: id, en: id }, profile, zone: 'gate', tags: [] }, address }) as unknown as SiteDevice;
  campus = await startCampus({
    ...{ only: ['core', 'fieldbus', 'broadcast', 'web'], city: false, onlyRules: {} },
    change: (site) => ({
      ...site,
      devices: [
        ...site.devices,
        device('line-hall', 'speaker/line', { device: 'hall', config }),
        device('relay-away', 'relay/waveshare-relay-8', { tcp: { host: '127.0.0.1', port: 1 }, unit: 1 }),
      ],
      amplifiers: amplifiersSection.parse([
        {
          ...{ id: 'hall', name: { zh: '礼堂功放', en: 'Hall amplifier' }, power: 'lights-2f/relay_7' },
          ...{ warmUp: '2s', afterRun: '3s', speakers: ['line-hall'], zones: { gate: 'lights-2f/relay_8' } },
        },
        {
          ...{ id: 'field', name: { zh: '操场功放', en: 'Field amplifier' }, power: 'relay-away/relay_1' },
          ...{ warmUp: '1s', speakers: ['speaker-playground'] },
        },
      ]),
    }),
  });
  await vi.waitFor(async () => {
    const { rooms } = await campus.get<z.infer<typeof shapes.broadcastNow>>('broadcast/now');
    expect(rooms.find((room) => room.device === 'line-hall')?.online).toBe(hasAplay);
  }, soon);
}, 90_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const play = (devices: readonly string[]) =>
  campus.post<Played>('broadcast/play', { clips: ['evacuation'], loop: true, devices, why: 'a test' });
const stop = (item: string | null) => campus.post(`broadcast/items/${item}/stop`, { why: 'enough' });
const story = (item: string | null) => campus.get<Story>(`broadcast/items/${item}`);
const output = async (ref: string) => (await campus.get<OutputState[]>('outputs')).find((one) => one.ref === ref);
const isOn = async (ref: string) => (await output(ref))?.confirmed?.value;
const heardSamples = async () => (await readFile(heardFile()).catch(() => Buffer.alloc(0))).some((byte) => byte !== 0);

describe('an amplifier', () => {
  test.skipIf(!hasAplay)(
    'is on and warm before its sound, and off after it',
    async () => {
      const began = performance.now();
      const { item } = await play(['line-hall']);
      await vi.waitFor(async () => expect(await isOn('lights-2f/relay_7')).toBe(true), soon);
      expect((await output('lights-2f/relay_7'))?.holder).toBe('amplifier:hall');
      expect(await heardSamples()).toBe(false);
      await vi.waitFor(async () => expect(await heardSamples()).toBe(true), soon);
      expect(performance.now() - began).toBeGreaterThan(2_000);
      expect(await isOn('lights-2f/relay_8')).toBe(true);
      await vi.waitFor(async () => {
        const mine = (await story(item)).deliveries.find(({ device }) => device === 'line-hall');
        expect(mine).toMatchObject({ state: 'playing', proof: 'sent' });
      }, soon);
      await stop(item);
      await vi.waitFor(async () => expect(await isOn('lights-2f/relay_8')).toBe(false), soon);
      await vi.waitFor(async () => expect(await isOn('lights-2f/relay_7')).toBe(false), soon);
    },
    60_000,
  );

  test('whose relay does not answer is named, and its sound is sent and said to be missed', async () => {
    const { item } = await play(['speaker-playground', 'speaker-gate']);
    await vi.waitFor(async () => {
      const { deliveries } = await story(item);
      expect(deliveries.find(({ device }) => device === 'speaker-gate')?.state).toBe('playing');
      const mine = deliveries.find(({ device }) => device === 'speaker-playground');
      expect(mine?.state).toBe('missed');
      expect(mine?.reason).toContain('操场功放');
      expect(mine?.reason).toContain('relay-away/relay_1');
    }, soon);
    const alarms = (await campus.get<AlarmRow[]>('alarms')).filter(({ active }) => active);
    const mine = alarms.find(({ source }) => source === 'amplifier:field:relay-away/relay_1');
    expect(mine?.message.zh).toContain('操场功放');
    await stop(item);
  }, 60_000);
});
