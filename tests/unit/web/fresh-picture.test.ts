import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { FreshPictures } from '#edge/web/fresh-picture.ts';

const folder = mkdtempSync(join(tmpdir(), 'fresh-picture-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const now = Date.UTC(2026, 10, 22, 6);
const clock = new ManualClock(now);
const pictures = new FreshPictures(clock);
const eventOf = (age: number) => newHappeningId(new ManualClock(now - age));

async function take(path: string, event: string): Promise<string | null> {
  const picture = await pictures.open(path, event);
  if (picture === null) return null;
  await using _ = picture;
  return picture.readFile('utf8');
}

test('a picture that is there is given at once, however old', async () => {
  const path = join(folder, 'there.jpg');
  writeFileSync(path, 'picture');
  expect(await take(path, eventOf(0))).toBe('picture');
  expect(await take(path, eventOf(86_400_000))).toBe('picture');
});

test('one that is just being taken is waited for, by all who want it, and comes whole', async () => {
  const path = join(folder, 'soon.jpg');
  const event = eventOf(50);
  const taken = Promise.all([take(path, event), take(path, event), take(path, event)]);
  await delay(100);
  await writeFile(`${path}.part`, 'half');
  await writeFile(`${path}.part`, 'whole');
  await rename(`${path}.part`, path);
  expect(await taken).toEqual(['whole', 'whole', 'whole']);
});

test('one that does not come is not waited for longer than a browser may hold its connection', async () => {
  const began = performance.now();
  expect(await take(join(folder, 'never.jpg'), eventOf(50))).toBeNull();
  expect(performance.now() - began).toBeGreaterThan(800);
});

test('of an event of before, of another clock or of no id at all it is known at once', async () => {
  const path = join(folder, 'none.jpg');
  for (const event of [eventOf(10_000), eventOf(-3_600_000), 'no-id']) {
    const began = performance.now();
    expect(await take(path, event)).toBeNull();
    expect(performance.now() - began).toBeLessThan(500);
  }
});
