import { energyPlanOf } from '#edge/energy/plan.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { createClockSync } from '#edge/runtime/clock-sync.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { outboxLanes } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import { principalOf } from './access.ts';
import { createEnergyToday } from './energy.ts';
import { createLocalTime, type LocalTime } from './local-time.ts';
import { energySchema } from './place-schemas.ts';
import { problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';
import { type NowView, nowSchema } from './system-schemas.ts';

/** The first screen of the day: the clock, what kind of day it is, the bridge, today's energy. */
export function addOverviewRoutes(app: App, campus: CampusView, clock: Clock): void {
  const { site, devices, reader } = campus;
  const scopeOf = createScopes(site.devices);
  const localTime = createLocalTime(site.campus.timeZone);
  const clockSync = createClockSync({ clock });
  const { plan } = energyPlanOf(site.energy, devices);
  const energyToday = createEnergyToday({ reader, devices, plan, localTime, clock });

  app.get(
    '/api/v1/now',
    {
      config: { access: 'signed-in' },
      schema: {
        tags: ['live'],
        summary: 'The clock and whether anybody sets it, the kind of day, and what waits for the city',
        description: '`bridge` is told to those who see the whole campus; to others it is null.',
        response: { ...problems(503), 200: nowSchema },
      },
    },
    async (request) => {
      const time = clock.now();
      const { synchronised } = await clockSync();
      const hasBridge = site.city !== undefined && scopeOf(principalOf(request)).isWhole;
      return {
        time,
        timeZone: site.campus.timeZone,
        clockSynchronised: synchronised,
        day: { open: campus.isOpen(time), why: whyOf(site.openingHours.exceptions, localTime, time) },
        mode: 'normal' as const,
        bridge: hasBridge ? backlogOf(reader, time) : null,
      };
    },
  );

  app.get(
    '/api/v1/energy/today',
    {
      config: { access: 'see' },
      schema: {
        tags: ['history'],
        summary: 'Energy of each meter since midnight, up to the same time a week ago, and the base of the night',
        description: 'From hourly buckets; at most 30 s old. kW.h and kW; null where it cannot be known.',
        response: { ...problems(503), 200: energySchema },
      },
    },
    async (request) => {
      const scope = scopeOf(principalOf(request));
      return { meters: (await energyToday()).filter(({ ref }) => scope.seesRef(ref)) };
    },
  );
}

function whyOf(
  exceptions: CampusView['site']['openingHours']['exceptions'],
  localTime: LocalTime,
  time: number,
): NowView['day']['why'] {
  const { date, day } = localTime.date(time);
  if (exceptions.some((exception) => exception.date === date)) return 'exception';
  return day > 5 ? 'weekend' : 'weekday';
}

/** Rows that the city has not taken yet, over all lanes, and the age of the oldest. */
function backlogOf(reader: Pick<Reader, 'outboxState' | 'outbox'>, now: number): NowView['bridge'] {
  try {
    const lanes = reader.outboxState();
    const waiting = outboxLanes.map((lane) => {
      const { head, min, watermark } = lanes[lane];
      const taken = Math.max(watermark, min - 1);
      const first = head > taken ? reader.outbox(lane, taken, 1)[0] : undefined;
      return { rows: head - taken, age: first === undefined ? 0 : Math.max(0, now - first.time) };
    });
    const backlog = waiting.reduce((total, { rows }) => total + rows, 0);
    return { backlog, oldest: backlog === 0 ? null : Math.max(...waiting.map(({ age }) => age)) };
  } catch (error) {
    // Nothing was ever stored, so nothing waits.
    if (codeOf(error) === 'STORE_NOT_READY') return { backlog: 0, oldest: null };
    throw error;
  }
}
