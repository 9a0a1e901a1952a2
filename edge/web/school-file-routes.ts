import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { parseHolidayYear } from '#edge/school/holidays.ts';
import { bellsToCalendar, daysToCalendar } from '#edge/school/ics-export.ts';
import { importCalendar } from '#edge/school/ics-import.ts';
import { actorOf } from './access.ts';
import { problems } from './schemas.ts';
import type { SchoolViews } from './school-desk.ts';
import { spanOf } from './school-plan-routes.ts';
import { calendarQuery, importBody, importView, yearBody, yearsView } from './school-schemas.ts';
import type { App, CampusView } from './server.ts';

const tags = ['school'];
const mostDays = 366;
/** Bells have an event each. */
const mostBellDays = 62;
const calendarFile = {
  ...problems(400, 404, 503),
  200: { description: 'the calendar', content: { 'text/calendar': { schema: z.string() } } },
};

/** Calendars for others and from others, and the official holidays of a year. */
export function addSchoolFileRoutes(app: App, { site, rpc }: CampusView, views: SchoolViews, clock: Clock): void {
  const head = (language: 'zh' | 'en') => ({
    ...{ name: site.campus.name[language], language, host: `${site.campus.id}.campus`, now: clock.now() },
  });
  const attachment = (name: string) => `attachment; filename="${name}"`;

  app.get(
    '/api/v1/school/days.ics',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'What the days of a layer are, as a calendar (iCalendar)',
        querystring: calendarQuery,
        response: calendarFile,
      },
    },
    async (request, reply) => {
      const { of, layer, language } = request.query;
      const { from, to } = spanOf(views, request.query, mostDays);
      const { plan } = views.planOn(of, from);
      if (plan === null) throw new CodedError('RELEASE_NOT_FOUND', `nothing is signed for ${from}`);
      if (!plan.layers.has(layer)) throw new CodedError('LAYER_NOT_FOUND', `the plan has no layer "${layer}"`);
      return reply
        .type('text/calendar; charset=utf-8')
        .header('content-disposition', attachment(`school-days-${from}.ics`))
        .send(daysToCalendar(plan, layer, from, to, head(language)));
    },
  );

  app.get(
    '/api/v1/school/bells.ics',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'What happens on these days in one’s zones, as a calendar (iCalendar)',
        querystring: calendarQuery,
        response: calendarFile,
      },
    },
    async (request, reply) => {
      const { of, language } = request.query;
      const { from, to } = spanOf(views, request.query, mostBellDays);
      const days = await views.days(of, from, to, views.scopeOf(request));
      const occurrences = days.flatMap((day) => day.occurrences);
      return reply
        .type('text/calendar; charset=utf-8')
        .header('content-disposition', attachment(`school-bells-${from}.ics`))
        .send(bellsToCalendar(occurrences, head(language)));
    },
  );

  app.post(
    '/api/v1/school/calendar-import',
    {
      config: { access: 'school' },
      bodyLimit: 1_600_000,
      schema: {
        tags,
        summary: 'Reads somebody’s calendar (iCalendar) and answers the days that could be painted; nothing is kept',
        body: importBody,
        response: { ...problems(400, 413), 200: importView },
      },
    },
    (request) => {
      const { text, layer, ...asked } = request.body;
      const { from, to } = spanOf(views, asked, 800);
      return importView.parse(importCalendar(text, { layer, timeZone: site.campus.timeZone, from, to }));
    },
  );

  app.get(
    '/api/v1/school/years',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary:
          'Official holidays and make-up days by year, with their source; a year that is not here is unconfirmed',
        response: { ...problems(503), 200: yearsView },
      },
    },
    () => yearsView.parse(views.years()),
  );

  app.post(
    '/api/v1/school/years',
    {
      config: { access: 'system', wholeCampus: true },
      bodyLimit: 200_000,
      schema: {
        tags,
        summary: 'Brings in the official holidays of a year: it takes the place of what was known of that year',
        body: yearBody,
        response: { ...problems(400, 409, 503), 200: yearsView },
      },
    },
    async (request) => {
      const { year: file, why } = request.body;
      const { year, mistakes } = parseHolidayYear(file);
      if (year === undefined) {
        const list = mistakes.slice(0, 20).map(({ path, code }) => `${path}: ${code}`);
        throw new CodedError('BAD_YEAR', `this is no year of holidays: ${list.join('; ')}`);
      }
      await rpc.call('school.year', { year, why, ...actorOf(request) });
      return yearsView.parse(views.years());
    },
  );
}
