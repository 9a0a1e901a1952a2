import { z } from 'zod';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Reader } from '#edge/store/reader.ts';
import { principalOf } from './access.ts';
import { alarmPages } from './alarm-pages.ts';
import { AlarmFigures, type AlarmReport } from './alarm-report.ts';
import { alarmReportSchema } from './rule-schemas.ts';
import { problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

const day = 86_400_000;
const longest = 400 * day;
/** What one report counts; of a longer past, the latest. */
const mostAlarms = 500_000;
/** Reports that are being counted at a time; who asks for the same has the same. */
const mostAtOnce = 4;

const query = z.object({
  /** Default: 30 days before `to`. */
  from: z.coerce.number().int().min(0).optional(),
  /** Default, and at the latest: now. */
  to: z.coerce.number().int().min(1).optional(),
});

/** How well the alarms of one's zones serve those who must act on them. */
export function addAlarmReportRoute(app: App, { site, reader }: CampusView, clock: Clock): void {
  const scopeOf = createScopes(site.devices);
  const underWay = new Map<string, Promise<AlarmReport>>();

  const ask = (scope: Scope, from: number, to: number): Promise<AlarmReport> => {
    const key = `${scope.key} ${from} ${to}`;
    const same = underWay.get(key);
    if (same !== undefined) return same;
    if (underWay.size >= mostAtOnce) {
      throw new CodedError('TOO_MANY_REQUESTS', 'several reports of alarms are being counted already: ask again soon');
    }
    const report = countAlarms(reader, scope, from, to, clock.now()).finally(() => underWay.delete(key));
    underWay.set(key, report);
    return report;
  };

  app.get(
    '/api/v1/alarms/report',
    {
      config: { access: 'see' },
      schema: {
        tags: ['alarms'],
        summary: 'How many alarms there were, against what people can manage (EEMUA 191, ISA-18.2)',
        description:
          'Raised from (included) to (excluded), at most 400 days. Beyond 500,000 alarms the latest are counted, and `from` says since when.',
        querystring: query,
        response: { ...problems(400, 429, 503), 200: alarmReportSchema },
      },
    },
    async (request) => {
      const to = Math.min(request.query.to ?? Number.MAX_SAFE_INTEGER, clock.now());
      const { from = Math.max(0, to - 30 * day) } = request.query;
      if (from >= to) throw new CodedError('BAD_RANGE', '"from" must be before "to", and in the past');
      if (to - from > longest) throw new CodedError('BAD_RANGE', 'a report covers at most 400 days');
      return ask(scopeOf(principalOf(request)), from, to);
    },
  );
}

export async function countAlarms(
  reader: Pick<Reader, 'alarms'>,
  scope: Pick<Scope, 'zones' | 'seesAlarm'>,
  from: number,
  to: number,
  now: number,
): Promise<AlarmReport> {
  const open: Alarm[] = [];
  // One for each source at most, so their number is bounded by the configuration.
  for await (const page of alarmPages(reader, scope, { open: true })) open.push(...page);
  const figures = new AlarmFigures(from, to);
  let counted = 0;
  for await (const page of alarmPages(reader, scope, { from, to })) {
    for (const alarm of page) figures.add(alarm);
    counted += page.length;
    if (counted >= mostAlarms) {
      figures.begin(page.at(-1)?.raised ?? from);
      break;
    }
  }
  return figures.report(open, now);
}
