import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import { isWholeJpeg, pixelsOf } from '#edge/drivers/onvif/snapshots.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { CameraFault } from '#edge/simulators/camera.ts';
import { encodeJpeg } from '#edge/simulators/camera-jpeg.ts';
import { photograph } from '#edge/simulators/camera-scene.ts';
import { closest, eventually, type Scene, startScene, streaming } from './bench.ts';

async function files(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).map((e) => e.name);
}

/** Somebody presses the button; the session must have answered before the scene ends. */
function press({ session, device }: Scene) {
  const now = systemClock.now();
  const command: Command = {
    id: newHappeningId(systemClock),
    device: device.id,
    point: 'snapshot' as PointName,
    value: true,
    priority: 12,
    issued: now,
    expires: now + 10_000,
    until: null,
  };
  const result = session.write?.(command, new AbortController().signal);
  return { result, [Symbol.asyncDispose]: async () => void (await result) };
}

describe('the size of a picture', () => {
  const header = (...segments: number[][]) =>
    Buffer.concat([Buffer.from([0xff, 0xd8, ...segments.flat()]), Buffer.alloc(64)]);
  const frame = (marker: number, height: number, width: number) => [
    ...[0xff, marker, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3],
    ...new Array<number>(9).fill(0),
  ];
  test('is read from its frame header, behind whatever is before it', () => {
    const picture = encodeJpeg({ width: 48, height: 32, rgb: new Uint8Array(48 * 32 * 3) }, 70);
    expect(pixelsOf(picture)).toBe(48 * 32);
    expect(pixelsOf(header([0xff, 0xe0, 0, 4, 1, 2], [0xff], frame(0xc2, 1080, 1920)))).toBe(1920 * 1080);
  });

  test('may be no more than a camera has: four gigapixels in a few bytes, none at all, or none that ends', () => {
    expect(pixelsOf(header(frame(0xc0, 65_535, 65_535)))).toBeGreaterThan(64_000_000);
    expect(pixelsOf(header([0xff, 0xda, 0, 8]))).toBeNaN();
    expect(pixelsOf(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, ...new Array<number>(90).fill(0)]))).toBeNaN();
    expect(pixelsOf(header([0xff, 0xe0, 0, 0], [0xff, 0xe0, 0, 0]))).toBeNaN();
  });
});

describe('pictures of an onvif camera', () => {
  test('are taken at most once in a while: events in between share one', async () => {
    await using scene = await startScene({ timings: { snapshotGap: 400, coalesce: 10 } });
    await streaming(scene);
    const { camera, heard, folder } = scene;
    const emit = (rule: number) =>
      camera.emit({
        topic: 'tns1:RuleEngine/LineDetector/Crossed',
        source: { Rule: `r${rule}` },
        data: { ObjectId: '1' },
      });
    for (let i = 0; i < 6; i++) emit(i);
    await eventually(() => heard.events.length).toBe(6);
    const shots = () =>
      camera.requests.filter(({ operation, judgement }) => operation === 'snapshot' && judgement === 'ok');
    await eventually(() => heard.count('snapshot')).toBe(1);
    expect(new Set(heard.events.map((event) => event.snapshot)).size).toBe(1);
    expect(heard.events[0]?.snapshot).toContain(heard.events[0]?.id);
    await eventually(() => {
      emit(heard.events.length);
      return shots().length;
    }).toBe(3);
    expect(closest(shots().map(({ at }) => at))).toBeGreaterThanOrEqual(350);
    // The last picture may still be on its way to the disk; then it has its whole name, and nothing is left aside.
    await eventually(async () => (await files(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test.each<[CameraFault, RegExp]>([
    ['pictureHtml', /no pictures: camera sends something that is not a whole JPEG/],
    ['pictureCut', /no pictures: .*not a whole JPEG/],
    ['pictureHuge', /no pictures: .*more than 4000000 bytes/],
    ['pictureSlow', /no pictures: .*did not answer the picture within 1 s/],
  ])('that are wrong (%s) are not kept; the event comes all the same, and the page says so', async (fault, said) => {
    await using scene = await startScene({ timings: { snapshot: fault === 'pictureSlow' ? 700 : 3_500 } });
    await streaming(scene);
    const { camera, heard, folder } = scene;
    await camera.fault(fault);
    camera.motion(true);
    await eventually(() => heard.last()).toMatch(said);
    expect(heard.last()).toMatch(/^online: events are flowing/);
    expect(heard.events).toMatchObject([{ type: 'motion', active: true }]);
    expect(await files(folder)).toEqual([]);
    await camera.fault('none');
    await eventually(() => {
      camera.lineCrossed();
      return heard.last();
    }).not.toMatch(/no pictures/);
    expect(heard.count('snapshot')).toBeGreaterThan(0);
  });

  test('are not asked for when the site does not want them', async () => {
    await using scene = await startScene({ config: { snapshot: false } });
    await streaming(scene);
    scene.camera.motion(true);
    await eventually(() => scene.heard.events.length).toBe(1);
    expect(scene.heard.events[0]).not.toHaveProperty('snapshot');
    expect(scene.camera.requests.some(({ operation }) => operation === 'snapshot')).toBe(false);
  });

  test('of the simulated camera are whole JPEGs that change with time', async () => {
    const options = { name: 'GATE-1', utcOffsetMinutes: 480, person: true };
    const [one, two] = [1_795_320_306_000, 1_795_320_307_000].map((time) => photograph({ ...options, time }));
    expect(isWholeJpeg(one ?? Buffer.alloc(0))).toBe(true);
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(false);
    expect(isWholeJpeg(Buffer.concat([one ?? Buffer.alloc(0), Buffer.alloc(64)]))).toBe(true);
    expect(isWholeJpeg(Buffer.from('<html></html>'.repeat(20)))).toBe(false);
  });

  test('are taken at the press of a button: told as an event once they are whole, with where they are', async () => {
    await using scene = await startScene({ points: ['snapshot'] });
    await using pressing = press(scene);
    const result = await pressing.result;
    expect(result).toMatchObject({ outcome: 'done', value: true });
    const event = scene.heard.events.find(({ type }) => type === 'snapshot');
    expect(event).toMatchObject({ snapshot: result?.message, data: { command: result?.id } });
    expect(event?.active).toBeUndefined();
    expect(isWholeJpeg(await readFile(join(scene.folder, event?.snapshot ?? 'none')))).toBe(true);
  });

  test('that cannot be taken are answered with the reason, and no event says that there is one', async () => {
    await using scene = await startScene({ points: ['snapshot'], timings: { snapshot: 700 } });
    await streaming(scene);
    await scene.camera.fault('pictureHtml');
    await using pressing = press(scene);
    expect(await pressing.result).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('not a whole JPEG'),
    });
    await using off = await startScene({ points: ['snapshot'], config: { snapshot: false } });
    await using refused = press(off);
    expect(await refused.result).toMatchObject({ outcome: 'refused' });
    expect([...scene.heard.events, ...off.heard.events].filter(({ type }) => type === 'snapshot')).toEqual([]);
  });

  test('are the ones that were sent', async () => {
    await using scene = await startScene();
    await streaming(scene);
    scene.camera.motion(true);
    await eventually(() => scene.heard.count('snapshot')).toBe(1);
    expect(isWholeJpeg(await readFile(join(scene.folder, scene.heard.events[0]?.snapshot ?? '')))).toBe(true);
  });
});
