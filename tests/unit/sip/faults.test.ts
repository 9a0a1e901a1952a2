import { describe, expect, it } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import { order, patience, pointOf, startRig } from './rig.ts';

const host = '127.0.0.1';
/** Timers of RFC 3261, ten times as fast. */
const timings = { t1: 50, t2: 400, t4: 500, lifetime: 3_200 };

describe('what does not play is said', () => {
  it.each([
    [486, 'is busy (486 Busy Here)'],
    [480, 'is away'],
    [404, 'does not know this number or name'],
    [488, 'has no codec in common'],
    [603, 'declines the call'],
  ])('by its name and in words: %i', async (answer, words) => {
    await using speaker = await startSipSpeaker({ host, behaviour: { answer } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    const result = await session.write(order('tones'));
    expect(result).toMatchObject({ outcome: 'failed' });
    expect(result.message).toContain(`${speaker.uri} ${words}`);
    await expect.poll(() => speaker.heard().acks, patience).toBe(1);
  });

  it('within 5 s when nobody is there, and it is known before anything is to be played', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { answer: 'silent' } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await expect.poll(() => session.heard.states.at(-1)?.state, patience).toBe('offline');
    expect(session.heard.states.at(-1)?.message).toContain('does not answer');
    expect(await session.write(order('tones'))).toMatchObject({ outcome: 'failed' });
    const started = systemClock.monotonic();
    await expect
      .poll(async () => (await session.write(order('tones'))).message, patience)
      .toContain(`${speaker.uri} does not answer`);
    expect(systemClock.monotonic() - started).toBeLessThan(5_000);
  });

  it('when it only rings, and the ringing is ended', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { answer: 'ring' } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri, answerWithin: '500ms' });
    expect((await session.write(order('tones'))).message).toContain('rings, but does not answer by itself');
    await expect.poll(() => speaker.heard().cancels, patience).toBeGreaterThan(0);
    await expect.poll(() => session.heard.states.at(-1)?.state, patience).toBe('online');
  });

  it('when it has no codec of ours', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { codecs: [3] } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    expect((await session.write(order('tones'))).message).toContain('no codec in common');
  });

  it('and tried again while the order stands, until it plays', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { answer: 486 } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    speaker.behave({ answer: 'auto' });
    await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(10);
    expect(await session.write(order('tones'))).toMatchObject({ outcome: 'sent' });
  });

  it('and not tried again once nobody wants it', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { answer: 486 } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    await session.write(order(''));
    const { invites, options } = speaker.heard();
    // The pause before the next try is a second at most; seven probes take longer.
    await expect.poll(() => speaker.heard().options, patience).toBeGreaterThan(options + 7);
    expect(speaker.heard().invites).toBe(invites);
  });
});

describe('a network that loses', () => {
  it('INVITEs: they are sent again until one arrives', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { lostInvites: 2 } });
    await using rig = await startRig({ timings });
    await using session = await rig.open({ call: speaker.uri });
    expect(await session.write(order('tones'))).toMatchObject({ outcome: 'sent' });
    expect(speaker.heard()).toMatchObject({ invites: 3, calls: 1 });
  });

  it('ACKs: each copy of the 200 is acknowledged again, and the call is one', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { lostAcks: 3 } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    await expect.poll(() => speaker.heard().acks, patience).toBe(4);
    expect(speaker.heard()).toMatchObject({ calls: 1, byes: 0 });
    expect(await pointOf(session, 'call')).toBe('connected');
  });
});

describe('digest', () => {
  const login = { username: 'hall', password: 'chalk', realm: 'school' };

  it.each(['MD5', 'MD5-sess', 'SHA-256'] as const)('proves the password by %s', async (algorithm) => {
    await using speaker = await startSipSpeaker({ host, behaviour: { login, algorithm } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri, ...login, realm: 'school' });
    expect(await session.write(order('tones'))).toMatchObject({ outcome: 'sent' });
    expect(speaker.heard().requests.join('')).not.toContain('chalk');
  });

  it('goes on with a new nonce when the old one is stale', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { login, nonceUses: 1 } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri, ...login });
    for (let i = 0; i < 3; i++) {
      expect(await session.write(order('tones'))).toMatchObject({ outcome: 'sent' });
      await session.write(order(''));
    }
  });

  it('says that a password is wrong after two tries, and does not hammer', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { login } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri, username: 'hall', password: 'duster', probe: 'none' });
    expect((await session.write(order('tones'))).message).toContain('refuses the password');
    expect(speaker.heard().invites).toBe(2);
  });

  it('gives no proof of it to another realm, nor a password in the clear', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { login } });
    await using rig = await startRig();
    const wrong = { call: speaker.uri, username: 'hall', password: 'chalk', realm: 'another', probe: 'none' };
    await using session = await rig.open(wrong);
    expect((await session.write(order('tones'))).message).toContain('"school", but it is for "another"');
    expect(speaker.heard().requests.join('')).not.toMatch(/^authorization/im);
  });

  it('registers at an exchange and says goodbye', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { login } });
    await using rig = await startRig();
    const session = await rig.open({ call: speaker.uri, ...login, register: { expires: '60s' } });
    await expect.poll(() => session.heard.counts.get('registered'), patience).toBe(1);
    await session[Symbol.asyncDispose]();
    const last = () => speaker.heard().requests.findLast((text) => text.startsWith('REGISTER'));
    await expect.poll(last, patience).toMatch(/Expires: 0\r\n/);
  });
});

describe('who else speaks', () => {
  it('only the first telephone of a fork is kept', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { forks: true } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    await expect.poll(() => speaker.heard(), patience).toMatchObject({ byes: 1, active: 1 });
    expect(speaker.heard().requests.find((text) => text.startsWith('BYE'))).toMatch(/To: .*-other\r\n/);
  });

  it('a redirection to another machine is not followed', async () => {
    await using other = await startSipSpeaker({ host: '127.0.0.2' });
    await using speaker = await startSipSpeaker({ host, behaviour: { redirect: other.uri } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    expect((await session.write(order('tones'))).message).toContain('sends the call elsewhere');
    expect(other.heard().invites).toBe(0);
  });

  it('a hold is kept: silence, and sound again when it is taken back', async () => {
    await using speaker = await startSipSpeaker({ host });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(10);
    speaker.reinvite('sendonly');
    await expect.poll(() => speaker.answers.length, patience).toBe(1);
    expect(speaker.answers[0]).toContain('a=recvonly');
    const { packets, options } = speaker.heard();
    await expect.poll(() => speaker.heard().options, patience).toBeGreaterThan(options + 2);
    expect(speaker.heard().packets).toBeLessThanOrEqual(packets + 2);
    speaker.reinvite('sendrecv', [0]);
    await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(packets + 10);
    expect(speaker.heard().payloadType).toBe(0);
  });

  it('who hangs up is called again while the order stands', async () => {
    await using speaker = await startSipSpeaker({ host });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('evacuation', { priority: 1 }));
    speaker.hangUp();
    await expect.poll(() => speaker.heard().calls, patience).toBe(2);
  });

  it('an attacker who does not know the tags cannot end a call, nor put sound into it', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { talkback: 600 } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    const { lastInvite } = speaker.heard();
    const id = /Call-ID: (.*)\r\n/.exec(lastInvite)?.[1];
    const bye = (from: string, to: string) =>
      `BYE sip:campus@x SIP/2.0\r\nVia: SIP/2.0/UDP a;rport;branch=z9hG4bK${Math.random()}\r\nFrom: <sip:h@a>;tag=${from}\r\nTo: <sip:c@b>;tag=${to}\r\nCall-ID: ${id}\r\nCSeq: 9 BYE\r\n\r\n`;
    speaker.say(Buffer.from(bye('guess', 'guess')));
    await expect.poll(() => speaker.answers.some((text) => text.startsWith('SIP/2.0 481')), patience).toBe(true);
    expect(await pointOf(session, 'call')).toBe('connected');
    const before = session.heard.counts.get('rtp-foreign') ?? 0;
    const rtp = Buffer.alloc(172, 0x55);
    rtp.writeUInt8(0x80, 0);
    rtp.writeUInt8(8, 1);
    for (let i = 0; i < 5; i++) await speaker.inject(rtp);
    await expect.poll(() => session.heard.counts.get('rtp-foreign') ?? 0, patience).toBe(before + 5);
  });

  it('a room that sends back what it hears proves that it sounds; a tone of its own does not', async () => {
    await using echo = await startSipSpeaker({ host, behaviour: { talkback: 'echo' } });
    await using other = await startSipSpeaker({ host, behaviour: { talkback: 2_975 } });
    await using rig = await startRig();
    await using heard = await rig.open({ call: echo.uri });
    await using unheard = await rig.open({ call: other.uri }, 'other');
    await Promise.all([heard.write(order('tones')), unheard.write(order('tones'))]);
    await expect.poll(() => pointOf(heard, 'proof'), patience).toBe('heard');
    await expect.poll(() => pointOf(unheard, 'packets_received'), patience).toBeGreaterThan(100);
    expect(await pointOf(unheard, 'proof')).toBe('acknowledged');
    expect(Number(await pointOf(unheard, 'talk_level'))).toBeGreaterThan(-30);
    expect(rig.talks).toHaveLength(2);
    for (const talk of rig.talks) {
      const frames = [];
      for await (const frame of talk) if (frames.push(frame) === 10) break;
      expect(frames.every(({ pcm, rate }) => pcm.length === 160 && rate === 8_000)).toBe(true);
      expect(talk.dropped).toBeGreaterThan(0);
    }
  });

  it('a receiver report proves it too', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { reports: 200 } });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    await expect.poll(() => pointOf(session, 'proof'), patience).toBe('heard');
  });
});

describe('orders that follow each other', () => {
  it('use the same call', async () => {
    await using speaker = await startSipSpeaker({ host });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    expect(await session.write(order('evacuation', { priority: 1 }))).toMatchObject({ outcome: 'sent' });
    expect(await pointOf(session, 'clip')).toBe('evacuation');
    expect(speaker.heard()).toMatchObject({ invites: 1, calls: 1 });
  });

  it('call anew where the class has another address, and do not wait for the old call', async () => {
    await using speaker = await startSipSpeaker({ host });
    await using alarm = await startSipSpeaker({ host });
    await using rig = await startRig();
    const zonePriority = { 'life-safety': { call: alarm.uri, headers: { 'Alert-Info': 'info=emergency' } } };
    await using session = await rig.open({ call: speaker.uri, zonePriority });
    await session.write(order('tones'));
    await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(5);
    expect(await session.write(order('evacuation', { priority: 1 }))).toMatchObject({ outcome: 'sent' });
    await expect.poll(() => speaker.heard().byes, patience).toBe(1);
  });

  it('do not wait for a weaker call that only rings', async () => {
    await using speaker = await startSipSpeaker({ host, behaviour: { answer: 'ring' } });
    await using rig = await startRig();
    const zonePriority = { 'life-safety': { headers: { 'Alert-Info': 'info=emergency' } } };
    await using session = await rig.open({ call: speaker.uri, zonePriority });
    const weak = session.write(order('tones', { priority: 15 }));
    await expect.poll(() => pointOf(session, 'call'), patience).toBe('ringing');
    speaker.behave({ answer: 'auto' });
    expect(await session.write(order('evacuation', { priority: 1 }))).toMatchObject({ outcome: 'sent' });
    expect((await weak).message).toContain('overtaken by a newer command');
    await expect.poll(() => speaker.heard(), patience).toMatchObject({ cancels: 1, active: 1 });
    expect(speaker.heard().lastInvite).toContain('Alert-Info: info=emergency');
  });

  it('end with their hold, though nobody says so', async () => {
    await using speaker = await startSipSpeaker({ host });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones', { until: systemClock.now() + 600 }));
    await expect.poll(() => speaker.heard(), patience).toMatchObject({ byes: 1, active: 0 });
    expect(await pointOf(session, 'playing')).toBe(false);
  });

  it('hang up when the clip is over, and do not play it twice for the same hold', async () => {
    await using speaker = await startSipSpeaker({ host });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    const until = systemClock.now() + 60_000;
    // A bell that began some seconds ago and has not much left.
    await session.write(order('bell', { until }));
    await expect.poll(() => speaker.heard().byes, patience).toBe(1);
    expect(await session.write(order('bell', { until }))).toMatchObject({ outcome: 'sent', message: 'played already' });
    expect(speaker.heard().calls).toBe(1);
  });
});

it('pages over TCP', async () => {
  await using speaker = await startSipSpeaker({ host, transport: 'tcp' });
  await using rig = await startRig();
  await using session = await rig.open({ call: speaker.uri, transport: 'tcp' });
  expect(await session.write(order('tones'))).toMatchObject({ outcome: 'sent' });
  await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(10);
  await session.write(order(''));
  await expect.poll(() => speaker.heard(), patience).toMatchObject({ byes: 1, active: 0 });
});
