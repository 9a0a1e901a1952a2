import { z } from 'zod';
import { type BroadcastRecord, countersAgree, type Delivery, type DeliveryState } from '#edge/domain/delivery.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf } from './access.ts';
import type { BroadcastParts } from './broadcast-parts.ts';
import { recordingFacts } from './broadcast-recordings.ts';
import { type delivery, itemStory, itemsPage, itemsQuery, reportView, soundItemId } from './broadcast-schemas.ts';
import { writeCsv } from './csv.ts';
import { createLocalTime } from './local-time.ts';
import { problems } from './schemas.ts';
import type { Scope } from './scope.ts';
import type { App } from './server.ts';

/* What sounded, where it was heard, and where not: by item, and by day. From the store: also while core is away. */

type DeliveryView = z.infer<typeof delivery>;
type ItemView = z.infer<typeof itemsPage>['items'][number];
const tags = ['broadcast'];
const mostParts = 4_000;
/** Of one day. */
const mostDeliveries = 100_000;
const mostItems = 5_000;
const dateQuery = z.object({ date: z.iso.date() });
const wholeDay = 86_400_000;

export function addBroadcastReportRoutes(app: App, parts: BroadcastParts): void {
  addItemRoutes(app, parts);
  addReportRoutes(app, parts);
}

function addItemRoutes(app: App, { campus: { reader, data, rpc }, desk }: BroadcastParts): void {
  app.get(
    '/api/v1/broadcast/items',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'What sounded in one’s zones, newest first, with how many loudspeakers came to what',
        querystring: itemsQuery,
        response: { ...problems(400, 503), 200: itemsPage },
      },
    },
    (request): z.infer<typeof itemsPage> => {
      const { limit, from, until, class: soundClass, state, before } = request.query;
      const scope = desk.scopeOf(request);
      const asked = {
        ...(from === undefined ? {} : { from }),
        ...(until === undefined ? {} : { until }),
        ...(soundClass === undefined ? {} : { class: soundClass }),
        ...(state === undefined ? {} : { state }),
        ...(before === undefined ? {} : { before }),
      };
      const found = reader.broadcasts({ ...asked, limit: limit + 1 });
      const shown = found.slice(0, limit).flatMap((record) => itemOf(record, scope, partsOf(record, scope)) ?? []);
      return { items: shown, more: found.length > limit };
    },
  );
  app.get(
    '/api/v1/broadcast/items/:id',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'One item: on which loudspeakers it was heard, with what proof, and what happened to it',
        params: z.object({ id: soundItemId }),
        response: { ...problems(400, 404, 503), 200: itemStory },
      },
    },
    async (request): Promise<z.infer<typeof itemStory>> => {
      const { id } = request.params;
      const scope = desk.scopeOf(request);
      const record = reader.broadcast(id);
      const all = record === null ? [] : partsOf(record, scope);
      const item = record === null ? null : itemOf(record, scope, all);
      if (item === null) throw new CodedError('SOUND_NOT_FOUND', `nothing is known of an item ${id}`);
      const story = item.over === null ? await storyOf(id, scope) : [];
      const recording = item.live ? await recordingFacts(data, id) : null;
      return { item, deliveries: all.flatMap((one) => viewOf(one)), story, recording };
    },
  );

  /** What its arbiter remembers; while core is away nothing. */
  async function storyOf(id: string, scope: Scope): Promise<z.infer<typeof itemStory>['story']> {
    const answer = await rpc.call('broadcast.item', { id }).catch(() => ({}));
    const told = storySchema.safeParse(answer);
    if (!told.success) return [];
    return told.data.story.map(({ kind, at, reason, outputs, said }) => ({
      ...{ kind, at, reason, outputs: outputs.filter(scope.seesRef), blocker: null, said },
    }));
  }
  function partsOf({ item }: BroadcastRecord, scope: Scope): Delivery[] {
    return reader.deliveries({ item: item.id, limit: mostParts }).filter(({ output }) => scope.seesRef(output));
  }
  function viewOf(one: Delivery): DeliveryView[] {
    return deliveryViews([one], desk);
  }
}

const storySchema = z.looseObject({
  story: z.array(
    z.looseObject({
      kind: z.string(),
      at: z.number(),
      reason: z.string(),
      outputs: z.array(z.string()),
      said: z.object({ by: z.string(), why: z.string() }).nullable(),
    }),
  ),
});

/** null: none of its loudspeakers is his. */
function itemOf({ item, over }: BroadcastRecord, scope: Scope, parts: readonly Delivery[]): ItemView | null {
  const outputs = item.outputs.filter(scope.seesRef).length;
  if (outputs === 0) return null;
  const { id, name, source, since, length, until, drill, by, why } = item;
  const states = parts.map(({ state }) => state);
  const state =
    over !== null ? 'over' : states.includes('playing') ? 'playing' : states.includes('cut') ? 'cut' : 'waiting';
  return {
    ...{ id, class: item.class, name: { ...name }, since, length, until, drill, by, state, over },
    ...{ clips: source.kind === 'clips' ? [...source.clips] : [], live: source.kind === 'live' },
    ...{ why: scope.words(why), outputs, counts: countsOf(parts) },
  };
}

function countsOf(parts: readonly Pick<Delivery, 'state'>[]): Partial<Record<DeliveryState, number>> {
  const counts: Partial<Record<DeliveryState, number>> = {};
  for (const { state } of parts) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** With names; of a loudspeaker that is gone its id. */
function deliveryViews(parts: readonly Delivery[], { speakers }: BroadcastParts['desk']): DeliveryView[] {
  return parts.map((one) => {
    const id = splitPointRef(one.output)?.device ?? '';
    const device = speakers.get(id);
    return { ...one, device: id, name: { ...(device?.name ?? { zh: id, en: id }) }, zone: device?.zone ?? '' };
  });
}

function addReportRoutes(app: App, parts: BroadcastParts): void {
  const { campus, desk } = parts;
  const reportOf = createReport(parts);
  app.get(
    '/api/v1/broadcast/report',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'What a day’s sounds came to: by loudspeaker, and each one that was missed',
        querystring: dateQuery,
        response: { ...problems(400, 503), 200: reportView },
      },
    },
    (request) => reportOf(request.query.date, desk.scopeOf(request)),
  );
  app.get(
    '/api/v1/broadcast/report.csv',
    {
      config: { access: 'export' },
      schema: {
        tags,
        summary: 'Each item of a day on each loudspeaker, as a table',
        querystring: dateQuery,
        response: { ...problems(400, 503), 200: z.string() },
      },
    },
    async (request, reply) => {
      const { date } = request.query;
      const rows = createRows(parts)(date, desk.scopeOf(request));
      const line = { what: `broadcast.report ${date}`, why: 'export', result: `${rows.length - 1} rows` };
      await campus.rpc.call('audit', { ...actorOf(request), ...line });
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="broadcast-${date}.csv"`)
        .send(writeCsv(rows));
    },
  );
}

/** What was asked for within a local day. */
function createDay({ campus: { site, reader } }: BroadcastParts) {
  const local = createLocalTime(site.campus.timeZone);
  return (date: string, scope: Scope) => {
    const noon = Date.parse(`${date}T12:00:00Z`);
    const from = local.dayStart(noon - local.offsetAt(noon));
    const until = local.dayStart(from + wholeDay + wholeDay / 2);
    const records = reader.broadcasts({ from, until, limit: mostItems });
    const deliveries = reader
      .deliveriesBetween(from, until, mostDeliveries)
      .filter(({ output }) => scope.seesRef(output));
    return { records: new Map(records.map((record) => [record.item.id as string, record])), deliveries, local };
  };
}

function createReport(parts: BroadcastParts) {
  const dayOf = createDay(parts);
  return (date: string, scope: Scope): z.infer<typeof reportView> => {
    const { records, deliveries } = dayOf(date, scope);
    const views = deliveryViews(deliveries, parts.desk);
    const byDevice = Map.groupBy(views, ({ device }) => device);
    const devices = [...byDevice].map(([device, own]) => ({
      ...{
        device,
        name: own[0]?.name ?? { zh: device, en: device },
        zone: own[0]?.zone ?? '',
        counter: counterOf(own),
      },
      ...{ counts: countsOf(own), heard: own.reduce((sum, { heard }) => sum + heard, 0) },
    }));
    const missed = views.filter(({ state }) => state === 'missed');
    return {
      ...{ date, items: new Set(views.map(({ item }) => item)).size, counts: countsOf(views) },
      devices: devices.toSorted((a, b) => (b.counts.missed ?? 0) - (a.counts.missed ?? 0)),
      missed: missed.flatMap((one) => {
        const record = records.get(one.item);
        return record === undefined ? [] : [{ ...one, itemName: { ...record.item.name }, class: record.item.class }];
      }),
    };
  };
}

/** null: nothing was counted there all day. */
function counterOf(own: readonly DeliveryView[]): z.infer<typeof reportView>['devices'][number]['counter'] {
  if (own.every(({ counted }) => counted === undefined)) return null;
  const value = own.reduce((sum, { counted = 0 }) => sum + counted, 0);
  const ours = own.reduce((sum, { heard }) => sum + heard, 0);
  const sounds = own.filter(({ begun }) => begun !== null).length;
  return { what: 'rtcp', value, ours, agrees: countersAgree(value, ours, sounds) };
}

function createRows(parts: BroadcastParts) {
  const dayOf = createDay(parts);
  return (date: string, scope: Scope): string[][] => {
    const { records, deliveries, local } = dayOf(date, scope);
    const head = [
      '时间 time',
      '内容 item',
      '类别 class',
      '音箱 loudspeaker',
      '结果 result',
      '证明 proof',
      '依据 evidence',
    ];
    const rows = deliveryViews(deliveries, parts.desk).map((one) => {
      const record = records.get(one.item);
      const begun = one.begun ?? record?.item.since ?? null;
      return [
        ...[begun === null ? '' : local.iso(begun), record?.item.name.zh ?? one.item, record?.item.class ?? ''],
        ...[one.name.zh, one.state, one.proof, one.evidence === '' ? one.reason : one.evidence],
        ...[`${Math.round(one.heard / 1_000)}`, one.delay === null ? '' : `${one.delay}`],
      ];
    });
    return [[...head, '播出秒数 seconds', '延迟毫秒 delay ms'], ...rows];
  };
}
