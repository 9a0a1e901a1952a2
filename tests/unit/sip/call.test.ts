import { describe, expect, it } from 'vitest';
import { startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import { order, patience, pointOf, startRig } from './rig.ts';

for (const host of ['127.0.0.1', '::1']) {
  describe(`a page by SIP (${host})`, () => {
    it('calls, plays until it is told to stop, and hangs up', async () => {
      await using speaker = await startSipSpeaker({ host });
      await using rig = await startRig();
      await using session = await rig.open({ call: speaker.uri });
      const result = await session.write(order('evacuation'));
      expect(result).toMatchObject({ outcome: 'sent' });
      expect(result.message).toContain('took the call');
      await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(30);
      expect(await pointOf(session, 'call')).toBe('connected');
      expect(await pointOf(session, 'clip')).toBe('evacuation');
      expect(await pointOf(session, 'proof')).toBe('acknowledged');
      expect(speaker.heard()).toMatchObject({ calls: 1, acks: 1, payloadType: 8 });
      expect(speaker.heard().tone).not.toBeNull();
      expect(await session.write(order(''))).toMatchObject({ outcome: 'sent' });
      await expect.poll(() => speaker.heard(), patience).toMatchObject({ byes: 1, active: 0 });
      expect(await pointOf(session, 'call')).toBe('idle');
    });
  });
}

it('asks the speaker to answer by itself', async () => {
  await using speaker = await startSipSpeaker({ host: '127.0.0.1', behaviour: { needsAutoAnswer: true } });
  await using rig = await startRig();
  await using session = await rig.open({ call: speaker.uri });
  expect(await session.write(order('bell'))).toMatchObject({ outcome: 'sent' });
  expect(speaker.heard().lastInvite).toContain('Alert-Info: info=alert-autoanswer\r\n');
  expect(speaker.heard().lastInvite).toContain('Call-Info: ;answer-after=0\r\n');
});
