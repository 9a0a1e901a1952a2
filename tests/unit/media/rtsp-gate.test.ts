import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import tls from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { LoginTries } from '#edge/media/login-tries.ts';
import { RtspGate, type RtspLogin } from '#edge/media/rtsp-gate.ts';
import { type RtspMessage, RtspReader } from '#edge/media/rtsp-messages.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { certificate, hasOpenssl } from '../onvif/certificate.ts';

/* What stands between ffmpeg and a camera, against cameras (and those who took a camera's place) that want the password. */

const patient = { timeout: 20_000, interval: 10 };
const login: RtspLogin = { username: 'campus', password: "p:a's@s/wörd" };
const basic = Buffer.from(`${login.username}:${login.password}`).toString('base64');

type Answer = (request: string, socket: Socket) => string | Buffer | null;

/** Answers each request by `answer`; `{cseq}` in it is the number of the request. */
async function server(answer: Answer, secure?: { key: string; cert: string }) {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let held = '';
    socket.on('data', (chunk: Buffer) => {
      held += chunk.toString('latin1');
      for (let end = held.indexOf('\r\n\r\n'); end !== -1; end = held.indexOf('\r\n\r\n')) {
        const request = held.slice(0, end);
        held = held.slice(end + 4);
        heard.push(request);
        const said = answer(request, socket);
        const number = /CSeq: (\d+)/.exec(request)?.[1] ?? '';
        if (said !== null) socket.write(typeof said === 'string' ? said.replace('{cseq}', number) : said);
      }
    });
  };
  const listener = secure === undefined ? createServer(serve) : tls.createServer(secure, serve);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const scheme = secure === undefined ? 'rtsp' : 'rtsps';
  return {
    heard,
    sockets,
    uri: `${scheme}://127.0.0.1:${port}/main`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}

/** In ffmpeg's place: sends, and keeps what comes. */
async function visitor(uri: string) {
  const { hostname, port } = new URL(uri.replace(/^rtsp/, 'http'));
  const socket = connect(Number(port), hostname);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const messages: RtspMessage[] = [];
  const frames: Buffer[] = [];
  const reader = new RtspReader({ message: (m) => void messages.push(m), frames: (b) => void frames.push(b) });
  let closed = false;
  socket.on('data', (chunk: Buffer) => void reader.push(chunk));
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  const ask = (method: string, at = uri, number = 7) =>
    socket.write(`${method} ${at} RTSP/1.0\r\nCSeq: ${number}\r\nUser-Agent: Lavf\r\n\r\n`);
  return { socket, messages, frames, ask, isClosed: () => closed, [Symbol.dispose]: () => socket.destroy() };
}

const ok = 'RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n\r\n';
const challenged = (challenge: string) =>
  `RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\nWWW-Authenticate: ${challenge}\r\n\r\n`;
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

describe('the gate before a camera', () => {
  it('shows the password by digest, for the address that the camera knows, and not to ffmpeg', async () => {
    await using camera = await server((request) =>
      request.includes('Authorization') ? ok : challenged('Digest realm="r", nonce="n1"'),
    );
    await using gate = await RtspGate.open({ uri: `${camera.uri}?ch=1`, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('DESCRIBE', `${gate.uri}/trackID=1`, 31);
    await vi.waitFor(() => expect(ffmpeg.messages).toHaveLength(1), patient);
    expect(ffmpeg.messages[0]).toMatchObject({ first: 'RTSP/1.0 200 OK', headers: [['CSeq', '31']] });
    const [open = '', signed = ''] = camera.heard;
    expect(open).not.toContain('Authorization');
    const uri = `${camera.uri}?ch=1/trackID=1`;
    const ha1 = createHash('md5').update(`campus:r:${login.password}`, 'utf8').digest('hex');
    expect(signed).toContain(`DESCRIBE ${uri} RTSP/1.0`);
    expect(signed).toContain(`response="${md5(`${ha1}:n1:${md5(`DESCRIBE:${uri}`)}`)}"`);
    expect(signed).not.toContain('127.0.0.1:0/');
    expect(JSON.stringify(ffmpeg.messages)).not.toContain('Authenticate');
    expect(gate.trouble).toBeNull();
  });

  it.each([
    ['at once', () => challenged('Basic realm="r"')],
    [
      'after a digest',
      (request: string) => challenged(request.includes('Digest') ? 'Basic realm="r"' : 'Digest realm="r", nonce="n"'),
    ],
    ['in a challenge that hides it', () => challenged('NTLM, Basic realm="r"')],
  ])('keeps it from who asks for it in clear %s, and says what to do', async (_, answer) => {
    await using stranger = await server(answer);
    await using gate = await RtspGate.open({ uri: stranger.uri, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('OPTIONS');
    await vi.waitFor(() => expect(gate.trouble?.reason).toBe('password'), patient);
    expect(stranger.heard.join('\n')).not.toMatch(new RegExp(`Basic|${basic}|${login.password}`));
    await vi.waitFor(() => expect(ffmpeg.messages.length + Number(ffmpeg.isClosed())).toBeGreaterThan(0), patient);
  });

  it.skipIf(!hasOpenssl)(
    'gives it in clear where the site file says so, or the pinned certificate hides it',
    async () => {
      const answer: Answer = (request) => (request.includes(basic) ? ok : challenged('Basic realm="r"'));
      const { key, cert, fingerprint } = certificate();
      await using plain = await server(answer);
      await using hidden = await server(answer, { key, cert });
      for (const [uri, as] of [
        [plain.uri, { ...login, allowsBasic: true }],
        [hidden.uri, { ...login, tls: { fingerprint } }],
      ] as const) {
        await using gate = await RtspGate.open({ uri, login: as });
        using ffmpeg = await visitor(gate.uri);
        ffmpeg.ask('DESCRIBE');
        await vi.waitFor(() => expect(ffmpeg.messages[0]?.first).toBe('RTSP/1.0 200 OK'), patient);
      }
    },
  );

  it.skipIf(!hasOpenssl).each([
    ['the pinned one is another', { fingerprint: 'AA:'.repeat(31).concat('AA') }, /another certificate/],
    ['nobody signed it', {}, /not trusted/],
  ])('says nothing at all over a certificate when %s', async (_, pin, words) => {
    const { key, cert } = certificate();
    await using stranger = await server(() => ok, { key, cert });
    await using gate = await RtspGate.open({ uri: stranger.uri, login: { ...login, tls: pin } });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('OPTIONS');
    await vi.waitFor(() => expect(gate.trouble?.message).toMatch(words), patient);
    await vi.waitFor(() => expect(ffmpeg.isClosed()).toBe(true), patient);
    expect(stranger.heard).toEqual([]);
  });

  it('goes to no other host, whatever the camera says', async () => {
    await using victim = await server(() => ok);
    await using camera = await server(() => `RTSP/1.0 302 Moved\r\nCSeq: {cseq}\r\nLocation: ${victim.uri}\r\n\r\n`);
    await using gate = await RtspGate.open({ uri: camera.uri, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('OPTIONS');
    await vi.waitFor(() => expect(gate.trouble?.message).toMatch(/elsewhere/), patient);
    await vi.waitFor(() => expect(ffmpeg.isClosed()).toBe(true), patient);
    expect(JSON.stringify(ffmpeg.messages)).not.toContain('Location');
    expect(victim.heard).toEqual([]);
  });

  it('lets UDP come from the camera alone, whatever source and destination it names', async () => {
    const transport =
      'RTP/AVP;unicast;destination=10.9.9.9;source=10.0.0.66;client_port=5000-5001;server_port=6000-6001';
    await using camera = await server(() => `RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nTransport: ${transport}\r\n\r\n`);
    await using gate = await RtspGate.open({ uri: camera.uri, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('SETUP');
    await vi.waitFor(() => expect(ffmpeg.messages).toHaveLength(1), patient);
    expect(ffmpeg.messages[0]?.headers).toContainEqual([
      'Transport',
      'RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;source=127.0.0.1',
    ]);
  });

  it('asks for a fresh nonce when a used one is refused, and counts a password as refused only when it is', async () => {
    let nonce = 'n1';
    await using camera = await server((request) =>
      request.includes(`nonce="${nonce}"`) ? ok : challenged(`Digest realm="r", nonce="${nonce}"`),
    );
    await using gate = await RtspGate.open({ uri: camera.uri, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('DESCRIBE', gate.uri, 1);
    await vi.waitFor(() => expect(ffmpeg.messages).toHaveLength(1), patient);
    ffmpeg.ask('SETUP', gate.uri, 2);
    await vi.waitFor(() => expect(ffmpeg.messages).toHaveLength(2), patient);
    nonce = 'n2';
    ffmpeg.ask('PLAY', gate.uri, 3);
    await vi.waitFor(() => expect(ffmpeg.messages).toHaveLength(3), patient);
    expect(ffmpeg.messages.map(({ first }) => first)).toEqual(new Array(3).fill('RTSP/1.0 200 OK'));
    expect(gate.trouble).toBeNull();
    nonce = 'none of them';
    ffmpeg.ask('GET_PARAMETER', gate.uri, 4);
    await vi.waitFor(() => expect(ffmpeg.messages).toHaveLength(4), patient);
    // It plays: who is refused a sign of life has been let in all the same.
    expect(gate.trouble).toBeNull();
    expect(camera.heard.length).toBeLessThanOrEqual(8);
  });

  it('spends one try of a wrong password, however often the camera asks', async () => {
    await using camera = await server(() => challenged(`Digest realm="r", nonce="${Math.random()}"`));
    await using gate = await RtspGate.open({ uri: camera.uri, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('DESCRIBE');
    await vi.waitFor(() => expect(ffmpeg.messages[0]?.first).toMatch(/401/), patient);
    expect(gate.trouble).toMatchObject({ reason: 'password' });
    expect(camera.heard.filter((request) => request.includes('Authorization'))).toHaveLength(1);
  });

  it('lets nobody in who does not know its address, and nobody twice', async () => {
    await using camera = await server(() => ok);
    await using gate = await RtspGate.open({ uri: camera.uri, login });
    using guesser = await visitor(gate.uri);
    guesser.ask('DESCRIBE', gate.uri.replace(/\w+$/, ''));
    await vi.waitFor(() => expect(guesser.isClosed()).toBe(true), patient);
    expect(camera.heard).toEqual([]);
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('OPTIONS');
    await vi.waitFor(() => expect(ffmpeg.messages).toHaveLength(1), patient);
    await expect(visitor(gate.uri)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('passes frames on as they are, wherever the network cuts them, between answers and line ends', async () => {
    const frame = Buffer.concat([Buffer.from([0x24, 0, 0, 5]), Buffer.from('R$P/1')]);
    const answer = 'RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n';
    const whole = Buffer.concat([frame, Buffer.from(answer), frame, Buffer.from('\r\n\0'), frame]);
    for (let cut = 1; cut < whole.length; cut++) {
      const frames: Buffer[] = [];
      const messages: RtspMessage[] = [];
      const reader = new RtspReader({ message: (m) => void messages.push(m), frames: (b) => void frames.push(b) });
      expect(reader.push(whole.subarray(0, cut)) && reader.push(whole.subarray(cut))).toBe(true);
      expect(Buffer.concat(frames).equals(Buffer.concat([frame, frame, frame])), `cut at ${cut}`).toBe(true);
      expect(messages).toHaveLength(1);
    }
  });

  it.each([
    ['a head without end', Buffer.alloc(100_000, 'A')],
    ['a body of a gigabyte', Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n')],
    ['a length that is none', Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n')],
    ['nothing but noise', Buffer.alloc(200_000, 0)],
  ])('ends what sends %s, and keeps none of it', async (_, garbage) => {
    await using camera = await server(() => garbage);
    await using gate = await RtspGate.open({ uri: camera.uri, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('OPTIONS');
    await vi.waitFor(() => expect(gate.trouble).toMatchObject({ reason: 'ended' }), patient);
    await vi.waitFor(() => expect(camera.sockets.size).toBe(0), patient);
  });

  it('reads a camera no faster than ffmpeg does', async () => {
    const frame = Buffer.concat([Buffer.from([0x24, 0, 0xff, 0xff]), Buffer.alloc(65_535)]);
    let sent = 0;
    await using camera = await server((_, socket) => {
      const flood = () => {
        while (!socket.destroyed && sent < 4_000 && socket.write(frame)) sent += 1;
      };
      socket.on('drain', flood);
      flood();
      return null;
    });
    await using gate = await RtspGate.open({ uri: camera.uri, login });
    using ffmpeg = await visitor(gate.uri);
    ffmpeg.ask('PLAY');
    ffmpeg.socket.pause();
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = sent === before;
          before = sent;
          return isStill && sent > 0;
        },
        { timeout: 20_000, interval: 500 },
      )
      .toBe(true);
    // The buffers of the kernel, and next to nothing of ours: 4,000 frames would be 260 MB.
    expect(sent).toBeLessThan(1_000);
  });
});

describe('tries of a password for video', () => {
  it('are two for all streams of a camera together, and begin anew with another password', () => {
    const tries = new LoginTries(systemClock);
    const first = tries.take('1');
    const second = tries.take('1');
    expect('left' in first || 'left' in second).toBe(false);
    expect(tries.refuse('1')).toBe(0);
    // Another is still finding out.
    expect(tries.take('1')).toMatchObject({ left: expect.any(Number) });
    expect(tries.refuse('1')).toBe(1_800_000);
    for (const turn of [first, second]) if (!('left' in turn)) turn[Symbol.dispose]();
    expect(tries.take('1')).toMatchObject({ left: expect.any(Number) });
    expect(tries.isOther('2')).toBe(true);
    expect(tries.take('2')).not.toHaveProperty('left');
  });

  it('are one after each hold', () => {
    let now = 0;
    const tries = new LoginTries({ ...systemClock, monotonic: () => now }, 1_000);
    for (let round = 0; round < 2; round++) {
      const turn = tries.take('1');
      if (!('left' in turn)) turn[Symbol.dispose]();
      tries.refuse('1');
    }
    now = 1_001;
    expect(tries.take('1')).not.toHaveProperty('left');
    expect(tries.refuse('1')).toBe(1_000);
    expect(tries.take('1')).toHaveProperty('left');
  });
});
