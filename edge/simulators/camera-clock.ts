import type { Clock } from '#edge/runtime/clock.ts';
import { element, xmlText } from './camera-soap.ts';

/** The clock of the simulated camera: ours and a distance, which SetSystemDateAndTime changes. */
export class CameraClock {
  readonly #clock: Clock;
  readonly #utcOffsetMinutes: number;
  /** Whether it says that it keeps time by NTP. */
  keeps: 'NTP' | 'Manual';
  /** ms ahead of the true time. */
  offset: number;

  constructor(clock: Clock, options: { keeps: 'NTP' | 'Manual'; offset: number; utcOffsetMinutes: number }) {
    this.#clock = clock;
    this.keeps = options.keeps;
    this.offset = options.offset;
    this.#utcOffsetMinutes = options.utcOffsetMinutes;
  }

  get now(): number {
    return this.#clock.now() + this.offset;
  }

  /** @param time what it believes now: a fault may have its own idea. */
  read(time: number): string {
    return (
      `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>${this.keeps}</tt:DateTimeType>` +
      '<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone>' +
      `${dateTime('UTCDateTime', time)}${dateTime('LocalDateTime', time + this.#utcOffsetMinutes * 60_000)}` +
      '</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>'
    );
  }

  answer(operation: string, xml: string): string | { subcode: string; reason: string } | null {
    if (operation === 'GetNTP') {
      return (
        '<tds:GetNTPResponse><tds:NTPInformation><tt:FromDHCP>false</tt:FromDHCP><tt:NTPManual><tt:Type>DNS</tt:Type>' +
        `<tt:DNSname>${xmlText('ntp.invalid')}</tt:DNSname></tt:NTPManual></tds:NTPInformation></tds:GetNTPResponse>`
      );
    }
    if (operation !== 'SetSystemDateAndTime') return null;
    const type = element(xml, 'DateTimeType');
    if (type !== 'NTP' && type !== 'Manual') return { subcode: 'ter:InvalidArgVal', reason: 'Invalid DateTimeType' };
    const [year, month, day, hour, minute, second] = ['Year', 'Month', 'Day', 'Hour', 'Minute', 'Second'].map((name) =>
      Number(element(xml, name) || Number.NaN),
    );
    this.keeps = type;
    if (type === 'Manual') {
      const told = Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour, minute, second);
      if (Number.isNaN(told)) return { subcode: 'ter:InvalidDateTime', reason: 'Invalid date and time' };
      this.offset = told - this.#clock.now();
    }
    return '<tds:SetSystemDateAndTimeResponse/>';
  }
}

function dateTime(name: string, time: number): string {
  const date = new Date(time);
  const [h, m, s] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  return (
    `<tt:${name}><tt:Time><tt:Hour>${h}</tt:Hour><tt:Minute>${m}</tt:Minute><tt:Second>${s}</tt:Second></tt:Time>` +
    `<tt:Date><tt:Year>${year}</tt:Year><tt:Month>${month}</tt:Month><tt:Day>${day}</tt:Day></tt:Date></tt:${name}>`
  );
}
