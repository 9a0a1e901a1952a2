import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, vi } from 'vitest';
import { decodeWav } from '#edge/media/wav.ts';
import { dominantTone } from '#edge/simulators/tone.ts';
import { demoDriver, HeardSink, playCommand, speakerDevice, temporaryFolder } from '../unit/broadcast/speakers.ts';

/** A device nobody here wrote: Debian's ffmpeg receives our RTP by an SDP file and decodes it to a WAV file. */
const never = new AbortController().signal;
const hasFfmpeg = spawnSync('ffmpeg', ['-version'], { timeout: 10_000 }).status === 0;
if (!hasFfmpeg)
  console.warn('SKIPPED: ffmpeg is not installed, so no foreign decoder judged our RTP (apt-get install ffmpeg)');
const canNamespace = spawnSync('ip', ['netns', 'list'], { timeout: 10_000 }).status === 0 && trialNamespace();
if (!canNamespace) {
  console.warn('SKIPPED: network namespaces need root and "ip netns", so multicast over a veth pair was not tried');
}

function trialNamespace(): boolean {
  const name = `rtp-trial-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { timeout: 10_000 }).status === 0;
  if (made) spawnSync('ip', ['netns', 'del', name], { timeout: 10_000 });
  return made;
}

async function freePort(type: 'udp4' | 'udp6', host: string): Promise<number> {
  await using socket = createSocket(type);
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  return socket.address().port;
}

/** Ends a child that we started, and waits for it. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
  child.kill(signal);
  await exited;
}

describe.skipIf(!hasFfmpeg)('ffmpeg', () => {
  it.concurrent.each([
    ['PCMA', 'IP4', '127.0.0.1'],
    ['PCMU', 'IP6', '::1'],
  ] as const)('decodes our %s over %s to the right tones', async (codec, family, host) => {
    await using folder = await temporaryFolder();
    await using demo = await demoDriver();
    const port = await freePort(family === 'IP4' ? 'udp4' : 'udp6', host);
    const type = codec === 'PCMA' ? 8 : 0;
    const sdp = join(folder.path, 'stream.sdp');
    const wav = join(folder.path, 'heard.wav');
    const lines = ['v=0', `o=- 0 0 IN ${family} ${host}`, 's=clip', `c=IN ${family} ${host}`, 't=0 0'];
    lines.push(`m=audio ${port} RTP/AVP ${type}`, `a=rtpmap:${type} ${codec}/8000`, '');
    await writeFile(sdp, lines.join('\r\n'));
    const receive = ['-protocol_whitelist', 'file,udp,rtp', '-i', sdp, '-t', '4', '-acodec', 'pcm_s16le', '-y', wav];
    const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...receive], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const complaints: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
    try {
      const config = demo.driver.config.parse({ rtp: { host, port }, codec });
      await using session = await demo.driver.open(speakerDevice({}), config, new HeardSink(), never);
      await session.write?.(playCommand('tones'), never);
      // The clip is played round and round until ffmpeg, however late it starts, has its 4 s.
      await vi.waitFor(() => expect(child.exitCode).toBe(0), { timeout: 15_000, interval: 100 });
    } finally {
      await end(child, 'SIGKILL');
    }
    const pcm = await decodeWav(await readFile(wav), never);
    // 4 s by its timestamps, less the frames that a stall of this machine swallowed.
    expect(pcm.length).toBeGreaterThan(2 * 8000);
    // Windows of 100 ms by their tone; each tone lasts a second in every 3.6.
    const windows = new Map<number, number>();
    for (let at = 0; at + 800 <= pcm.length; at += 800) {
      const tone = dominantTone(pcm.subarray(at, at + 800), 8000);
      if (tone !== null) windows.set(tone, (windows.get(tone) ?? 0) + 1);
    }
    console.info(`ffmpeg heard ${codec} over ${family}:`, Object.fromEntries(windows), complaints.join(' | '));
    for (const tone of [440, 1000, 1880]) expect(windows.get(tone)).toBeGreaterThanOrEqual(4);
    expect(complaints.filter((line) => /missed|invalid|error/i.test(line))).toEqual([]);
  });
});

describe.skipIf(!canNamespace)('multicast', () => {
  const ip = (...args: string[]) => execFileSync('ip', args, { timeout: 10_000 });

  /** A sender's and a receiver's network, joined by a cable; IPv6 addresses are usable at once (nodad). */
  function makeCable() {
    const tag = `${process.pid % 100_000}`;
    const [sender, receiver] = [`rtp-a-${tag}`, `rtp-b-${tag}`];
    const undo = () => {
      for (const name of [sender, receiver]) spawnSync('ip', ['netns', 'del', name], { timeout: 10_000 });
    };
    try {
      for (const name of [sender, receiver]) ip('netns', 'add', name);
      ip('link', 'add', `va${tag}`, 'netns', sender, 'type', 'veth', 'peer', 'name', `vb${tag}`, 'netns', receiver);
      ip('-n', sender, 'addr', 'add', '10.77.0.1/24', 'dev', `va${tag}`);
      ip('-n', receiver, 'addr', 'add', '10.77.0.2/24', 'dev', `vb${tag}`);
      ip('-n', sender, '-6', 'addr', 'add', 'fd77::1/64', 'dev', `va${tag}`, 'nodad');
      ip('-n', receiver, '-6', 'addr', 'add', 'fd77::2/64', 'dev', `vb${tag}`, 'nodad');
      ip('-n', sender, 'link', 'set', `va${tag}`, 'up');
      ip('-n', receiver, 'link', 'set', `vb${tag}`, 'up');
    } catch (error) {
      undo();
      throw error;
    }
    return { sender, receiver, senderLink: `va${tag}`, receiverLink: `vb${tag}`, [Symbol.dispose]: undo };
  }

  /** Runs one of the scripts beside this file inside a network; it ends when its standard input does. */
  function runIn(network: string, script: string, ...args: string[]) {
    const file = new URL(`rtp-peers/${script}`, import.meta.url).pathname;
    const child = spawn('ip', ['netns', 'exec', network, process.execPath, file, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines: unknown[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
    return { lines, [Symbol.asyncDispose]: () => end(child, 'SIGKILL') };
  }

  it.each([
    ['IPv4', '239.192.7.7'],
    ['IPv6', 'ff15::7:7'],
  ])('crosses a cable between two networks that have no default route, over %s', async (_family, group) => {
    using cable = makeCable();
    const port = '15004';
    await using far = runIn(
      cable.receiver,
      'listen.ts',
      group,
      port,
      group.includes(':') ? cable.receiverLink : '10.77.0.2',
    );
    await vi.waitFor(() => expect(far.lines).toContain('ready'), { timeout: 10_000 });
    await using near = runIn(cable.sender, 'play.ts', group, port, cable.senderLink);
    await vi.waitFor(() => expect(near.lines).toHaveLength(1), { timeout: 10_000 });
    expect(near.lines[0]).toMatchObject({ state: 'online' });
    for (const tone of [440, 1000]) {
      await vi.waitFor(() => expect(far.lines.at(-1)).toMatchObject({ tone, lost: 0 }), { timeout: 8000 });
    }
  });
});
