import { connectAsync } from 'mqtt';
import { expect, test, vi } from 'vitest';
import type { RuleDecision } from '#edge/domain/rule.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { RehearsalView } from '#edge/web/rehearsals.ts';
import { startCampus } from './campus.ts';

/* A rule runs on a real campus; then its own past is rehearsed, and has to tell the same story. */

const both = (text: string) => ({ zh: text, en: text });
const rule = {
  rule: 1,
  id: 'stuffy',
  name: both('stuffy'),
  kind: 'comfort',
  when: {
    kind: 'any',
    conditions: [
      { kind: 'point', points: 'air-201/co2', test: { above: 1_000, hysteresis: 100 }, for: '700ms' },
      { kind: 'count', of: { points: 'air-201/pm2_5', becomes: { above: 75 } }, atLeast: 2, within: '4s' },
    ],
  },
  clearAfter: '300ms',
  then: [
    { kind: 'hold', outputs: 'relay-1/relay_2', value: true, for: '1min' },
    { kind: 'alarm', class: 'low', message: both('stuffy'), next: both('open a window') },
  ],
};

/** Both go by received times; what lies between hearing and judging, and a timer that is late on a busy machine, ms. */
const tolerance = 400;

test('the past of a rule that ran, rehearsed, agrees with what it really did', async () => {
  const began = systemClock.now();
  await using campus = await startCampus({
    only: ['web', 'fieldbus'],
    city: false,
    onlyRules: { stuffy: rule },
  });
  await vi.waitFor(() => campus.get('rules'), { timeout: 60_000, interval: 200 });
  const sensor = await connectAsync({
    host: '127.0.0.1',
    port: campus.site.mqtt.port,
    username: 'air-201',
    password: campus.passwords['air-201'] ?? '',
    clientId: 'air-201',
  });
  const journal = async () => {
    const lines = await campus.get<RuleDecision[]>('rules/stuffy/journal?limit=100');
    return lines.filter(({ what }) => what === 'fired' || what === 'cleared').reverse();
  };
  const say = (co2: number, pm = 20) =>
    sensor.publishAsync(
      'v1/in/air-201/samples',
      JSON.stringify({
        s: [
          ['co2', co2],
          ['pm2_5', pm],
        ],
      }),
      { qos: 1 },
    );
  /** The sensor tells its last values again every 5 s, as sensors do; what is unchanged turns nothing. */
  const fired = async (count: number, ...last: Parameters<typeof say>) => {
    let told = systemClock.monotonic();
    await vi.waitFor(
      async () => {
        if (systemClock.monotonic() - told > 5_000) {
          told = systemClock.monotonic();
          console.warn(`decision ${count} is late: the sensor tells ${last.join(', ')} again`);
          await say(...last);
        }
        const processes = campus.status('core');
        expect(await journal(), `core: ${JSON.stringify(processes)}`).toHaveLength(count);
      },
      { timeout: 45_000, interval: 50 },
    );
  };
  try {
    await say(600);
    await say(1_400); // long enough
    await fired(1, 1_400);
    await say(950); // within the hysteresis: stays
    await say(850);
    await fired(2, 850);
    await say(1_300); // too short
    await say(700);
    await say(700, 90); // twice within four seconds
    await say(700, 20);
    await say(700, 95);
    await fired(3, 700, 95);
    await say(700, 10);
    await fired(4, 700, 10);
  } finally {
    await sensor.endAsync();
  }
  const lived = await journal();
  const { id } = await campus.post<RehearsalView>('rehearsals', {
    rule: 'stuffy',
    version: 1,
    from: began,
    to: systemClock.now() + 1_000,
    against: null,
  });
  const found = await vi.waitFor(
    async () => {
      const view = await campus.get<RehearsalView>(`rehearsals/${id}`);
      expect(view.message).toBe('');
      expect(view.state).toBe('done');
      return view;
    },
    { timeout: 60_000, interval: 200 },
  );
  const told = (found.draft?.spans ?? []).flatMap(({ from, to }) => [
    { what: 'fired', time: from },
    ...(to === null ? [] : [{ what: 'cleared', time: to }]),
  ]);
  expect(told.map(({ what }) => what)).toEqual(lived.map(({ what }) => what));
  const apart = lived.map(({ time }, i) => Math.abs(time - (told[i]?.time ?? 0)));
  console.log(`rehearsal and life: ${told.length} decisions, at most ${Math.max(...apart)} ms apart`);
  expect(Math.max(...apart)).toBeLessThan(tolerance);
  expect(found.draft).toMatchObject({ version: 1, fired: 2, alarms: { low: 2 } });
  expect(found.draft?.outputs).toMatchObject([{ ref: 'relay-1/relay_2', switched: 2 }]);
});
