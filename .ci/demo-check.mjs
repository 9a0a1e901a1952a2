// What a newcomer must see within 30 s of `npm start`: live values, camera events with pictures, an alarm, city
// summaries. Plain JavaScript for any Node >= 20. Usage: node demo-check.mjs <data folder> [seconds]
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const [data, seconds = '30'] = process.argv.slice(2);
const started = performance.now();
const edge = 'http://127.0.0.1:8080/api/v1';
const city = 'http://127.0.0.1:8090/api/v1';

async function get(base, path, folder = data) {
  const token = (await readFile(join(folder, 'admin-token'), 'utf8')).trim();
  const response = await fetch(`${base}/${path}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response;
}
const json = async (...request) => (await get(...request)).json();

const checks = {
  'live values of every protocol': async () => {
    const points = new Map((await json(edge, 'points')).map((point) => [point.id, point]));
    const wanted = [
      'meter-main/power',
      'meter-dorm/power',
      'relay-1/relay_1',
      'camera-gate/online',
      'climate-101/temperature',
      'plug-1/power',
      'air-301/co2',
      'air-201/co2',
    ];
    const missing = wanted.filter((id) => points.get(id)?.quality !== 'good');
    if (missing.length > 0)
      throw new Error(missing.map((id) => `${id} is ${points.get(id)?.quality} ${points.get(id)?.reason}`).join(', '));
    return true;
  },
  'a camera event with its picture': async () => {
    const event = (await json(edge, 'events?newest=true')).find(({ snapshot }) => snapshot !== undefined);
    const picture = event && (await get(edge, `events/${event.id}/snapshot`));
    return picture?.headers.get('content-type') === 'image/jpeg';
  },
  'an alarm': async () => (await json(edge, 'alarms')).length > 0,
  'summaries at the city': async () => {
    const folder = join(data, 'city');
    const { campuses } = await json(city, 'campuses', folder);
    const answer = await json(
      city,
      `campuses/${campuses[0].id}/summaries?from=${Date.now() - 3_600_000}&to=${Date.now() + 60_000}`,
      folder,
    );
    return (answer.points ?? answer.series ?? []).length > 0;
  },
};

const waiting = new Set(Object.keys(checks));
let problem = '';
while (waiting.size > 0 && performance.now() - started < Number(seconds) * 1000) {
  for (const name of waiting) {
    try {
      if (await checks[name]()) {
        waiting.delete(name);
        console.log(`demo: ${name} after ${((performance.now() - started) / 1000).toFixed(1)} s`);
      }
    } catch (error) {
      problem = `${name}: ${error.message}`;
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 250));
}
if (waiting.size > 0) {
  console.error(`demo: not seen within ${seconds} s: ${[...waiting].join(', ')}${problem && ` (${problem})`}`);
  process.exit(1);
}
