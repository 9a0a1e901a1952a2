import { z } from 'zod';
import type { LocalDate } from '#edge/domain/school.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { addDays, daysBetween } from '#edge/school/dates.ts';
import { nameOfReason } from '#edge/school/in-force.ts';
import { actorOf } from './access.ts';
import { problems } from './schemas.ts';
import type { SchoolViews } from './school-desk.ts';
import {
  compareQuery,
  compareView,
  overrideBody,
  overrideView,
  planQuery,
  planView,
  releaseFull,
  releaseView,
  signBody,
  whyBody,
} from './school-schemas.ts';
import type { App, CampusView } from './server.ts';

const tags = ['school'];
const id = z.object({ id: z.string().regex(/^[a-z0-9-]{1,80}$/, 'must be an id') });
/** What is signed without saying for how long, days. */
const usualDays = 14;
/** Days of a plan in one answer, and those of a comparison. */
const mostDays = 62;
const mostCompared = 366;

/** `from` to `to`; without them today and the two weeks from it. Throws BAD_TIME. */
export function spanOf(
  views: Pick<SchoolViews, 'today'>,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  most: number,
): { readonly from: LocalDate; readonly to: LocalDate } {
  const first = from ?? views.today();
  const last = to ?? addDays(first, usualDays - 1);
  if (last < first || daysBetween(first, last) >= most)
    throw new CodedError('BAD_TIME', `from and to are days in this order, at most ${most} of them`);
  return { from: first, to: last };
}

export function addSchoolPlanRoutes(app: App, campus: CampusView, views: SchoolViews, clock: Clock): void {
  addPlanRoutes(app, views);
  addReleaseRoutes(app, campus, views);
  addOverrideRoutes(app, campus, views, clock);
}

function addPlanRoutes(app: App, views: SchoolViews): void {
  app.get(
    '/api/v1/school/plan',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary:
          'Each day of a plan: what it is for every layer, what happens and why, what cannot be meant, what is assumed',
        description: '`of`: `draft`, `signed`, or the id of a release. Without days: today and the two weeks from it.',
        querystring: planQuery,
        response: { ...problems(400, 404, 503), 200: planView },
      },
    },
    async (request) => {
      const { of, power } = request.query;
      const { from, to } = spanOf(views, request.query, mostDays);
      const days = await views.days(of, from, to, views.scopeOf(request), power ? 'all' : 'bells');
      const assumed = views.assumptions(of, from, to).map((reason) => ({ name: nameOfReason(reason), reason }));
      return planView.parse({ of, days, assumptions: assumed });
    },
  );

  app.get(
    '/api/v1/school/compare',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'What differs between two plans, by day: by default between what is signed and the draft',
        querystring: compareQuery,
        response: { ...problems(400, 404, 503), 200: compareView },
      },
    },
    async (request) => {
      const { before, after } = request.query;
      const span = spanOf(views, request.query, mostCompared);
      return compareView.parse({ days: await views.compare(span, before, after, views.scopeOf(request)) });
    },
  );
}

function addReleaseRoutes(app: App, { rpc }: CampusView, views: SchoolViews): void {
  app.get(
    '/api/v1/school/releases',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'What was signed, the newest first: of several that hold for a day the newest runs',
        response: { ...problems(503), 200: z.array(releaseView) },
      },
    },
    () => views.releases().map(({ entries: _, ...release }) => releaseView.parse(release)),
  );

  app.get(
    '/api/v1/school/releases/:id',
    {
      config: { access: 'see', wholeCampus: true },
      schema: {
        tags,
        summary: 'A signed plan with its entries, as the draft was then',
        params: id,
        response: { ...problems(400, 404, 503), 200: releaseFull },
      },
    },
    (request) => releaseFull.parse(views.release(request.params.id)),
  );

  app.post(
    '/api/v1/school/releases',
    {
      config: { access: 'sign', wholeCampus: true },
      bodyLimit: 400_000,
      schema: {
        tags,
        summary: 'Signs the draft as it was seen (`revs`) for a time, by default two weeks from today',
        description:
          '409 document-changed: the draft is another by now; school-mistakes: it has mistakes; school-unconfirmed: the message names what must be accepted.',
        body: signBody,
        response: { ...problems(400, 409, 503), 200: releaseView },
      },
    },
    async (request) => {
      const { from, to, ...wish } = request.body;
      const span = spanOf(views, { from, to }, 32);
      const params = { ...wish, first: span.from, last: span.to, ...actorOf(request) };
      return releaseView.parse(await rpc.call('school.sign', params));
    },
  );

  app.post(
    '/api/v1/school/releases/:id/undo',
    {
      config: { access: 'sign', wholeCampus: true },
      schema: {
        tags,
        summary: 'Takes a signature back: what was signed before it holds again',
        params: id,
        body: whyBody,
        response: { ...problems(400, 404, 409, 503), 200: releaseView },
      },
    },
    async (request) => {
      const params = { id: request.params.id, ...request.body, ...actorOf(request) };
      return releaseView.parse(await rpc.call('school.undo', params));
    },
  );
}

function addOverrideRoutes(app: App, { rpc }: CampusView, views: SchoolViews, clock: Clock): void {
  const isMine = (what: z.infer<typeof overrideBody>['what'], covers: (zone: string) => boolean) =>
    what.kind === 'quiet' && what.zones.length > 0 && what.zones.every(covers);

  app.get(
    '/api/v1/school/overrides',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'What people said for a while (rain, quiet, something left out or later), those that are over too',
        response: { ...problems(503), 200: z.array(overrideView) },
      },
    },
    () => [...views.overrides()].sort((a, b) => b.from - a.from).map((one) => overrideView.parse(one)),
  );

  app.post(
    '/api/v1/school/overrides',
    {
      config: { access: 'school' },
      schema: {
        tags,
        summary: 'Says something for a while: in force at once, and it ends by itself',
        description: 'Those who see some zones only may say that it is quiet in these.',
        body: overrideBody,
        response: { ...problems(400, 404, 409, 503), 200: overrideView },
      },
    },
    async (request) => {
      const { from, ...wish } = request.body;
      const scope = views.scopeOf(request);
      if (!scope.isWhole && !isMine(wish.what, scope.covers))
        throw new CodedError('FORBIDDEN', 'this reaches beyond the zones of whoever asks');
      const params = { ...wish, since: from ?? clock.now(), ...actorOf(request) };
      return overrideView.parse(await rpc.call('school.override', params));
    },
  );

  app.post(
    '/api/v1/school/overrides/:id/end',
    {
      config: { access: 'school' },
      schema: {
        tags,
        summary: 'Ends it now',
        params: id,
        body: whyBody,
        response: { ...problems(400, 404, 409, 503), 200: overrideView },
      },
    },
    async (request) => {
      const scope = views.scopeOf(request);
      const one = views.overrides().find((known) => known.id === request.params.id);
      if (one === undefined || !(scope.isWhole || isMine(overrideView.shape.what.parse(one.what), scope.covers)))
        throw new CodedError('OVERRIDE_NOT_FOUND', `there is no exception "${request.params.id}"`);
      const params = { id: one.id, ...request.body, ...actorOf(request) };
      return overrideView.parse(await rpc.call('school.override.end', params));
    },
  );
}
