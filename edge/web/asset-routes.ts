import type { FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import { Register } from './assets/book.ts';
import { planImport } from './assets/import.ts';
import { type Label, labelSheet, labelSvg } from './assets/label.ts';
import { type Asset, emptyAsset } from './assets/register.ts';
import { headers, rowOf } from './assets/table.ts';
import { writeChanges } from './assets/write.ts';
import { writeCsv } from './csv.ts';
import { audit, putDocument } from './documents.ts';
import {
  type AssetView,
  assetBody,
  assetSchema,
  type ImportView,
  importSchema,
  maintenanceBody,
} from './place-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';
import { limitUploads } from './uploads.ts';

const importBytes = 2_000_000;
const mostLabels = 300;
const mostMaintenance = 200;
/** Labels are drawn, and do nothing else. */
const labelPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";
const params = z.object({ device: z.string().regex(slugPattern, 'must be the id of a device') });
const language = z.object({ lang: z.enum(['zh', 'en']).default('zh') });

/** The register of assets: what devices are, whose they are, and when somebody looks after them. */
export async function addAssetRoutes(app: App, campus: CampusView, clock: Clock): Promise<void> {
  const register = new Register(campus);
  addReadingRoutes(app, register, campus);
  addWritingRoutes(app, register, campus, clock);
  addLabelRoutes(app, register, campus);
  // Tables are understood by this route and by no other.
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addHook('onRequest', limitUploads());
    const parser = { parseAs: 'buffer', bodyLimit: importBytes } as const;
    scope.addContentTypeParser('text/csv', parser, (_, body, done) => done(null, body));
    addImportRoute(scope.withTypeProvider<ZodTypeProvider>(), register, campus);
  });
}

function addReadingRoutes(app: App, register: Register, campus: CampusView): void {
  app.get(
    '/api/v1/assets',
    {
      config: { access: 'see' },
      schema: {
        tags: ['assets'],
        summary: 'One line a device of one’s zones, empty where nobody wrote anything yet',
        response: { ...problems(503), 200: z.array(assetSchema) },
      },
    },
    (request) => register.all(request),
  );

  app.get(
    '/api/v1/assets.csv',
    {
      config: { access: 'export' },
      schema: {
        tags: ['assets'],
        summary: 'The same as a table for spreadsheets (UTF-8 with BOM), which the import takes back',
        querystring: language,
        response: {
          ...problems(400, 503),
          200: { description: 'the table', content: { 'text/csv': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const { lang } = request.query;
      const assets = register.all(request);
      await audit(campus.rpc, request, { what: 'export assets', result: `${assets.length} lines` });
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="assets.csv"')
        .send(writeCsv([headers(lang), ...assets.map((asset) => rowOf(asset, lang))]));
    },
  );
}

function addWritingRoutes(app: App, register: Register, campus: CampusView, clock: Clock): void {
  app.put(
    '/api/v1/assets/:device',
    {
      config: { access: 'assets' },
      schema: {
        tags: ['assets'],
        summary: 'What a device is; its maintenance lines stay as they are',
        params,
        body: assetBody,
        response: { ...problems(400, 404, 409, 503), 200: assetSchema },
      },
    },
    async (request) => {
      const id = request.params.device;
      const { stored } = register.one(request, id);
      const { rev, ...fields } = request.body;
      const body: Asset = { ...fields, maintenance: stored?.body.maintenance ?? [] };
      await putDocument(campus.rpc, request, { kind: 'asset', id, rev, body });
      return register.one(request, id).view;
    },
  );

  app.post(
    '/api/v1/assets/:device/maintenance',
    {
      config: { access: 'assets' },
      schema: {
        tags: ['assets'],
        summary: 'Says that somebody looked after it; at most 200 lines are kept, the oldest go first',
        params,
        body: maintenanceBody,
        response: { ...problems(400, 404, 409, 503), 200: assetSchema },
      },
    },
    async (request) => {
      const id = request.params.device;
      const { stored } = register.one(request, id);
      const { date, note } = request.body;
      const today = register.today(clock);
      if (date > today) throw new CodedError('BAD_DATE', `date: ${date} is in the future (today is ${today})`);
      const { name } = principalOf(request);
      const before = stored?.body ?? emptyAsset;
      const maintenance = [{ date, by: name.slice(0, 80), note }, ...before.maintenance]
        .toSorted((a, b) => b.date.localeCompare(a.date))
        .slice(0, mostMaintenance);
      const what = `asset.maintain ${id}`;
      await putDocument(campus.rpc, request, {
        kind: 'asset',
        id,
        rev: stored?.rev ?? 0,
        body: { ...before, maintenance },
        what,
        why: note.slice(0, 300),
      });
      return register.one(request, id).view;
    },
  );
}

function addImportRoute(app: App, register: Register, campus: CampusView): void {
  app.post(
    '/api/v1/assets.csv',
    {
      config: { access: 'assets' },
      bodyLimit: importBytes,
      schema: {
        tags: ['assets'],
        summary:
          'What a table (text/csv, UTF-8 or GB18030, at most 2 MB) would change; with write=true it is done, all or nothing',
        consumes: ['text/csv'],
        querystring: z.object({ write: z.stringbool().default(false) }),
        response: { ...problems(400, 409, 413, 415, 429, 503), 200: importSchema },
      },
    },
    async (request): Promise<ImportView> => {
      if (!Buffer.isBuffer(request.body))
        throw new CodedError('BAD_CSV', 'send the table itself as the body, as text/csv');
      const visible = new Set<string>(register.devices(request).map(({ id }) => id));
      const stored = new Map(campus.reader.documents('asset').map((asset) => [asset.id, asset]));
      const plan = planImport(request.body, (device) =>
        visible.has(device) ? (stored.get(device)?.body ?? null) : undefined,
      );
      const { changes, same, mistakes } = plan;
      const answer = { changed: changes.length, same, mistakes: [...mistakes] };
      if (!request.query.write || mistakes.length > 0 || changes.length === 0) return { written: false, ...answer };
      await writeChanges(campus.rpc, request, changes, stored);
      return { written: true, ...answer };
    },
  );
}

function addLabelRoutes(app: App, register: Register, campus: CampusView): void {
  const labelOf = (request: FastifyRequest, { device, deviceName, number }: AssetView): Label => ({
    name: deviceName,
    number,
    campus: campus.site.campus.name,
    device,
    url: `${originOf(request)}/#/devices/${device}`,
  });

  app.get(
    '/api/v1/assets/:device/label.svg',
    {
      config: { access: 'see' },
      schema: {
        tags: ['assets'],
        summary: 'A label of 62 x 29 mm with a QR code of the device’s page',
        params,
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the label', content: { 'image/svg+xml': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) =>
      reply
        .type('image/svg+xml; charset=utf-8')
        .header('content-security-policy', labelPolicy)
        .header('content-disposition', 'inline; filename="label.svg"')
        .send(labelSvg(labelOf(request, register.one(request, request.params.device).view))),
  );

  app.get(
    '/api/v1/assets/labels.html',
    {
      config: { access: 'see' },
      schema: {
        tags: ['assets'],
        summary: 'Labels of several devices on A4 for printing',
        querystring: z.object({
          devices: z
            .string()
            .min(1)
            .max(64 * mostLabels),
        }),
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the sheet', content: { 'text/html': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      const ids = [...new Set(request.query.devices.split(','))];
      if (ids.length > mostLabels) throw new CodedError('BAD_LABELS', `at most ${mostLabels} labels at once`);
      const assets = new Map(register.all(request).map((asset) => [asset.device, asset]));
      const labels = ids.map((id) => {
        const asset = assets.get(id);
        if (asset === undefined) throw new CodedError('DEVICE_NOT_FOUND', `there is no device "${id.slice(0, 63)}"`);
        return labelOf(request, asset);
      });
      return reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', labelPolicy)
        .send(labelSheet(labels, campus.site.campus.name.zh));
    },
  );
}

/** As the browser that asks for the label names us. The guard has seen the name; what is no name at all is not printed. */
function originOf({ protocol, host }: FastifyRequest): string {
  const origin = `${protocol}://${host}`;
  if (!/^[\w.:[\]-]{1,255}$/.test(host) || !URL.canParse(origin)) {
    throw new CodedError('BAD_HOST', 'the Host header is no name that could stand on a label');
  }
  return new URL(origin).origin;
}
