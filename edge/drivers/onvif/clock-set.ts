import type { Clock } from '#edge/runtime/clock.ts';
import type { Caller } from './caller.ts';
import { readCameraClock } from './caller.ts';
import type { Asker } from './facts-ask.ts';
import { deviceNs, schemaNs } from './facts-ask.ts';
import { child, escapeXml, text } from './soap.ts';

/** A clock that is set by hand is put right when it is off by more than this, ms (Home Assistant's figure). */
export const settable = 5_000;
/** The time in the picture must be right within 30 s (DB31/T 329): told when a camera that keeps time by itself is not. */
export const tolerable = 30_000;

export interface ClockReport {
  readonly keeps: 'ntp' | 'manual' | 'unknown';
  /** Camera minus ours, ms; after setting it, if it was set. */
  readonly skew: number;
  readonly wasSet: boolean;
  /** A clause for people, or null when all is well. */
  readonly remark: string | null;
}

export interface ClockCare {
  readonly asker: Asker;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly timeout: number;
  /** The site file's `cameras.setClocks`. */
  readonly maySet: boolean;
}

const secondsOff = (skew: number) => `${Math.abs(Math.round(skew / 1000))} s ${skew > 0 ? 'ahead' : 'behind'}`;

function dateTimeXml(time: number): string {
  const date = new Date(time);
  const clock = `<Hour>${date.getUTCHours()}</Hour><Minute>${date.getUTCMinutes()}</Minute><Second>${date.getUTCSeconds()}</Second>`;
  const day = `<Year>${date.getUTCFullYear()}</Year><Month>${date.getUTCMonth() + 1}</Month><Day>${date.getUTCDate()}</Day>`;
  return `<UTCDateTime><Time xmlns="${schemaNs}">${clock}</Time><Date xmlns="${schemaNs}">${day}</Date></UTCDateTime>`;
}

/** Looks at the camera's clock, and puts it right where that is asked for: by hand only what is kept by hand, never an NTP clock. */
export async function careForClock(care: ClockCare, signal: AbortSignal): Promise<ClockReport> {
  const { asker, caller, clock, timeout, maySet } = care;
  const path = asker.devicePath;
  const answer = await asker.tryAsk({ path, body: `<GetSystemDateAndTime xmlns="${deviceNs}"/>` }, signal);
  const time = child(answer, 'SystemDateAndTime');
  const word = text(time, 'DateTimeType').toLowerCase();
  const keeps = word === 'manual' ? 'manual' : word === 'ntp' ? 'ntp' : 'unknown';
  if (answer !== null) await readCameraClock(caller, clock, { path, timeout, signal });
  const skew = caller.skew ?? 0;
  const off = Math.abs(skew);
  if (keeps === 'manual' && off > settable) {
    if (!maySet) {
      const remark = `its clock is ${secondsOff(skew)} and is set by hand (setClocks is off)`;
      return { keeps, skew, wasSet: false, remark };
    }
    return setClock(care, { time, skew }, signal);
  }
  const how = keeps === 'ntp' ? 'though it keeps time by NTP' : 'and it does not say how it keeps time';
  const remark = off > tolerable ? `its clock is ${secondsOff(skew)} ${how}` : null;
  return { keeps, skew, wasSet: false, remark };
}

async function setClock(
  { asker, caller, clock, timeout }: ClockCare,
  { time, skew }: { time: unknown; skew: number },
  signal: AbortSignal,
): Promise<ClockReport> {
  const path = asker.devicePath;
  const zone = text(time, 'TimeZone', 'TZ').slice(0, 64);
  const daylight = text(time, 'DaylightSavings') === 'true';
  const zoneXml = zone === '' ? '' : `<TimeZone><TZ xmlns="${schemaNs}">${escapeXml(zone)}</TZ></TimeZone>`;
  const body =
    `<SetSystemDateAndTime xmlns="${deviceNs}"><DateTimeType>Manual</DateTimeType>` +
    `<DaylightSavings>${daylight}</DaylightSavings>${zoneXml}${dateTimeXml(clock.now() + 500)}</SetSystemDateAndTime>`;
  const done = await asker.tryAsk({ path, body }, signal);
  await readCameraClock(caller, clock, { path, timeout, signal });
  const left = caller.skew ?? 0;
  const isRight = Math.abs(left) <= settable;
  const was = `its clock was ${secondsOff(skew)}`;
  const remark = isRight ? null : `${was} and could not be set${done === null ? ': the camera refuses' : ''}`;
  return { keeps: 'manual', skew: left, wasSet: isRight, remark };
}
