import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeWav } from '#edge/media/wav.ts';
import { dominantTone } from '#edge/simulators/tone.ts';
import { order, patience, pointOf, startRig } from '../unit/sip/rig.ts';

/* Telephones and an exchange that nobody here wrote: Debian's baresip takes a page, sipp checks it, kamailio asks for a password. */
const has = (program: string, ...args: string[]) => spawnSync(program, args, { timeout: 10_000 }).error === undefined;
const hasBaresip = has('baresip', '-h');
const hasSipp = has('sipp', '-v');
const hasKamailio = has('kamailio', '-v');
if (!hasBaresip) console.warn('SKIPPED: no foreign telephone took a page (apt-get install baresip-core)');
if (!hasSipp) console.warn('SKIPPED: sipp did not check our calls (apt-get install sip-tester)');
if (!hasKamailio) console.warn('SKIPPED: no foreign exchange routed a page (apt-get install kamailio)');

/** baresip never speaks from the loopback when the machine has any other address; what is sent there stays on the machine all the same. */
const here =
  Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

async function freePort(): Promise<number> {
  await using socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket.address().port;
}

interface Running extends AsyncDisposable {
  readonly folder: string;
  output(): string;
}

async function run(program: string, args: readonly string[], folder: string): Promise<Running> {
  let output = '';
  const child: ChildProcess = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const keep = (bytes: Buffer) => {
    output = (output + bytes.toString('latin1')).slice(-100_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  return {
    folder,
    output: () => output,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
        await exited;
        clearTimeout(late);
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A telephone that answers by itself, writes down what it hears, and sends it back as if its microphone heard its loudspeaker. */
async function baresip(port: number, account: string): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'baresip-'));
  await mkdir(join(folder, 'heard'));
  const modules = ['g711', 'g722', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`);
  const config = [
    ...['poll_method epoll', `sip_listen ${here}:${port}`, 'module_path /usr/lib/baresip/modules'],
    ...['audio_player aubridge,room', 'audio_source aubridge,room', 'audio_alert aubridge,bell', ...modules],
    ...['module_tmp uuid.so', 'module_tmp account.so', 'module_app menu.so', `snd_path ${join(folder, 'heard')}`, ''],
  ];
  await writeFile(join(folder, 'config'), config.join('\n'));
  await writeFile(join(folder, 'accounts'), `${account}\n`);
  await writeFile(join(folder, 'contacts'), '');
  return run('baresip', ['-f', folder], folder);
}

/** Every tone that lasted 100 ms in what it heard. */
async function tonesHeard({ folder }: Running): Promise<number[]> {
  const file = (await readdir(join(folder, 'heard'))).find((name) => name.endsWith('dec.wav'));
  if (file === undefined) return [];
  const pcm = await decodeWav(await readFile(join(folder, 'heard', file)), AbortSignal.timeout(10_000));
  const found = new Set<number>();
  for (let at = 0; at + 800 <= pcm.length; at += 800) {
    const tone = dominantTone(pcm.subarray(at, at + 800), 8_000);
    if (tone !== null) found.add(Math.round(tone / 20) * 20);
  }
  return [...found].sort((a, b) => a - b);
}

/** What the clip `tones` consists of, by the same measure. */
async function tonesSent(folder: string): Promise<number[]> {
  const pcm = await decodeWav(await readFile(join(folder, 'test-tones.wav')), AbortSignal.timeout(10_000));
  const found = new Map<number, number>();
  for (let at = 0; at + 800 <= pcm.length; at += 800) {
    const tone = dominantTone(pcm.subarray(at, at + 800), 8_000);
    if (tone !== null) found.set(Math.round(tone / 20) * 20, (found.get(Math.round(tone / 20) * 20) ?? 0) + 1);
  }
  // Where two tones meet within a window there is none to speak of.
  return [...found].filter(([, times]) => times > 2).map(([tone]) => tone);
}

describe.skipIf(!hasBaresip)('baresip', () => {
  it.each(['PCMA', 'PCMU', 'G722'])(
    'takes a page in %s, hears every tone of it, and proves it by its microphone',
    async (codec) => {
      const port = await freePort();
      await using phone = await baresip(
        port,
        `<sip:hall@${here}:${port}>;answermode=auto;regint=0;audio_codecs=${codec}`,
      );
      await using rig = await startRig();
      await using session = await rig.open({ call: `sip:hall@${here}:${port}` });
      await expect.poll(() => session.heard.states.at(-1)?.state, patience).toBe('online');
      expect(await session.write(order('tones', { priority: 1 }))).toMatchObject({ outcome: 'sent' });
      await expect.poll(() => pointOf(session, 'packets_sent'), patience).toBeGreaterThan(300);
      await expect.poll(() => pointOf(session, 'packets_received'), patience).toBeGreaterThan(50);
      await expect.poll(() => pointOf(session, 'proof'), patience).toBe('heard');
      await session.write(order(''));
      await expect.poll(() => phone.output(), patience).toContain('terminated');
      const [heard, sent] = [await tonesHeard(phone), await tonesSent(rig.folder)];
      expect(sent.length).toBeGreaterThan(1);
      for (const tone of sent)
        expect(
          heard.some((found) => Math.abs(found - tone) <= 20),
          `${tone} Hz in ${heard}`,
        ).toBe(true);
    },
    60_000,
  );
});

const scenario = (last: string) => `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="speaker">
  <recv request="INVITE" crlf="true"><action>
    <ereg regexp="info=alert-autoanswer" search_in="hdr" header="Alert-Info:" check_it="true" assign_to="1"/>
    <ereg regexp="answer-after=0" search_in="hdr" header="Call-Info:" check_it="true" assign_to="2"/>
  </action></recv>
  <Reference variables="1,2"/>
  ${last}
</scenario>`;
const echoed = '[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]sipp[call_number]\n[last_Call-ID:]\n[last_CSeq:]';
const sdp =
  'v=0\no=hall 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000';
const send = (lines: string, more = '') => `<send${more}><![CDATA[\n${lines}\n]]></send>`;
const takesCall = scenario(
  `${send(`SIP/2.0 200 OK\n${echoed}\nContact: <sip:[local_ip]:[local_port]>\nContent-Type: application/sdp\nContent-Length: [len]\n\n${sdp}`, ' retrans="500"')}
  <recv request="ACK"/><recv request="BYE"/>
  ${send('SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n')}`,
);
const isBusy = scenario(
  `${send(`SIP/2.0 486 Busy Here\n${echoed}\nContent-Length: 0\n`, ' retrans="500"')}<recv request="ACK"/>`,
);
const rings = scenario(
  `${send(`SIP/2.0 180 Ringing\n${echoed}\nContent-Length: 0\n`)}
  <recv request="CANCEL"/>
  ${send('SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\nCSeq: 1 CANCEL\nContent-Length: 0\n')}
  ${send('SIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]sipp[call_number]\n[last_Call-ID:]\nCSeq: 1 INVITE\nContent-Length: 0\n', ' retrans="500"')}
  <recv request="ACK"/>`,
);

/** Its verdict: 0 when the call went as its scenario says. */
async function judged(
  text: string,
  page: (uri: string, exited: Promise<unknown>) => Promise<void>,
): Promise<{ code: number | null; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
  const port = await freePort();
  await writeFile(join(folder, 'uas.xml'), text);
  const args = [
    '-sf',
    'uas.xml',
    '-i',
    '127.0.0.1',
    '-p',
    `${port}`,
    '-m',
    '1',
    '-timeout',
    '25',
    '-nostdin',
    '-trace_err',
  ];
  const child = spawn('sipp', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said = (said + bytes).slice(-4_000)));
  const exited = once(child, 'exit');
  await page(`sip:hall@127.0.0.1:${port}`, exited);
  await exited;
  await rm(folder, { recursive: true, force: true });
  return { code: child.exitCode, said };
}

describe.skipIf(!hasSipp)('sipp', () => {
  it('finds nothing wrong with a call: INVITE, ACK, BYE', async () => {
    await using rig = await startRig();
    const { code, said } = await judged(takesCall, async (call) => {
      await using session = await rig.open({ call, probe: 'none', talkback: false });
      await expect.poll(async () => (await session.write(order('tones'))).outcome, patience).toBe('sent');
      await session.write(order(''));
      await expect.poll(() => session.heard.counted('garbage'), patience).toBe(0);
    });
    expect(code, said).toBe(0);
  }, 60_000);

  it('is told at once, and in words, that it is busy', async () => {
    await using rig = await startRig();
    const { code, said } = await judged(isBusy, async (call) => {
      await using session = await rig.open({ call, probe: 'none' });
      await expect
        .poll(async () => (await session.write(order('tones'))).message, patience)
        .toMatch(/is busy \(486 Busy Here\)/);
    });
    expect(code, said).toBe(0);
  }, 60_000);

  it('finds nothing wrong with a call that is given up while it rings: CANCEL, ACK', async () => {
    await using rig = await startRig();
    const { code, said } = await judged(rings, async (call, exited) => {
      await using session = await rig.open({ call, probe: 'none' });
      void session.write(order('tones'));
      await expect.poll(() => pointOf(session, 'call'), patience).toBe('ringing');
      await session.write(order(''));
      await expect.poll(() => pointOf(session, 'call'), patience).toBe('idle');
      // It wants the ACK of its 487, which only a socket that is still open gives.
      await exited;
    });
    expect(code, said).toBe(0);
  }, 60_000);
});

const exchangeConfig = (port: number) => `#!KAMAILIO
debug=0
log_stderror=yes
fork=no
auto_aliases=no
listen=udp:${here}:${port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route {
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("school", "chalk-and-board", "0")) { www_challenge("school", "1"); exit; }
    save("location"); exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) { loose_route(); t_relay(); exit; }
  if (!pv_proxy_authenticate("school", "chalk-and-board", "0")) { proxy_challenge("school", "1"); exit; }
  consume_credentials();
  record_route();
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;

async function kamailio(port: number): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'kamailio-'));
  await writeFile(join(folder, 'kamailio.cfg'), exchangeConfig(port));
  return run(
    'kamailio',
    ['-f', join(folder, 'kamailio.cfg'), '-DD', '-E', '-m', '32', '-M', '4', '-Y', folder],
    folder,
  );
}

describe.skipIf(!hasKamailio || !hasBaresip)('kamailio', () => {
  it('registers us, asks for the password, and puts the page through to a telephone behind it', async () => {
    const [exchangePort, phonePort] = [await freePort(), await freePort()];
    await using exchange = await kamailio(exchangePort);
    const at = `${here}:${exchangePort}`;
    await using rig = await startRig();
    const login = { username: 'campus', password: 'chalk-and-board', realm: 'school' };
    await using session = await rig.open({ call: `sip:hall@${at}`, ...login, register: { expires: '1min' } });
    await expect.poll(() => session.heard.states.at(-1)?.state, patience).toBe('online');
    await using phone = await baresip(
      phonePort,
      `<sip:hall@${at}>;auth_user=hall;auth_pass=chalk-and-board;answermode=auto;regint=60;audio_codecs=PCMA`,
    );
    await expect.poll(() => phone.output(), patience).toContain('200 OK');
    await expect
      .poll(async () => (await session.write(order('tones'))).outcome, { ...patience, interval: 500 })
      .toBe('sent');
    await expect.poll(() => pointOf(session, 'proof'), patience).toBe('heard');
    await expect.poll(() => pointOf(session, 'packets_sent'), patience).toBeGreaterThan(300);
    await session.write(order(''));
    await expect.poll(() => phone.output(), patience).toContain('terminated');
    expect((await tonesHeard(phone)).length, exchange.output()).toBeGreaterThan(1);
    await using stranger = await rig.open({ call: `sip:hall@${at}`, ...login, password: 'wrong' }, 'stranger');
    expect((await stranger.write(order('tones'))).message).toContain('refuses the password');
    await using nobody = await rig.open({ call: `sip:attic@${at}`, ...login }, 'attic');
    expect((await nobody.write(order('tones'))).message).toContain('does not know this number or name (404');
  }, 90_000);
});
