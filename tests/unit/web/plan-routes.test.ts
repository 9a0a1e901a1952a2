import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlanView } from '#edge/web/place-schemas.ts';
import { jsonBody, type PlaceRoom, startPlaceRoom } from './place-room.ts';
import { rawRequest } from './web-room.ts';

let room: PlaceRoom;
beforeAll(async () => {
  room = await startPlaceRoom();
});
afterAll(async () => await room[Symbol.asyncDispose]());

const drawing = (words: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><text>${words}</text></svg>`;
const upload = (query: string, body: string, type = 'image/svg+xml', method = 'POST') =>
  room.ask(query, { method, headers: { 'content-type': type }, body });
const make = async (id: string, words = id): Promise<PlanView> => {
  const answer = await upload(`/api/v1/plans?id=${id}&zh=${id}&en=${id}&floor=teaching-1`, drawing(words));
  expect(answer.status).toBe(200);
  return (await answer.json()) as PlanView;
};
const plans = async (ask: PlaceRoom['ask'] = room.ask) => (await (await ask('/api/v1/plans')).json()) as PlanView[];
const files = () => readdirSync(join(room.data, 'plans'));
const problem = async (answer: Response) => (await answer.json()) as { error: string; message: string };

describe('a plan', () => {
  test('is kept with its picture, served byte for byte, and may do nothing where it is opened', async () => {
    const plan = await make('first-floor', '一层 "quoted"');
    expect(plan).toMatchObject({ rev: 1, floor: 'teaching-1', format: 'svg', width: 200, height: 100, places: [] });
    const picture = await room.ask(plan.image);
    expect(await picture.text()).toBe(drawing('一层 "quoted"'));
    expect(Object.fromEntries(picture.headers)).toMatchObject({
      'content-type': 'image/svg+xml; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox",
      'x-content-type-options': 'nosniff',
      'content-disposition': 'inline; filename="plan.svg"',
      'cache-control': 'private, max-age=31536000, immutable',
    });
    const etag = picture.headers.get('etag') ?? '';
    expect((await room.ask(plan.image, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const unversioned = await room.ask('/api/v1/plans/first-floor/image');
    expect(unversioned.headers.get('cache-control')).toBe('private, no-cache');
    await unversioned.arrayBuffer();
    expect(files()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.svg$/)]);
  });

  test('is renamed, moved to another floor, given another picture, and told when somebody else was faster', async () => {
    const plan = await make('second');
    const change = { rev: plan.rev, name: { zh: '二层', en: 'Second' }, floor: 'teaching-2', order: 9 };
    const changed = (await (await room.ask('/api/v1/plans/second', jsonBody('PATCH', change))).json()) as PlanView;
    expect(changed).toMatchObject({ rev: 2, name: { zh: '二层' }, floor: 'teaching-2', order: 9 });
    const late = await room.ask('/api/v1/plans/second', jsonBody('PATCH', change));
    expect([late.status, (await problem(late)).error]).toEqual([409, 'document-changed']);
    const nowhere = await room.ask('/api/v1/plans/second', jsonBody('PATCH', { rev: 2, floor: 'cellar' }));
    expect([nowhere.status, (await problem(nowhere)).error]).toEqual([400, 'bad-floor']);
    const before = files().length;
    const repainted = await upload('/api/v1/plans/second/image?rev=2', drawing('new'), 'image/svg+xml', 'PUT');
    expect(await repainted.json()).toMatchObject({ rev: 3, name: { zh: '二层' } });
    expect(files().length).toBe(before);
    expect((await plans()).at(-1)?.id).toBe('second');
  });

  test('that exists is not overwritten, and the picture of the second try is not left over', async () => {
    await make('once');
    const before = files().length;
    const again = await upload('/api/v1/plans?id=once&zh=a&en=a', drawing('another one'));
    expect([again.status, (await problem(again)).error]).toEqual([409, 'document-changed']);
    await make('sweeps');
    expect(files().length).toBe(before + 1);
  });

  test('goes with its picture and with what lay on it, and two plans may share one picture', async () => {
    const one = await make('shared-1', 'the same');
    await make('shared-2', 'the same');
    await room.ask('/api/v1/plans/shared-1/places/meter-main', jsonBody('PUT', { x: 0.5, y: 0.5 }));
    const before = files().length;
    expect((await room.ask(`/api/v1/plans/shared-1?rev=${one.rev + 7}`, { method: 'DELETE' })).status).toBe(409);
    expect((await room.ask('/api/v1/plans/shared-1', { method: 'DELETE' })).status).toBe(204);
    expect(files().length).toBe(before);
    expect((await room.ask('/api/v1/plans/shared-2', { method: 'DELETE' })).status).toBe(204);
    expect(files().length).toBe(before - 1);
    expect((await room.ask('/api/v1/plans/shared-1/image')).status).toBe(404);
    expect((await plans()).flatMap(({ places }) => places)).toEqual([]);
  });
});

describe('devices on a plan', () => {
  test('lie on one plan only, and are seen by those who see their zone', async () => {
    await make('map-a');
    await make('map-b');
    const put = (plan: string, device: string, x: number) =>
      room.ask(`/api/v1/plans/${plan}/places/${device}`, jsonBody('PUT', { x, y: 0.25 }));
    await put('map-a', 'camera-gate', 0.1);
    await put('map-a', 'meter-main', 0.2);
    const moved = (await (await put('map-b', 'camera-gate', 0.3)).json()) as PlanView;
    expect(moved.places).toEqual([{ device: 'camera-gate', x: 0.3, y: 0.25 }]);
    const guard = await room.as(['see'], ['gate']);
    const seen = (await plans(guard)).filter(({ id }) => id.startsWith('map-')).map(({ id, places }) => [id, places]);
    expect(seen).toEqual([
      ['map-a', []],
      ['map-b', [{ device: 'camera-gate', x: 0.3, y: 0.25 }]],
    ]);
    const off = await room.ask('/api/v1/plans/map-b/places/camera-gate', { method: 'DELETE' });
    expect(await off.json()).toMatchObject({ places: [] });
    expect((await room.ask('/api/v1/plans/map-b/places/camera-gate', { method: 'DELETE' })).status).toBe(404);
  });

  test('keep the view that was drawn while they stay on the plan; only those who may watch see it', async () => {
    const put = (plan: string, body: object) =>
      room.ask(`/api/v1/plans/${plan}/places/camera-gate`, jsonBody('PUT', { x: 0.3, y: 0.25, ...body }));
    const seenBy = async (ask = room.ask) =>
      (await plans(ask)).flatMap(({ places }) => places).find(({ device }) => device === 'camera-gate')?.view;
    const view = { direction: 135, angle: 70, reach: 0.12 };
    expect((await put('map-b', { view })).status).toBe(200);
    expect(await seenBy()).toEqual(view);
    await put('map-b', { x: 0.4 });
    expect(await seenBy()).toEqual(view);
    expect(await seenBy(await room.as(['see'], 'all'))).toBeUndefined();
    expect(await seenBy(await room.as(['see', 'live'], 'all'))).toEqual(view);
    await put('map-b', { view: null });
    expect(await seenBy()).toBeUndefined();
    await put('map-b', { view });
    await put('map-a', {});
    expect(await seenBy()).toBeUndefined();
    for (const bad of [{ ...view, direction: 360 }, { ...view, angle: 0 }, { ...view, reach: 2 }, { direction: 1 }]) {
      expect((await put('map-a', { view: bad })).status).toBe(400);
    }
  });

  test('of another zone are as if they were not there', async () => {
    const guard = await room.as(['see', 'devices'], ['gate']);
    const [elsewhere, nowhere] = await Promise.all(
      ['meter-main', 'no-such'].map((device) =>
        guard(`/api/v1/plans/map-a/places/${device}`, jsonBody('PUT', { x: 0, y: 0 })),
      ),
    );
    expect([elsewhere?.status, nowhere?.status]).toEqual([404, 404]);
    expect((await guard('/api/v1/plans/map-a/places/camera-gate', jsonBody('PUT', { x: 0, y: 0 }))).status).toBe(200);
  });

  test.each([[{ x: 1.01, y: 0 }], [{ x: -1, y: 0 }], [{ x: '0', y: 0 }], [{ x: 0 }], [{ x: 0, y: 0, z: 0 }]])(
    'not outside of it: %j',
    async (body) => {
      expect((await room.ask('/api/v1/plans/map-a/places/meter-main', jsonBody('PUT', body))).status).toBe(400);
    },
  );
});

describe('what is refused', () => {
  test('a script names its element and line, and leaves nothing behind', async () => {
    const before = files().length;
    const answer = await upload('/api/v1/plans?id=evil&zh=a&en=a', drawing('</text>\n<script>alert(1)</script><text>'));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: 'bad-picture',
      message: expect.stringMatching(/line 2: <script>/),
    });
    expect(files().length).toBe(before);
    expect(existsSync(join(room.data, 'plans/evil'))).toBe(false);
  });

  test.each<[string, string, string, number]>([
    ['a wrong type', drawing('x'), 'text/html', 415],
    ['JSON', '{}', 'application/json', 415],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415],
    ['SVG that says it is a PNG', drawing('x'), 'image/png', 400],
    ['nothing', '', 'image/png', 400],
    ['more than 5 MB', `${drawing('x')}${' '.repeat(5_000_001)}`, 'image/svg+xml', 413],
  ])('%s', async (_, body, type, status) => {
    expect((await upload('/api/v1/plans?id=wrong&zh=a&en=a', body, type)).status).toBe(status);
  });

  test('a picture sent to any other route is not even read', async () => {
    for (const [method, path] of [
      ['POST', '/api/v1/requests'],
      ['PATCH', '/api/v1/plans/map-a'],
      ['POST', '/api/v1/assets.csv'],
    ] as const) {
      expect((await upload(path, drawing('x'), 'image/svg+xml', method)).status, path).toBe(415);
    }
    const large = jsonBody('PATCH', { rev: 1, name: { zh: 'x'.repeat(70_000), en: '' } });
    expect((await room.ask('/api/v1/plans/map-a', large)).status).toBe(413);
  });

  test.each(['../x', '..', 'a/b', 'A', '', '%00', 'x'.repeat(64)])('the id %j', async (id) => {
    const answer = await upload(`/api/v1/plans?id=${encodeURIComponent(id)}&zh=a&en=a`, drawing('x'));
    expect(answer.status).toBe(400);
  });

  test('every way out of the folder of pictures', async () => {
    const headers = { authorization: `Bearer ${room.token}` };
    for (const id of [
      '..%2f..%2fadmin-token',
      '../../admin-token',
      '%2e%2e%2fadmin-token',
      '..%5cadmin-token',
      'x%00',
    ]) {
      const { status, body } = await rawRequest(room, `/api/v1/plans/${id}/image`, { headers });
      expect([400, 404], id).toContain(status);
      expect(body).not.toContain(room.token);
    }
  });

  test('a link in the folder is a file that no plan names: it goes, and what it points at stays', async () => {
    mkdirSync(join(room.data, 'plans'), { recursive: true });
    const victim = join(room.data, 'victim');
    writeFileSync(victim, 'stays');
    symlinkSync(victim, join(room.data, 'plans', `${'0'.repeat(64)}.svg`));
    writeFileSync(join(room.data, 'plans', 'notes.txt'), 'not ours');
    writeFileSync(join(room.data, 'plans', `${'0'.repeat(64)}.png.0123456789ab.tmp`), 'of a crash');
    await make('tidies');
    expect(existsSync(victim)).toBe(true);
    expect(files()).toContain('notes.txt');
    expect(files().filter((name) => name.startsWith('000') || name.endsWith('.tmp'))).toEqual([]);
  });

  test('whoever may only look: nothing can be put, moved or removed', async () => {
    const viewer = await room.as(['see', 'assets', 'operate', 'export']);
    const tries = await Promise.all([
      viewer('/api/v1/plans?id=x&zh=a&en=a', { method: 'POST', headers: { 'content-type': 'image/png' }, body: 'x' }),
      viewer('/api/v1/plans/map-a', jsonBody('PATCH', { rev: 1 })),
      viewer('/api/v1/plans/map-a', { method: 'DELETE' }),
      viewer('/api/v1/plans/map-a/places/meter-main', jsonBody('PUT', { x: 0, y: 0 })),
      viewer('/api/v1/plans/map-a/image', { method: 'PUT', headers: { 'content-type': 'image/png' }, body: 'x' }),
    ]);
    expect(tries.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
  });
});

test('names that would be markup elsewhere are data here', async () => {
  const name = '<img src=x onerror=alert(1)>"\'';
  const query = new URLSearchParams({ id: 'markup', zh: name, en: name });
  const answer = await upload(`/api/v1/plans?${query}`, drawing('x'));
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await answer.json()).toMatchObject({ name: { zh: name, en: name } });
});

test('a hundred plans are enough', async () => {
  const full = await startPlaceRoom();
  await using _ = full;
  const body = (n: number) => ({
    name: { zh: `${n}`, en: `${n}` },
    floor: null,
    file: `${n.toString(16).padStart(64, '0')}.svg`,
    width: 1,
    height: 1,
    order: n,
  });
  const now = Date.now();
  await full.open.append({
    documents: Array.from({ length: 100 }, (_, n) => ({
      kind: 'plan' as const,
      id: `p${n}`,
      rev: 0,
      time: now,
      who: 'person:a',
      from: '',
      why: '',
      body: body(n),
    })),
  });
  const answer = await full.ask('/api/v1/plans?id=more&zh=a&en=a', {
    method: 'POST',
    headers: { 'content-type': 'image/svg+xml' },
    body: drawing('x'),
  });
  expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([409, 'plans-full']);
  expect((await full.ask('/api/v1/plans/p1/image')).status).toBe(404);
});
