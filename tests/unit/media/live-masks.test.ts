import { spawnSync } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { camera, childrenOf, clipOf, hasFfmpeg } from './stream-rig.ts';
import { type Seen, streamOf, viewerRig } from './viewer-rig.ts';

/* What somebody may not see does not leave media: looked at in the pixels of what a viewer is sent. */

const patient = { timeout: 30_000, interval: 25 };
/** Neither edge lies on a whole pixel of 640 x 360. */
const masks = [{ x: 0.3011, y: 0.2503, width: 0.4007, height: 0.5009 }];
const [width, height] = [640, 360];
const area = { left: 192, top: 90, right: 450, bottom: 271 };

interface Light {
  /** The lightest point under the mask, and beside it, 0 to 255. */
  readonly under: number;
  readonly beside: number;
}

/** Decodes what a viewer got, as a browser would, and looks at each picture. */
function lightOf(kind: 'mp4' | 'mjpeg', bytes: Buffer): Light[] {
  const args = ['-v', 'error', '-f', kind, '-i', 'pipe:0', '-vf', 'format=gray', '-f', 'rawvideo', 'pipe:1'];
  const { stdout } = spawnSync('ffmpeg', args, { input: bytes, timeout: 20_000, maxBuffer: 200e6 });
  const pictures = Array.from({ length: Math.floor(stdout.length / (width * height)) }, (_, index) =>
    stdout.subarray(index * width * height, (index + 1) * width * height),
  );
  return pictures.map((picture) => {
    let [under, beside] = [0, 0];
    for (let y = 0; y < height; y++) {
      const isWithin = y >= area.top && y < area.bottom;
      const row = picture.subarray(y * width, (y + 1) * width);
      const lightest = (from: number, to: number) =>
        row.subarray(from, to).reduce((most, light) => Math.max(most, light), 0);
      const middle = lightest(area.left, area.right);
      if (isWithin) under = Math.max(under, middle);
      beside = Math.max(beside, lightest(0, area.left), lightest(area.right, width), isWithin ? 0 : middle);
    }
    return { under, beside };
  });
}

/** A coder leaves a little around sharp edges; the test picture under the mask is as light as light can be. */
const dark = 40;

function expectCovered(seen: Seen, kind: 'mp4' | 'mjpeg' = 'mp4'): void {
  const pictures =
    kind === 'mp4' ? lightOf(kind, Buffer.concat(seen.binary)) : seen.binary.flatMap((jpeg) => lightOf(kind, jpeg));
  expect(pictures.length).toBeGreaterThan(0);
  expect(Math.max(...pictures.map(({ under }) => under))).toBeLessThan(dark);
  expect(Math.min(...pictures.map(({ beside }) => beside))).toBeGreaterThan(150);
}

describe.skipIf(!hasFfmpeg).concurrent('a camera with masks', () => {
  it('reaches whoever may not see all of it covered, in one transcode for all of them, and others as it is', async () => {
    await using it = await viewerRig({ masks });
    const guards = [it.watch(), it.watch(`/live/${camera}/main?codecs=avc1,hvc1`), it.watch(`/live/${camera}/main`)];
    const chief = it.watch(`/live/${camera}/main?codecs=avc1&unmasked=1`);
    await vi.waitFor(() => expect([...guards, chief].every(({ binary }) => binary.length > 12)).toBe(true), patient);
    for (const guard of guards) {
      expect(guard.said.filter(({ kind }) => kind === 'stream')).toMatchObject([
        { source: 'transcode', isMasked: true },
      ]);
      expectCovered(guard);
    }
    expect(streamOf(chief)).toMatchObject({ source: 'copy', isMasked: false });
    expect(Math.max(...lightOf('mp4', Buffer.concat(chief.binary)).map(({ under }) => under))).toBeGreaterThan(150);
    expect(it.rtsp.played).toBe(1);
    expect(childrenOf(it.data)).toHaveLength(2);
    expect(it.transcodes.load()).toMatchObject({ video: 1, pictures: 0, masked: 1, cpu: expect.any(Number) });
  });

  it('cannot be had as it is by asking otherwise: no codec, stream or word opens it', async () => {
    await using it = await viewerRig({ masks, transcodes: 2 });
    const tries = [
      'main?codecs=avc1',
      'main?codecs=hvc1',
      'main?codecs=avc1,avc3,hvc1,hev1,av01,vp09',
      'main?codecs=',
      'sub?codecs=avc1&unmasked=0',
      'sub?unmasked=true',
      'sub?unmasked=&unmasked=1',
      'sub?masked=0&isMasked=0&masks=[]',
    ].map((path) => it.watch(`/live/${camera}/${path}`));
    await vi.waitFor(() => expect(tries.every(({ binary }) => binary.length > 10)).toBe(true), patient);
    for (const seen of tries) {
      expect(streamOf(seen)).toMatchObject({ isMasked: true, source: 'transcode' });
      expectCovered(seen);
    }
  });

  it('is covered again after its stream began anew', async () => {
    await using it = await viewerRig({ masks });
    const seen = it.watch();
    await vi.waitFor(() => expect(seen.binary.length).toBeGreaterThan(10), patient);
    for (const pid of childrenOf(it.data)) process.kill(pid, 'SIGKILL');
    await vi.waitFor(
      () => expect(seen.said.filter(({ kind }) => kind === 'stream').length).toBeGreaterThan(1),
      patient,
    );
    const again = it.watch();
    await vi.waitFor(() => expect(again.binary.length).toBeGreaterThan(12), patient);
    expectCovered(again);
    expect(seen.said.filter((message) => message.kind === 'stream' && message.source === 'copy')).toEqual([]);
  });

  it('is a covered picture a second where as many are recoded as may, and video once there is room', async () => {
    const h265 = await clipOf({ codec: 'h265' });
    const clip = await clipOf();
    await using it = await viewerRig({ masks, rtsp: { streams: { '/main': () => clip, '/sub': () => h265 } } });
    const first = it.watch(`/live/${camera}/sub?codecs=avc1`);
    await vi.waitFor(() => expect(first.binary.length).toBeGreaterThan(5), patient);
    const seen = it.watch();
    await vi.waitFor(() => expect(seen.binary.length).toBeGreaterThan(1), patient);
    expect(streamOf(seen)).toMatchObject({ source: 'pictures', isMasked: true });
    expectCovered(seen, 'mjpeg');
    expectCovered(first);
    first.socket.close();
    await vi.waitFor(() => expect(streamOf(seen)).toMatchObject({ source: 'transcode', isMasked: true }), patient);
    await vi.waitFor(() => expect(it.transcodes.load()).toMatchObject({ video: 1, pictures: 0, masked: 1 }), patient);
  });

  it('is nothing at all where nothing can be covered any more', async () => {
    await using it = await viewerRig({ masks, transcodes: 0, mostPictures: 0 });
    const seen = it.watch();
    await vi.waitFor(() => expect(seen.closed).toMatchObject([{ code: 4003 }]), patient);
    expect(seen.said).toContainEqual(expect.objectContaining({ kind: 'state', state: 'refused', reason: 'full' }));
    expect(seen.binary).toEqual([]);
  });
});
