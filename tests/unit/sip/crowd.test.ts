import { expect, it } from 'vitest';
import { type SipSpeaker, startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import { order, patience, startRig } from './rig.ts';

it('forty rooms are called at once, and each of them hears it', async () => {
  await using stack = new AsyncDisposableStack();
  const rig = stack.use(await startRig({ probeEvery: 5_000 }));
  const speakers: SipSpeaker[] = [];
  for (let i = 0; i < 40; i++)
    speakers.push(stack.use(await startSipSpeaker({ host: '127.0.0.1', behaviour: { reports: 500 } })));
  const sessions = await Promise.all(speakers.map(({ uri }, i) => rig.open({ call: uri }, `room-${i}`)));
  const started = performance.now();
  const results = await Promise.all(sessions.map((session) => session.write(order('evacuation', { priority: 1 }))));
  const taken = performance.now() - started;
  expect(results.map(({ outcome }) => outcome)).toEqual(speakers.map(() => 'sent'));
  await expect
    .poll(() => Math.min(...speakers.map((speaker) => speaker.heard().packets)), patience)
    .toBeGreaterThan(100);
  const heard = speakers.map((speaker) => speaker.heard());
  expect(heard.every(({ invites, calls }) => invites === 1 && calls === 1)).toBe(true);
  const first = heard.map(({ firstPacketAfter }) => firstPacketAfter ?? Number.NaN).sort((a, b) => a - b);
  const gaps = heard.flatMap((each) => each.gaps).sort((a, b) => a - b);
  const at = (sorted: readonly number[], share: number) =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(1);
  console.info(
    `40 calls taken in ${taken.toFixed(0)} ms; INVITE to first packet p50 ${at(first, 0.5)} ms, p99 ${at(first, 0.99)} ms; gaps p50 ${at(gaps, 0.5)}, p99 ${at(gaps, 0.99)} ms`,
  );
  const ended = await Promise.all(sessions.map((session) => session.write(order(''))));
  expect(ended.every(({ outcome }) => outcome === 'sent')).toBe(true);
  await expect.poll(() => speakers.every((speaker) => speaker.heard().active === 0), patience).toBe(true);
});
