import { globSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Names, sentence } from '../../../edge/web/console/sentences.ts';
import { deskTexts } from './desk-texts.ts';

/* Everything that the desks of sound, proof and emergencies and the drivers of RTP and SIP can say has Chinese. */

const desks = globSync([
  'edge/rules/sound*.ts',
  'edge/processes/core/{delivery,broadcast,emergency,amplifier,room}-*.ts',
  'edge/drivers/{broadcast,sip}/{session,listeners,channel,proof,words,conversation,call,probe,line}.ts',
]).toSorted();

/** English that no person is told: SIP's own phrases on the wire, mistakes of a site file in the log, names of things that are tried. */
const forMachines = new Set([
  ...['Campus Edge', 'Out of order', 'Call over', 'Method Not Allowed', 'Not Acceptable Here', 'Bad Extension'],
  ...['Call/Transaction Does Not Exist', 'what is signed', 'quiet rooms', 'the disk'],
  ...['amplifiers[7].7: "7" is no output that is on or off', 'amplifiers[7].speakers[7]: "7" is no loudspeaker'],
]);

const names: Names = {
  language: 'zh',
  deviceName: (id) => id,
  pointName: (ref) => ref,
  interlockName: (id) => id,
};
const known = (id: string) => (id === 'noise-201' ? '201 教室声级' : id);

const texts = desks.flatMap((file) => deskTexts(file).map((text) => [file.replace('edge/', ''), text] as const));

describe('in a Chinese console', () => {
  test('the desks say enough for this to mean something', () => {
    expect(desks.length).toBeGreaterThan(40);
    expect(texts.length).toBeGreaterThan(100);
  });

  test.each(texts.filter(([, text]) => !forMachines.has(text)))('%s: "%s" is said in Chinese', (_, text) => {
    const told = sentence(text, names);
    expect(told).toMatch(/[\u3400-\u9fff]/);
    expect(told).not.toContain('技术信息');
    // No two words of English are left beside each other.
    expect(told.replaceAll('dB(A)', '')).not.toMatch(/[A-Za-z']{2,} [A-Za-z']{2,}/);
  });

  test.each([
    [
      'sound level sensor noise-201: 71 dB(A), 32 dB above the room',
      '声级传感器“201 教室声级”测得 71 dB(A)，比室内本底高 32 dB',
    ],
    [
      'not heard by sound level sensor noise-201: 40 dB(A), the room itself has 39 dB(A)',
      '现场听不到：声级传感器“201 教室声级”测得 40 dB(A)，室内本底 39 dB(A)',
    ],
    ['sound level sensor noise-201 cannot tell: the room is too loud', '声级传感器“201 教室声级”无法判断：室内太吵'],
    [
      '2 receivers report that it arrives (RTCP), 3 % lost; 1 no longer',
      '2 个接收端报告收到（RTCP），丢包 3%；另有 1 个不再报告',
    ],
    ['failed: is busy (486 Busy Here)', '呼叫失败：占线 (486 Busy Here)'],
    ['it is muted', '音量为零或已静音'],
    ['sent to 10.0.3.9:5004; nothing comes back', '已发往 10.0.3.9:5004，设备没有回执'],
  ])('"%s" reads as people say it', (text, zh) => {
    expect(sentence(text, { ...names, deviceName: known })).toBe(zh);
  });
});
