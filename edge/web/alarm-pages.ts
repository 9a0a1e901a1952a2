import { setImmediate } from 'node:timers/promises';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { AlarmFilter, Reader } from '#edge/store/reader.ts';
import type { Scope } from './scope.ts';

/** Rows read at a time: about 5 ms of this process on a small machine. */
const pageSize = 500;

export type AlarmQuestion = Partial<Pick<AlarmFilter, 'open' | 'device' | 'from' | 'to' | 'before'>>;

/** Alarms of one's zones, latest raised first, page by page; others have their turn between two pages. */
export async function* alarmPages(
  reader: Pick<Reader, 'alarms'>,
  { zones, seesAlarm }: Pick<Scope, 'zones' | 'seesAlarm'>,
  question: { readonly [K in keyof AlarmQuestion]: AlarmQuestion[K] | undefined },
): AsyncGenerator<readonly Alarm[], void, undefined> {
  const { open, device, from, to, before: cursor } = question;
  const asked = {
    ...(open === undefined ? {} : { open }),
    ...(device === undefined ? {} : { device }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(zones === undefined ? {} : { zones }),
    limit: pageSize,
  };
  for (let before = cursor; ; await setImmediate()) {
    const page = reader.alarms({ ...asked, ...(before === undefined ? {} : { before }) });
    // By where its device is now, whatever zone it had when the alarm was raised.
    yield page.filter(seesAlarm);
    if (page.length < pageSize) return;
    before = page.at(-1)?.id;
  }
}
