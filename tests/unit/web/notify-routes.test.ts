import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notifySchema } from '#edge/runtime/site-notify.ts';
import { noticeOf } from '../notify/peers.ts';
import { startWebRoom, type WebRoom } from './web-room.ts';

const name = { zh: '渠道', en: 'Channel' };
const notify = notifySchema.parse({
  channels: [
    { id: 'duty', kind: 'wecom', name, urlFile: 'secret-folder/duty.url' },
    { id: 'sms', kind: 'sms', name, url: 'https://sms.example/hidden-path', secretFile: 'secret-folder/key' },
  ],
  recipients: [{ id: 'guard', name, groups: ['night'], phone: '13800001111', email: 'guard@school.example' }],
  ladders: [
    {
      id: 'fire',
      name,
      classes: ['critical'],
      steps: [{ to: ['duty'] }, { after: '5min', during: 'closed', to: ['night@sms'] }],
    },
  ],
});

const asked: unknown[] = [];
let room: WebRoom;
beforeAll(async () => {
  room = await startWebRoom({
    change: (site) => ({ ...site, notify }),
    methods: {
      'notice.test': async (params) => {
        asked.push(params);
        return { id: '01939d5e-0000-7000-8000-000000000000' };
      },
    },
  });
});
afterAll(async () => await room[Symbol.asyncDispose]());

const get = async (path: string) => {
  const answer = await room.ask(`/api/v1${path}`);
  return { status: answer.status, text: await answer.text() };
};

describe('GET /notices', () => {
  test("tells what became of each, newest first, page by page, and nobody's address", async () => {
    const notices = Array.from({ length: 5 }, (_, i) =>
      noticeOf({
        created: 1_000 + i,
        channel: i % 2 === 0 ? 'duty' : 'sms',
        recipient: i % 2 === 0 ? null : 'guard',
        state: i === 4 ? 'queued' : 'delivered',
        about: i < 2 ? 'test' : 'rule:leak',
      }),
    );
    await room.store?.append({ notices });
    const ids = notices.map(({ id }) => id).reverse();
    const first = await get('/notices?limit=2');
    const page = JSON.parse(first.text) as { id: string }[];
    expect(page.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(page[0]).toMatchObject({
      class: 'high',
      channel: 'duty',
      recipient: null,
      state: 'queued',
      attempts: 0,
      detail: '',
    });
    const next = JSON.parse((await get(`/notices?limit=10&before=${ids[1]}`)).text) as { id: string }[];
    expect(next.map(({ id }) => id)).toEqual(ids.slice(2));
    expect((JSON.parse((await get('/notices?about=test&state=delivered')).text) as unknown[]).length).toBe(2);
    expect((await get('/notices')).text).not.toMatch(/13800001111|guard@school/);
    expect((await get('/notices?before=x')).status).toBe(400);
  });
});

describe('GET /notify', () => {
  test('says of each channel whom it reaches and how it fares, and no address, file or secret', async () => {
    expect(JSON.parse((await get('/notify')).text).channels[0]).toMatchObject({
      problem: 'the process notify is not running',
    });
    const line = (device: string, message: string) => ({
      device,
      state: 'online' as const,
      message,
      since: 1,
      counters: { queued: 1, delivered: 2, failed: 3, lastDelivered: 4_000 },
    });
    room.live.health.set('notify', {
      process: 'notify',
      state: 'ready',
      time: 1,
      instance: 'a',
      devices: [line('notify-duty', ''), line('notify-sms', 'HTTP 500')],
    });
    const { text } = await get('/notify');
    expect(JSON.parse(text)).toEqual({
      channels: [
        {
          id: 'duty',
          kind: 'wecom',
          name,
          recipients: [],
          queued: 1,
          delivered: 2,
          failed: 3,
          lastDelivered: 4_000,
          problem: null,
        },
        {
          ...{
            id: 'sms',
            kind: 'sms',
            name,
            queued: 1,
            delivered: 2,
            failed: 3,
            lastDelivered: 4_000,
            problem: 'HTTP 500',
          },
          recipients: [{ id: 'guard', name, groups: ['night'] }],
        },
      ],
      ladders: [
        {
          ...{ id: 'fire', name, classes: ['critical'] },
          steps: [
            { after: 0, during: 'always', to: ['duty'] },
            { after: 300_000, during: 'closed', to: ['night@sms'] },
          ],
          zones: null,
          sources: null,
          repeat: { every: 900_000, times: 8 },
        },
      ],
      quietHours: null,
      perHour: 60,
    });
    expect(text).not.toMatch(/13800001111|guard@school|secret-folder|hidden-path/);
    // Nor is a channel taken for a device.
    expect((await get('/devices')).text).not.toContain('notify-duty');
  });
});

describe('POST /notify/{channel}/test', () => {
  const post = (path: string, body?: object) =>
    room.ask(`/api/v1${path}`, {
      method: 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });

  test('asks core, and says who did', async () => {
    const answer = await post('/notify/sms/test', { recipient: 'guard' });
    expect([answer.status, await answer.json()]).toEqual([202, { id: '01939d5e-0000-7000-8000-000000000000' }]);
    await post('/notify/duty/test');
    expect(asked).toEqual([
      { channel: 'sms', recipient: 'guard', who: expect.stringMatching(/^token:/), from: '127.0.0.1' },
      { channel: 'duty', recipient: null, who: expect.stringMatching(/^token:/), from: '127.0.0.1' },
    ]);
  });

  test('knows no channel that the site file does not have', async () => {
    expect((await post('/notify/fax/test', { recipient: null })).status).toBe(404);
    expect((await post('/notify/sms/test', { phone: '1' })).status).toBe(400);
  });
});
