import type { Clock } from '#edge/runtime/clock.ts';
import type { School, SchoolMeterName } from './meter-campus.ts';
import { createCjt188Meter } from './meter-cjt188.ts';
import type { ExactCounter } from './meter-counter.ts';
import { createDlt645Meter } from './meter-dlt645.ts';
import { type LineMeter, type MeterLine, startMeterLine } from './meter-line.ts';

/*
 * The school's meters of the Chinese protocols: one RS-485 line behind a serial server, as they hang in most schools. They come
 * with 2400 8E1; three meters whose every value is wanted every few seconds need more, so whoever hung these set them to 9600.
 */

/** 12 digits for DL/T 645; 14 for CJ/T 188, the maker's code first. */
export const serialMeters = {
  airConditioning: '202611000101',
  motive: '202611000102',
  streetLights: '202611000103',
  waterMain: '78332026110001',
  waterDormitory: '78332026110002',
} as const;

/** Of the relays in the three electricity meters. */
export const relayPassword = '123456';

export interface SerialCampusOptions {
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  readonly school: School;
  /** Default 9,600; null: no pace, for tests. */
  readonly baud?: number | null;
}

/** Nobody hears a meter without power, and what it answers is of now. */
function ofNow(meter: LineMeter, school: School, isDead: () => boolean, after?: () => void): LineMeter {
  const hear = (frame: Buffer) => {
    school.advance();
    if (isDead()) return null;
    const answer = meter.hear(frame);
    after?.();
    return answer;
  };
  return { ...meter, hear };
}

export async function startSerialCampus({
  clock,
  host,
  port,
  school,
  baud = 9_600,
}: SerialCampusOptions): Promise<MeterLine> {
  const electric = (address: string, name: Exclude<SchoolMeterName, 'main'>) => {
    const face = school.meters[name];
    const meter = createDlt645Meter({ clock, address, model: 'DTSY-100', face, password: relayPassword });
    return ofNow(
      meter,
      school,
      () => face.isDead,
      () => school.feed(name, meter.relay() === 'closed'),
    );
  };
  const water = (address: string, counter: ExactCounter, settled: () => number) =>
    ofNow(
      createCjt188Meter({
        clock,
        type: 0x10,
        address,
        face: { volume: () => counter.shown(clock.now()), settled },
        hasValve: true,
      }),
      school,
      () => counter.isDead,
    );
  return await startMeterLine({
    host,
    port,
    baud,
    meters: [
      electric(serialMeters.airConditioning, 'air-conditioning'),
      electric(serialMeters.motive, 'motive'),
      electric(serialMeters.streetLights, 'street-lights'),
      water(serialMeters.waterMain, school.water.main, () => school.waterSettled.main),
      water(serialMeters.waterDormitory, school.water.dormitory, () => school.waterSettled.dormitory),
    ],
  });
}
