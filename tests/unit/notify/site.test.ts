import { describe, expect, test } from 'vitest';
import { checkSite, type Site } from '#edge/runtime/site.ts';
import { checkCallUrl, checkTarget, notifyTargets } from '#edge/runtime/site-notify.ts';

const name = { zh: '名', en: 'Name' };
const mail = { id: 'mail', kind: 'email', name, host: 'smtp.school.example', from: 'campus@school.example' };
const sms = { id: 'sms', kind: 'sms', name, url: 'https://sms.example/send' };
const robot = { id: 'duty', kind: 'wecom', name, urlFile: 'duty.url' };
const guard = { id: 'guard', name, groups: ['night'], email: 'guard@school.example', phone: '13800001111' };
const nurse = { id: 'nurse', name, groups: ['night'], phone: '+8613800002222' };

function siteWith(notify: object): Site {
  const campus = { id: '2151009901', name, timeZone: 'Asia/Shanghai' };
  return checkSite({ site: 1, campus, zones: [{ id: 'east', name }], notify }, '/tmp');
}

const notifyOf = (given: object = {}) => ({ channels: [mail, sms, robot], recipients: [guard, nurse], ...given });
const mistakesOf = (given: object): string[] => {
  try {
    siteWith(notifyOf(given));
    return [];
  } catch (error) {
    return String(error instanceof Error ? error.message : error).split('\n');
  }
};

test('a site without the section tells nobody, and one with it fills in what is not said', () => {
  expect(
    checkSite({ site: 1, campus: { id: '2151009901', name, timeZone: 'UTC' }, zones: [{ id: 'east', name }] }, '/tmp')
      .notify,
  ).toBeUndefined();
  expect(siteWith(notifyOf()).notify).toMatchObject({
    channels: [
      { tls: 'implicit', language: 'zh' },
      { method: 'POST', format: 'json', longest: 134 },
      { urlFile: 'duty.url' },
    ],
    ladders: [],
    limits: { perHour: 60 },
  });
});

describe('whom `to` means', () => {
  const notify = siteWith(notifyOf()).notify;
  if (notify === undefined) throw new Error('no section');
  test.each([
    [['duty'], ['duty:-']],
    [['guard'], ['mail:guard', 'sms:guard']],
    [['guard@sms'], ['sms:guard']],
    [['night'], ['mail:guard', 'sms:guard', 'sms:nurse']],
    [
      ['night@mail', 'duty', 'guard@mail'],
      ['mail:guard', 'duty:-'],
    ],
    [['nobody', 'mail', 'duty@mail', 'nurse@mail'], []],
  ])('%j is %j', (to, expected) => {
    expect(notifyTargets(notify, to).map(({ channel, recipient }) => `${channel}:${recipient ?? '-'}`)).toEqual(
      expected,
    );
  });

  test('that means nobody says why', () => {
    expect(
      ['nobody', 'mail', 'duty@mail', 'nurse@mail', 'guard@fax', 'guard'].map((to) => checkTarget(notify, to)),
    ).toEqual([
      'there is no recipient, group or channel "nobody"',
      '"mail" needs a recipient: write <recipient or group>@mail',
      '"duty" is a channel; @<channel> follows a recipient or a group',
      'channel "mail" reaches nobody of "nurse"',
      'there is no channel "fax"',
      null,
    ]);
  });
});

describe('a mistake is named with its place', () => {
  const ladder = { id: 'l', name, classes: ['critical'], steps: [{ to: ['guard'] }] };
  test.each<[string, object]>([
    ['notify.channels: Too small', { channels: [] }],
    ['notify.channels[0].tls: "none" is for a server on this machine only', { channels: [{ ...mail, tls: 'none' }] }],
    ['notify.channels[0].passwordFile: user and passwordFile go together', { channels: [{ ...mail, user: 'x' }] }],
    ['notify.channels[0]: Unrecognized key: "password"', { channels: [{ ...mail, password: 'x' }] }],
    ['notify.channels[1].id: "mail" is used twice', { channels: [mail, { ...robot, id: 'mail' }] }],
    [
      'notify.channels[2].id: "night" is also the name of a group',
      { channels: [mail, sms, { ...robot, id: 'night' }] },
    ],
    ['notify.recipients[1]: no channel reaches him', { channels: [mail, robot] }],
    [
      'notify.ladders[0].steps[1].to[0]: there is no recipient',
      { ladders: [{ ...ladder, steps: [{ to: ['guard'] }, { after: '5min', to: ['x'] }] }] },
    ],
    [
      'notify.ladders[0].steps[1].after: is earlier',
      {
        ladders: [
          {
            ...ladder,
            steps: [
              { after: '5min', to: ['guard'] },
              { after: '1min', to: ['guard'] },
            ],
          },
        ],
      },
    ],
    ['notify.ladders[0].zones[0]: unknown zone "west"', { ladders: [{ ...ladder, zones: ['west'] }] }],
    [
      'notify.channels[1].body.text: {nmae} is not filled in here',
      { channels: [mail, { ...sms, body: { phone: '{phone}', text: '{nmae}' } }] },
    ],
    [
      'notify.channels[1].url: {secret} is not filled in here',
      { channels: [mail, { ...sms, url: 'https://sms.example/{secret}/{phone}' }] },
    ],
    ['notify.channels[1].body: {phone} is said nowhere', { channels: [mail, { ...sms, body: { text: '{text}' } }] }],
    [
      'notify.channels[1].body: must be plain keys',
      { channels: [mail, { ...sms, format: 'form', body: { a: { b: '{phone}' } } }] },
    ],
    [
      'notify.channels[1].success.is: path and is go together',
      { channels: [mail, { ...sms, success: { path: 'code' } }] },
    ],
    ['notify.console: must be https', { console: 'http://campus.example' }],
    ['notify.quietHours.from: must be HH:MM', { quietHours: { from: '7', to: '08:00' } }],
  ])('%s', (expected, given) => {
    expect(
      mistakesOf(given).some((line) => line.startsWith(expected)),
      mistakesOf(given).join('\n'),
    ).toBe(true);
  });
});

test.each([
  ['https://hooks.example/x', true],
  ['https://10.1.2.3/x', true],
  ['http://192.168.1.9:8080/sms', true],
  ['http://127.0.0.1:9/', true],
  ['http://[fd00::5]/', true],
  ['http://sms.example/', false],
  ['http://8.8.8.8/', false],
  ['http://169.254.169.254/latest', false],
  ['https://169.254.169.254/latest', false],
  ['https://[fe80::1]/', false],
  ['https://user:word@hooks.example/', false],
  ['https://{phone}.example/', false],
  ['file:///etc/passwd', false],
  ['hooks.example', false],
])('words may be sent to %s: %s', (url, isAllowed) => {
  expect(checkCallUrl(url) === null).toBe(isAllowed);
});
