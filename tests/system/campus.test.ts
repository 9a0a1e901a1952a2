import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningCampus, startCampus } from './campus.ts';

/* The whole campus, from outside: what the gatehouse, the facility office and the city see. */

const soon = { timeout: 45_000, interval: 200 };
let campus: RunningCampus;

beforeAll(async () => {
  campus = await startCampus();
  await vi.waitFor(async () => expect((await fetch(`${campus.url}/healthz`)).status).toBe(200), {
    timeout: 100_000,
    interval: 200,
  });
}, 120_000);
afterAll(async () => await campus?.[Symbol.asyncDispose]());

interface PointView {
  readonly id: string;
  readonly value: unknown;
  readonly unit: string;
  readonly quality: string;
}

const points = async (): Promise<Map<string, PointView>> =>
  new Map((await campus.get<PointView[]>('points')).map((point) => [point.id, point]));

describe('a running campus', () => {
  test('shows good values of every protocol with their units', async () => {
    await vi.waitFor(async () => {
      const now = await points();
      for (const [id, unit] of [
        ['meter-main/voltage_l1', 'V'],
        ['meter-dorm/power', 'W'],
        ['meter-ac/power', 'W'],
        ['water-dorm/volume', 'm3'],
        ['relay-1/relay_1', ''],
        ['climate-101/temperature', 'Cel'],
        ['plug-1/power', 'W'],
        ['air-301/co2', '[ppm]'],
        ['air-201/co2', '[ppm]'],
        ['camera-gate/online', ''],
      ] as const) {
        expect(now.get(id), id).toMatchObject({ quality: 'good', unit });
      }
    }, soon);
  });

  test('answers nobody without the token, except for its health', async () => {
    for (const path of ['/api/v1/points', '/metrics', '/api/v1/openapi.json', '/flows-editor/']) {
      expect((await fetch(`${campus.url}${path}`)).status, path).toBe(401);
    }
    const wrong = await fetch(`${campus.url}/api/v1/points`, { headers: { authorization: 'Bearer nonsense' } });
    expect(wrong.status).toBe(401);
    expect((await fetch(`${campus.url}/healthz`)).status).toBe(200);
  });

  test('describes its API by OpenAPI', async () => {
    const api = await campus.get<{ paths: Record<string, unknown> }>('openapi.json');
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining([
        '/healthz',
        '/api/v1/points',
        '/api/v1/points/{device}/{point}/history',
        '/api/v1/events',
        '/api/v1/alarms',
        '/api/v1/alarms/{id}/acknowledge',
        '/api/v1/outputs',
        '/api/v1/requests',
        '/api/v1/audit',
        '/api/v1/inbox',
      ]),
    );
  });

  test('has a picture with the event of a person', async () => {
    await campus.turn('person-gate', 'on');
    const found = await vi.waitFor(async () => {
      const events =
        await campus.get<{ id: string; type: string; device: string; snapshot?: string }[]>('events?newest=true');
      const person = events.find((event) => event.type === 'person' && event.snapshot !== undefined);
      expect(person).toBeDefined();
      return person;
    }, soon);
    await vi.waitFor(async () => {
      const { readFileSync } = await import('node:fs');
      const token = readFileSync(`${campus.data}/admin-token`, 'utf8').trim();
      const picture = await fetch(`${campus.url}/api/v1/events/${found?.id}/snapshot`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(picture.headers.get('content-type')).toBe('image/jpeg');
      expect([...new Uint8Array(await picture.arrayBuffer()).subarray(0, 2)]).toEqual([0xff, 0xd8]);
    }, soon);
  });

  test('evacuates when the fire panel trips, says why, and stops only when a person resets it', async () => {
    await campus.turn('fire-panel', 'on');
    await vi.waitFor(async () => {
      for (const speaker of await campus.heard()) {
        expect(speaker.silentSince).toBeNull();
        expect(speaker.packets).toBeGreaterThan(0);
      }
    }, soon);
    const outputs = await campus.get<{ ref: string; holder: string; priority: number; reason: string }[]>('outputs');
    expect(outputs.find(({ ref }) => ref === 'speaker-gate/clip')).toMatchObject({
      value: 'evacuation',
      holder: 'interlock:fire',
      priority: 1,
      reason: expect.stringContaining('fire-panel/alarm is true (good)'),
    });
    await vi.waitFor(async () => expect((await points()).get('relay-1/relay_5')?.value).toBe(false), soon);
    const refused = await campus.post<{ accepted: boolean; outcome: string }>('requests', {
      point: 'speaker-gate/clip',
      value: '',
      seconds: 60,
      reason: 'too loud',
    });
    expect(refused).toMatchObject({ accepted: true, outcome: 'waiting' });
    expect(await campus.post('interlocks/fire/reset', { reason: 'too early' })).toMatchObject({ reset: false });

    await campus.turn('fire-panel', 'off');
    await vi.waitFor(async () => expect((await points()).get('fire-panel/alarm')?.value).toBe(false), soon);
    expect(await campus.post('interlocks/fire/reset', { reason: 'checked on site' })).toMatchObject({ reset: true });
    await vi.waitFor(async () => {
      for (const speaker of await campus.heard()) expect(speaker.silentSince).not.toBeNull();
    }, soon);
  });

  test('does what a person asks, reads it back, and keeps who asked and why', async () => {
    const result = await campus.post<{ id: string; accepted: boolean }>('requests', {
      point: 'relay-1/relay_2',
      value: false,
      seconds: 600,
      reason: 'lamp is being changed',
    });
    expect(result.accepted).toBe(true);
    await vi.waitFor(async () => expect((await points()).get('relay-1/relay_2')).toMatchObject({ value: false }), soon);
    const audit = await campus.get<{ lines: { what: string; why: string; who: string }[] }>('audit?limit=1000');
    expect(audit.lines).toContainEqual(expect.objectContaining({ why: 'lamp is being changed', who: 'token:local' }));
    await expect(
      campus.post('requests', { point: 'meter-main/power', value: 1, seconds: 5, reason: 'x' }),
    ).resolves.toMatchObject({
      accepted: false,
    });
    await expect(
      campus.post('requests', { point: 'relay-1/relay_2', value: true, seconds: 5, reason: 'x', priority: 1 }),
    ).rejects.toMatchObject({ status: 400 });
  });

  test('lets an alarm be acknowledged once it has been seen', async () => {
    await campus.turn('leak-kitchen', 'on');
    const alarm = await vi.waitFor(async () => {
      const alarms = await campus.get<{ id: string; source: string; state: string }[]>('alarms?open=true');
      const leak = alarms.find(({ source }) => source === 'interlock:leak');
      expect(leak?.state).toBe('unacknowledged');
      return leak;
    }, soon);
    const seen = await campus.post(`alarms/${alarm?.id}/acknowledge`, { note: 'on my way' });
    expect(seen).toMatchObject({ state: 'acknowledged', acknowledged: { by: 'token:local', note: 'on my way' } });
    await campus.turn('leak-kitchen', 'off');
    await vi.waitFor(async () => {
      const open = await campus.get<{ source: string }[]>('alarms?open=true');
      expect(open.map(({ source }) => source)).not.toContain('interlock:leak');
    }, soon);
  });

  test('keeps history that can be asked for raw and by the minute', async () => {
    const to = Date.now() + 60_000;
    await vi.waitFor(async () => {
      const raw = await campus.get<{ samples: { value: number }[] }>(
        `points/meter-main/power/history?from=${to - 600_000}&to=${to}`,
      );
      expect(raw.samples.length).toBeGreaterThan(2);
    }, soon);
    const minutes = await campus.get<{ buckets: { mean: number; min: number; max: number }[] }>(
      `points/meter-main/power/history?from=${to - 600_000}&to=${to}&step=1min`,
    );
    for (const { mean, min, max } of minutes.buckets) {
      expect(mean).toBeGreaterThanOrEqual(min);
      expect(mean).toBeLessThanOrEqual(max);
    }
    await expect(campus.get('points/meter-main/nothing/history?from=0&to=1')).rejects.toMatchObject({ status: 404 });
  });

  test('has told the city the minute in which it started, without waiting for its end', async () => {
    const id = campus.site.campus.id;
    await vi.waitFor(async () => {
      const { points } = await campus.getCity<{ points: { ref: string }[] }>(
        `campuses/${id}/summaries?from=${Date.now() - 3_600_000}&to=${Date.now() + 60_000}`,
      );
      expect(points.map(({ ref }) => ref)).toContain('meter-main/power');
    }, soon);
  });

  test('tells the city its alarms and events, and nothing personal', async () => {
    const id = campus.site.campus.id;
    await vi.waitFor(async () => {
      const { alarms } = await campus.getCity<{ alarms: { source: string }[] }>(`campuses/${id}/alarms`);
      expect(alarms.map(({ source }) => source)).toContain('interlock:fire');
      expect(JSON.stringify(alarms)).not.toMatch(/snapshot|admin|on my way/);
    }, soon);
  });

  test('goes on when a camera hangs, says what is wrong with it, and hears it again afterwards', async () => {
    await campus.turn('camera-gate-dead', 'on');
    await vi.waitFor(
      async () => {
        const devices = await campus.get<{ device: string; state: string; message: string }[]>('devices');
        const camera = devices.find(({ device }) => device === 'camera-gate');
        expect(camera?.state).not.toBe('online');
        expect(camera?.message.length).toBeGreaterThan(10);
      },
      { timeout: 60_000, interval: 500 },
    );
    await campus.turn('camera-gate-dead', 'off');
    await vi.waitFor(
      async () => {
        const devices = await campus.get<{ device: string; state: string }[]>('devices');
        expect(devices.find(({ device }) => device === 'camera-gate')?.state).toBe('online');
      },
      { timeout: 90_000, interval: 500 },
    );
  }, 160_000);
});
