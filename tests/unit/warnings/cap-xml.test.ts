import { expect, test } from 'vitest';
import { capText, parseCap } from '#edge/warnings/cap-xml.ts';
import { advisory, earthquake, storm, thunderstorm, twoLanguages } from './messages.ts';

const read = (text: string) => parseCap(capText(new TextEncoder().encode(text)));

test('the four examples of the standard are read, each with what only it has', () => {
  expect(read(advisory)).toMatchObject({
    identifier: '43b080713727',
    sent: Date.parse('2003-04-02T19:39:01Z'),
    infos: [
      { language: 'en-US', parameters: [{ name: 'HSAS', value: 'ORANGE' }], areas: [{ description: 'Nationwide' }] },
    ],
  });
  const [storm] = read(thunderstorm).infos;
  expect(storm?.areas[0]?.polygons[0]).toHaveLength(5);
  expect(storm?.areas[0]?.codes.map(({ code }) => code)).toEqual(['006109', '006009']);
  expect(storm).toMatchObject({ responses: ['Shelter'], expires: Date.parse('2003-06-17T23:00:00Z') });
  expect(read(earthquake)).toMatchObject({
    type: 'Update',
    references: [
      { sender: 'trinet@caltech.edu', identifier: 'TRI13970876.1', sent: Date.parse('2003-06-12T03:30:00Z') },
    ],
    infos: [{ areas: [{ circles: [{ center: { latitude: 32.9525, longitude: -115.5527 }, kilometres: 0 }] }] }],
  });
  expect(read(twoLanguages).infos.map(({ language, event }) => [language, event])).toEqual([
    ['en-US', 'Child Abduction'],
    ['es-US', 'Abducción de Niño'],
  ]);
});

test('a message with a prefix, a byte order mark, or in GB 18030 is read as well', () => {
  const prefixed = storm()
    .replaceAll(/<(\/?)(?=[a-zA-Z])/g, '<$1cap:')
    .replace('xmlns=', 'xmlns:cap=');
  expect(read(`\uFEFF${prefixed}`).infos[0]?.headline).toBe('暴雨红色预警');
  // 暴雨 as GB 18030 has it; everything else in ASCII.
  const ascii = storm()
    .replace('UTF-8', 'GBK')
    .replaceAll(/\P{ASCII}+/gu, 'x')
    .split('<event>x');
  const event = Buffer.from([0xb1, 0xa9, 0xd3, 0xea]);
  const foreign = parseCap(
    capText(Buffer.concat([Buffer.from(`${ascii[0]}<event>`), event, Buffer.from(`${ascii[1]}`)])),
  );
  expect(foreign.infos[0]?.event).toBe('暴雨');
});

const wrong: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  ['nothing at all', '', /not XML/],
  ['no XML', 'smoke in 101', /not XML/],
  ['a tag that is not closed', storm().replace('</alert>', ''), /not XML/],
  ['two roots', `${storm()}<alert/>`, /not XML/],
  ['another namespace', storm().replace('cap:1.2', 'cap:1.1'), /not an alert/],
  ['a document type', storm().replace('<alert', '<!DOCTYPE alert [<!ENTITY a "b">]><alert'), /document type/],
  [
    'an XML bomb',
    `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]><alert>&lol2;</alert>`,
    /document type/,
  ],
  ['an entity nobody defined', storm().replace('暴雨红色预警', '&unknown;'), /not XML/],
  ['tags without end', `${'<a>'.repeat(20_000)}`, /tags/],
  ['300 kB', `<alert>${'x'.repeat(300_000)}</alert>`, /bytes/],
  ['bytes that are not UTF-8', Buffer.from([0x3c, 0xff, 0xfe, 0x3e]), /is not utf-8/],
  ['an encoding nobody reads', storm().replace('UTF-8', 'UTF-7'), /UTF-7/],
  ['no sender', storm().replace(/<sender>.*<\/sender>/, ''), /alert: has no sender/],
  ['two senders', storm().replace('<status>', '<sender>other</sender><status>'), /more than one sender/],
  ['a sender with a comma', storm({ sender: 'a,b' }), /alert\.sender/],
  ['a time without a zone', storm({ sent: '2026-11-23T08:00:00' }), /alert\.sent/],
  ['30 February', storm({ sent: '2026-02-30T08:00:00+08:00' }), /alert\.sent/],
  ['a status of its own', storm({ status: 'actual' }), /alert\.status: "actual" is none of Actual/],
  ['a severity of its own', storm({ severity: 'Red' }), /info\[0\]\.severity/],
  ['references that are none', storm({ references: 'abc' }), /alert\.references/],
  [
    'a polygon that is not closed',
    storm({ area: '<areaDesc>x</areaDesc><polygon>1,1 2,2 3,3 4,4</polygon>' }),
    /polygon/,
  ],
  ['a place that is not on earth', storm({ area: '<areaDesc>x</areaDesc><circle>91,0 5</circle>' }), /circle/],
];

test.each(wrong)('%s is refused, and it says where', (_, message, where) => {
  const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message;
  const attempt = () => parseCap(capText(bytes));
  expect(attempt).toThrow(expect.objectContaining({ code: 'CAP_INVALID' }));
  expect(attempt).toThrow(where);
});

test('what is nested as deep as the bound allows breaks nothing', () => {
  const deep = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">${'<a>'.repeat(3_500)}${'</a>'.repeat(3_500)}</alert>`;
  expect(() => read(deep)).toThrow(/has no identifier/);
});

test('every message cut at any place, and with any byte changed, is read or refused with CAP_INVALID, never anything else', () => {
  const whole = new TextEncoder().encode(storm({ references: 'a,b,2026-11-23T07:00:00+08:00' }));
  let refused = 0;
  const seen = new Set<string>();
  const attempt = (bytes: Uint8Array) => {
    try {
      parseCap(capText(bytes));
    } catch (error) {
      refused++;
      seen.add((error as { code?: string }).code ?? String(error));
    }
  };
  for (let cut = 0; cut < whole.length; cut += 3) attempt(whole.subarray(0, cut));
  for (let at = 0; at < whole.length; at += 2) {
    const changed = whole.slice();
    changed[at] = ((changed[at] ?? 0) * 31 + at) & 0xff;
    attempt(changed);
  }
  expect([...seen]).toEqual(['CAP_INVALID']);
  expect(refused).toBeGreaterThan(whole.length / 2);
});

test('control characters of a stranger do not reach people', () => {
  const text = read(storm().replace('停止户外活动。', '停止&#9;户外\u202E活动\u200B。')).infos[0]?.instruction ?? '';
  expect(text).toBe('停止 户外 活动 。');
});
