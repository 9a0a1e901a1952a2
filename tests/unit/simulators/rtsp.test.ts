import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { type Rtsp, type RtspOptions, startRtsp } from '#edge/simulators/rtsp.ts';
import { numberBits, type RtspClip, readClip } from '#edge/simulators/rtsp-clip.ts';
import { createRequestReader } from '#edge/simulators/rtsp-message.ts';
import { describeClip, packPicture, senderReport } from '#edge/simulators/rtsp-packets.ts';
import { clipOf, hasFfmpeg, password, username } from '../media/stream-rig.ts';

const stack: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of stack.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function serve(clip: RtspClip | null, options: Partial<RtspOptions> = {}): Promise<Rtsp> {
  const streams = { '/main': () => clip };
  const rtsp = await startRtsp({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    username,
    password,
    streams,
    ...options,
  });
  stack.push(rtsp);
  return rtsp;
}

/** ffmpeg as the client: nobody here wrote it. Runs beside this process's own loop. */
async function fetchWith(rtsp: Rtsp, transport: 'tcp' | 'udp', seconds = 2) {
  const { execFile } = await import('node:child_process');
  const login = `${username}:${encodeURIComponent(password).replaceAll("'", '%27')}@`;
  const url = rtsp.url('/main').replace('//', `//${login}`);
  const args = ['-v', 'error', '-rtsp_transport', transport, '-i', url, '-t', String(seconds)];
  return new Promise<{ error: Error | null; frames: number; said: string }>((resolve) => {
    execFile('ffmpeg', [...args, '-f', 'framecrc', '-'], { timeout: 30_000 }, (error, out, said) => {
      resolve({ error, frames: out.split('\n').filter((line) => /^0,/.test(line)).length, said });
    });
  });
}

describe.skipIf(!hasFfmpeg)('a simulated camera’s RTSP server', () => {
  it.each(['tcp', 'udp'] as const)(
    'sends pictures that ffmpeg decodes without a complaint, over %s',
    async (transport) => {
      const rtsp = await serve(await clipOf());
      const { error, frames, said } = await fetchWith(rtsp, transport);
      expect({ error, said }).toEqual({ error: null, said: '' });
      // It begins within a group of pictures, and the client with the next key frame.
      expect(frames).toBeGreaterThan(20);
      expect(rtsp.lastTransport).toBe(transport);
      expect(rtsp.requests.map(({ method, status }) => `${method} ${status}`).slice(0, 5)).toEqual([
        'OPTIONS 200',
        'DESCRIBE 401',
        'DESCRIBE 200',
        'SETUP 200',
        'PLAY 200',
      ]);
      await vi.waitFor(() => expect(rtsp.playing).toBe(0), { timeout: 20_000 });
    },
  );

  it('films in each picture its number, and knows when it sent it', async () => {
    const clip = await clipOf();
    expect(clip.pictures).toHaveLength(200);
    expect(2 ** numberBits).toBeGreaterThan(clip.pictures.length);
    expect(clip.pictures.filter(({ isKey }) => isKey)).toHaveLength(8);
    const bytes = clip.pictures
      .slice(0, 8)
      .flatMap(({ nals }) => nals.flatMap((nal) => [Buffer.from([0, 0, 0, 1]), nal]));
    const side = 12;
    const crop = `crop=${side * numberBits}:${side}:0:${clip.height - side}`;
    const args = [
      '-v',
      'error',
      '-f',
      'h264',
      '-i',
      'pipe:0',
      '-vf',
      crop,
      '-pix_fmt',
      'gray',
      '-f',
      'rawvideo',
      'pipe:1',
    ];
    const { stdout } = spawnSync('ffmpeg', args, { input: Buffer.concat(bytes), timeout: 20_000 });
    const size = side * numberBits * side;
    const numbers = Array.from({ length: 8 }, (_, picture) => {
      const row = stdout.subarray(picture * size + 6 * side * numberBits, picture * size + 7 * side * numberBits);
      return Array.from({ length: numberBits }, (_bit, bit) =>
        (row[bit * side + 6] ?? 0) > 128 ? 2 ** bit : 0,
      ).reduce((a, b) => a + b);
    });
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const rtsp = await serve(clip);
    expect(rtsp.sentAt('/main', 0)).toBeNull();
    const before = systemClock.now();
    await fetchWith(rtsp, 'tcp', 1);
    const sent = clip.pictures.map((_, index) => rtsp.sentAt('/main', index)).filter((at) => at !== null);
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(before);
  });

  it('refuses what cameras refuse, in their words', async () => {
    const rtsp = await serve(await clipOf(), { transports: ['tcp'], sessions: 1 });
    for (const [fault, word] of [
      ['unauthorized', /401 Unauthorized/],
      ['missing', /404 Not Found/],
      ['busy', /503 Service Unavailable/],
      ['full', /453 Not Enough Bandwidth/],
    ] as const) {
      rtsp.fault(fault);
      expect((await fetchWith(rtsp, 'tcp')).said).toMatch(word);
    }
    rtsp.fault('none');
    expect((await fetchWith(rtsp, 'udp')).said).toMatch(/461 Unsupported/i);
    rtsp.changePassword('another');
    expect((await fetchWith(rtsp, 'tcp')).said).toMatch(/401/);
  });
});

describe('RTSP by the letter', () => {
  it('reads requests however they are cut, and leaves out interleaved frames between them', () => {
    const text = 'OPTIONS rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n';
    const bytes = Buffer.concat([
      Buffer.from(text),
      Buffer.from([0x24, 1, 0, 3, 9, 9, 9]),
      Buffer.from(text.replace('1\r\n\r', '2\r\n\r')),
    ]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const read = createRequestReader();
      const requests = [...(read(bytes.subarray(0, cut)) ?? []), ...(read(bytes.subarray(cut)) ?? [])];
      expect(requests.map(({ method, headers }) => [method, headers.get('cseq')])).toEqual([
        ['OPTIONS', '1'],
        ['OPTIONS', '2'],
      ]);
    }
  });

  it.each([
    'GET / HTTP/1.1\r\n\r\n',
    `OPTIONS ${'x'.repeat(20_000)}`,
    'DESCRIBE a RTSP/1.0\r\nContent-Length: -1\r\n\r\n',
  ])('gives up what is no RTSP: %.30s', (text) => {
    expect(createRequestReader()(Buffer.from(text))).toBeNull();
  });

  it('closes a connection that speaks something else, and goes on', async () => {
    const rtsp = await serve(null);
    const socket = connect(rtsp.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
    expect(rtsp.playing).toBe(0);
  });

  it('cuts long NAL units into pieces that fit a packet, and marks the last', () => {
    const state = { sequence: 65_535, ssrc: 7, packets: 0, octets: 0 };
    const nal = Buffer.concat([Buffer.from([0x65]), Buffer.alloc(3_000, 5)]);
    const packets = packPicture({ nals: [Buffer.from([0x67, 1]), nal], isKey: true }, 'h264', 2 ** 32 + 5, state);
    expect(packets).toHaveLength(4);
    expect(Math.max(...packets.map(({ length }) => length))).toBeLessThanOrEqual(1_400);
    expect(packets.map((packet) => (packet[1] ?? 0) >> 7)).toEqual([0, 0, 0, 1]);
    expect(packets.map((packet) => packet.readUInt16BE(2))).toEqual([65_535, 0, 1, 2]);
    expect(packets[0]?.readUInt32BE(4)).toBe(5);
    // FU-A: type 28, then start and end bits with the type of the whole.
    expect(packets.slice(1).map((packet) => [(packet[12] ?? 0) & 0x1f, packet[13]])).toEqual([
      [28, 0x85],
      [28, 0x05],
      [28, 0x45],
    ]);
    const whole = Buffer.concat([Buffer.from([0x65]), ...packets.slice(1).map((packet) => packet.subarray(14))]);
    expect(whole).toEqual(nal);
    expect(state).toMatchObject({ packets: 4 });
  });

  it('reports its clock as NTP', () => {
    const report = senderReport({ sequence: 0, ssrc: 9, packets: 3, octets: 4 }, 1_800_000_000_500, 90);
    expect(report.readUInt32BE(8)).toBe(1_800_000_000 + 2_208_988_800);
    expect(report.readUInt32BE(12)).toBe(2 ** 31);
    expect(report.readUInt16BE(2)).toBe(report.length / 4 - 1);
  });

  it('tells pictures of several slices apart, and names its parameter sets', () => {
    const nal = (...bytes: number[]) => [0, 0, 0, 1, ...bytes];
    const stream = Buffer.from([
      ...nal(0x67, 0x64, 0, 0x1f),
      ...nal(0x68, 1),
      ...nal(0x65, 0x80, 1),
      ...nal(0x65, 0x40, 2),
      ...nal(0x41, 0x80, 3),
      ...nal(0x41, 0x20, 4),
    ]);
    const clip = readClip(stream, 'h264');
    expect(clip.pictures.map(({ isKey, nals }) => [isKey, nals.length])).toEqual([
      [true, 4],
      [false, 2],
    ]);
    const sdp = describeClip({ codec: 'h264', width: 1, height: 1, frameRate: 25, ...clip }, '::1');
    expect(sdp).toContain('profile-level-id=64001f;sprop-parameter-sets=Z2QAHw==,aAE=');
    expect(sdp).toContain('IN IP6 ::1');
    expect(() => readClip(Buffer.from(nal(0x41, 0x80)), 'h264')).toThrow(/does not begin with a key frame/);
  });
});
