import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import { slugPattern } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { tariffOn } from '#edge/energy/cost.ts';
import { periodAt, remembering } from '#edge/energy/local-days.ts';
import { energyPlanOf } from '#edge/energy/plan.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import { createEnergyCore, demandView } from './energy-core.ts';
import { EnergyDesk } from './energy-desk.ts';
import { findMeter } from './energy-meter-page.ts';
import { planView } from './energy-plan-view.ts';
import {
  type EnergyNowView,
  type EnergyReportView,
  energyMeterPageSchema,
  energyNowSchema,
  energyPeriodQuery,
  energyPlanSchema,
  energyReportSchema,
  findingSchema,
} from './energy-schemas.ts';
import { planFor } from './energy-scope.ts';
import type { LiveState } from './live.ts';
import { createLocalTime } from './local-time.ts';
import { problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

/** How long an answer holds, ms: about now, of a period that runs, of one that is over (readings may still come late). */
const keep = { now: 5_000, running: 30_000, over: 3_600_000 } as const;

type Period = z.infer<typeof energyPeriodQuery>;

export type Energy = ReturnType<typeof createEnergy>;

/** The energy of one campus for all routes that show it. Ends with the server. */
export function createEnergy(app: Pick<App, 'addHook'>, campus: CampusView, live: LiveState, clock: Clock) {
  const { site, devices, reader, rpc } = campus;
  const scopeOf = createScopes(site.devices);
  const plain = createLocalTime(site.campus.timeZone);
  const localTime = { ...plain, ...remembering(plain) };
  const { plan, problems: mistakes } = energyPlanOf(site.energy, devices);
  const today = () => localTime.date(clock.now()).date;
  const currencyOf = (id: string) => {
    const medium = findMeter(plan, id)?.medium;
    return medium === undefined ? null : (tariffOn(plan.tariffs, medium, today())?.currency ?? null);
  };
  const core = createEnergyCore({ rpc, reader, plan, currencyOf, clock });
  const desk = new EnergyDesk({
    ...{ plan, reader, clock, holidays: core.holidays },
    folder: campus.data,
    timeZone: site.campus.timeZone,
    openingHours: site.openingHours,
    campus: site.campus.name,
    buildings: site.buildings.map(({ id, name }) => ({ id, name })),
  });
  app.addHook('onClose', () => desk[Symbol.asyncDispose]());

  const scopeFor = (request: FastifyRequest) => scopeOf(principalOf(request));
  const plans = new Map<string, EnergyPlan>();
  /** Of somebody's scope; made once for each. */
  const planOf = (scope: Scope): EnergyPlan => {
    const known = plans.get(scope.key) ?? planFor(plan, scope);
    if (plans.size >= mostPlans) plans.clear();
    plans.set(scope.key, known);
    return known;
  };
  const visible = (scope: Scope) => (scope.isWhole ? null : planOf(scope).meters.map(({ id }) => id));
  const findings = async (scope: Scope) => {
    const seen = new Set(planOf(scope).meters.map(({ id }) => id));
    return (await core.ask()).findings.filter(({ meter }) => seen.has(meter));
  };
  /** Any time in the period, and how long what is said of it holds. Throws BAD_DATE for one that is still to come. */
  const periodOf = ({ kind, date }: Period): { readonly time: number; readonly holds: number } => {
    const now = clock.now();
    const noon = date === undefined ? now : Date.parse(`${date}T12:00:00Z`);
    const time = date === undefined ? now : localTime.dayStart(noon - localTime.offsetAt(noon));
    const { from, to } = periodAt(localTime, kind, time);
    if (from > now) throw new CodedError('BAD_DATE', `${date} is still to come`);
    return { time: from, holds: to > now ? keep.running : keep.over };
  };
  return {
    ...{ plan, mistakes, localTime, devices, desk, live, clock, site },
    ...{ scopeFor, planOf, visible, findings, askCore: core.ask, periodOf, today },
    /** Of what whoever asks sees. */
    report: async (request: FastifyRequest, period: Period): Promise<EnergyReportView> => {
      const scope = scopeFor(request);
      const { time, holds } = periodOf(period);
      const [figures, found] = await Promise.all([
        desk.ask('report', { kind: period.kind, time }, visible(scope), holds, principalOf(request).who),
        findings(scope),
      ]);
      return { ...figures, findings: found.filter(({ from, to }) => from < figures.to && to > figures.from) };
    },
  };
}

/** Scopes are few; made-up ones of tokens must not fill the memory. */
const mostPlans = 100;

/** What is metered, what it draws now, and the report and meter pages of a day, week or month. */
export function addEnergyRoutes(app: App, energy: Energy): void {
  const buildingNames = new Map(energy.site.buildings.map(({ id, name }) => [id, name]));
  const devices = new Map<string, (typeof energy.devices)[number]>(energy.devices.map((device) => [device.id, device]));

  app.get(
    '/api/v1/energy/plan',
    {
      config: { access: 'see' },
      schema: {
        tags: ['energy'],
        summary:
          'Meters and how they hang together, buildings, tariffs and limits of demand; empty where none are written',
        response: { ...problems(), 200: energyPlanSchema },
      },
    },
    (request) => {
      const scope = energy.scopeFor(request);
      const mistakes = scope.isWhole ? energy.mistakes : [];
      return planView(energy.planOf(scope), { buildingNames, devices, problems: mistakes, today: energy.today() });
    },
  );

  app.get(
    '/api/v1/energy/now',
    {
      config: { access: 'see' },
      schema: {
        tags: ['energy'],
        summary: 'Power and today of every meter, what is usual and what it costs so far, and the limits of demand',
        description: 'While core is away nothing is told of demand, and powers are uncertain.',
        response: { ...problems(429, 503), 200: energyNowSchema },
      },
    },
    async (request): Promise<EnergyNowView> => {
      const scope = energy.scopeFor(request);
      const plan = energy.planOf(scope);
      const [today, core] = await Promise.all([
        energy.desk.ask('today', {}, energy.visible(scope), keep.now, principalOf(request).who),
        energy.askCore(),
      ]);
      const now = energy.clock.now();
      const powers = powersOf(plan, energy.live);
      return {
        time: now,
        meters: today.meters.map((one) => ({ ...one, ...(powers(one.meter) ?? unread) })),
        currency: today.currency,
        demand: core.demand
          .filter(({ meter }) => plan.demand.some((one) => one.meter === meter))
          .map((told) => demandView(told, plan, devices, scope.seesRef, energy.localTime, now)),
        highest: today.highest,
      };
    },
  );

  app.get(
    '/api/v1/energy/findings',
    {
      config: { access: 'see' },
      schema: {
        tags: ['energy'],
        summary: 'What looks odd and deserves a person, dearest first, and what to look at',
        description: 'While core is away: those whose alarms stand; figures without a unit are not known then.',
        response: { ...problems(503), 200: z.object({ findings: z.array(findingSchema) }) },
      },
    },
    async (request) => ({ findings: await energy.findings(energy.scopeFor(request)) }),
  );

  app.get(
    '/api/v1/energy/report',
    {
      config: { access: 'see' },
      schema: {
        tags: ['energy'],
        summary: 'A day, a week or a month in all its figures; of one that runs, up to now',
        description: '`partial`: who sees some zones only is told of the meters there, and of nothing else.',
        querystring: energyPeriodQuery,
        response: { ...problems(400, 429, 503), 200: energyReportSchema },
      },
    },
    (request) => energy.report(request, request.query),
  );

  app.get(
    '/api/v1/energy/meters/:id',
    {
      config: { access: 'see' },
      schema: {
        tags: ['energy'],
        summary: 'One meter over a day, a week or a month: its course, cost, demand, phases and what hangs under it',
        params: z.object({ id: z.string().regex(slugPattern, 'must be the id of a meter') }),
        querystring: energyPeriodQuery,
        response: { ...problems(400, 404, 429, 503), 200: energyMeterPageSchema },
      },
    },
    async (request) => {
      const scope = energy.scopeFor(request);
      const { id } = request.params;
      const { kind } = request.query;
      if (findMeter(energy.planOf(scope), id) === undefined) {
        throw new CodedError('METER_NOT_FOUND', `there is no meter "${id}"`);
      }
      const { time, holds } = energy.periodOf(request.query);
      const [figures, found] = await Promise.all([
        energy.desk.ask('meter', { meter: id, kind, time }, energy.visible(scope), holds, principalOf(request).who),
        energy.findings(scope),
      ]);
      const own = found.filter(({ meter, from, to }) => meter === id && from < figures.to && to > figures.from);
      return { ...figures, findings: own };
    },
  );
}

type Power = Pick<EnergyNowView['meters'][number], 'power' | 'quality'>;
const unread: Power = { power: null, quality: 'bad' };
const worse = ['good', 'uncertain', 'bad'];

/** Of real meters as they were read last; a sum is known when all of its terms are. */
function powersOf({ meters }: EnergyPlan, live: LiveState): (id: string) => Power | undefined {
  const byId = new Map(meters.map((meter) => [meter.id, meter]));
  const known = new Map<string, Power>();
  const powerOf = (id: string): Power => {
    const before = known.get(id);
    if (before !== undefined) return before;
    known.set(id, unread);
    const meter = byId.get(id);
    const found = meter === undefined ? unread : fromSource(meter.source, live, powerOf);
    known.set(id, found);
    return found;
  };
  return (id) => (byId.has(id) ? powerOf(id) : undefined);
}

function fromSource(source: EnergyMeter['source'], live: LiveState, powerOf: (id: string) => Power): Power {
  if (source.kind === 'missing') return unread;
  if (source.kind === 'real') {
    const { power, energy } = source;
    const reading = live.readings.get(power?.ref ?? energy.ref);
    if (reading === undefined) return unread;
    const value = power === null || typeof reading.value !== 'number' ? null : reading.value * power.factor;
    return { power: reading.quality === 'bad' ? null : value, quality: qualityOf(reading, live) };
  }
  const terms = source.terms.map((term) => ({ ...powerOf(term.meter), sign: term.sign }));
  const isKnown = terms.every(({ power }) => power !== null);
  return {
    power: isKnown ? terms.reduce((sum, { power, sign }) => sum + sign * (power ?? 0), 0) : null,
    quality: worse[Math.max(...terms.map(({ quality }) => worse.indexOf(quality)))] ?? 'bad',
  };
}

/** While core is away nothing on the screen may look fresh. */
function qualityOf({ quality }: Reading, live: LiveState): string {
  return quality === 'good' && !live.isTrusted ? 'uncertain' : quality;
}
