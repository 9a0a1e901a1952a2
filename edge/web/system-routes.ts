import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { logLevels, readLogPage } from '#edge/runtime/log-pages.ts';
import { audit } from './documents.ts';
import type { LiveState } from './live.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';
import { Backups } from './system/backups.ts';
import { createSystemDesk } from './system/describe.ts';
import { backupMadeSchema, backupSchema, logSchema, systemSchema } from './system-schemas.ts';
import { requireWholeCampus } from './whole-campus.ts';

const processName = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'must be the name of a process');
const secretsNotice = {
  zh: '备份包含全部口令、密钥和个人信息：请加密存放在校外，只交给负责人。',
  en: 'A back-up holds every password, key and personal record: keep it encrypted, elsewhere, and give it to nobody else.',
};

/** The box itself: what it is and how it does, its logs, its back-ups. */
export function addSystemRoutes(app: App, campus: CampusView, live: LiveState, clock: Clock): void {
  addBoxRoutes(app, campus, live, clock);
  addBackupRoutes(app, campus, clock);
}

function addBoxRoutes(app: App, campus: CampusView, live: LiveState, clock: Clock): void {
  const describe = createSystemDesk(campus, live, clock);
  const logFolder = join(campus.data, 'logs');

  app.get(
    '/api/v1/system',
    {
      config: { access: 'system' },
      schema: {
        tags: ['system'],
        summary: 'Versions, load, memory, disk, database, clock, certificate, the way to the city, processes',
        response: { ...problems(503), 200: systemSchema },
      },
    },
    (request) => {
      requireWholeCampus(request);
      return describe();
    },
  );

  app.get(
    '/api/v1/logs',
    {
      config: { access: 'system' },
      schema: {
        tags: ['system'],
        summary: 'What the processes logged, newest first; `level` and above. What stands in a line is anybody’s words',
        querystring: z.object({
          process: processName.optional(),
          level: z.enum(logLevels).default('info'),
          before: z.string().max(2_000).optional(),
          limit: z.coerce.number().int().min(1).max(500).default(200),
        }),
        response: { ...problems(400, 503), 200: logSchema },
      },
    },
    async (request) => {
      requireWholeCampus(request);
      const { process = null, level, before = null, limit } = request.query;
      const page = await readLogPage(logFolder, { process, level, before, limit });
      return { lines: page.lines.map((line) => ({ ...line, fields: { ...line.fields } })), before: page.before };
    },
  );
}

function addBackupRoutes(app: App, campus: CampusView, clock: Clock): void {
  const backups = new Backups(campus, clock);

  app.get(
    '/api/v1/backups',
    {
      config: { access: 'backup' },
      schema: {
        tags: ['system'],
        summary: 'The back-ups that lie on this box, newest first; a copy elsewhere is what counts',
        response: { ...problems(503), 200: z.array(backupSchema) },
      },
    },
    (request) => {
      requireWholeCampus(request);
      return backups.list();
    },
  );

  app.post(
    '/api/v1/backups',
    {
      config: { access: 'backup' },
      schema: {
        tags: ['system'],
        summary: 'Makes a back-up while everything runs; five are kept. It holds every secret of this campus',
        body: z.strictObject({}).nullish(),
        response: { ...problems(400, 409, 503), 200: backupMadeSchema },
      },
    },
    async (request) => {
      requireWholeCampus(request);
      await audit(campus.rpc, request, { what: 'backup.make', result: 'begun' });
      // A large database takes minutes, in which nothing moves on this connection.
      request.raw.socket.setTimeout(0);
      const made = await backups.make();
      await audit(campus.rpc, request, { what: `backup.make ${made.name}`, result: `${made.bytes} bytes` });
      return { ...made, notice: secretsNotice };
    },
  );

  app.get(
    '/api/v1/backups/:name',
    {
      config: { access: 'backup' },
      schema: {
        tags: ['system'],
        summary: 'Fetches a back-up. It holds every secret of this campus',
        params: z.object({ name: z.string().max(100) }),
        response: {
          ...problems(400, 404, 503),
          200: { description: 'the archive', content: { 'application/gzip': { schema: z.unknown() } } },
        },
      },
    },
    async (request, reply) => {
      requireWholeCampus(request);
      const { name } = request.params;
      const { handle, bytes } = await backups.open(name);
      try {
        await audit(campus.rpc, request, { what: `backup.fetch ${name}`, result: `${bytes} bytes` });
      } catch (error) {
        await handle.close();
        throw error;
      }
      return reply
        .type('application/gzip')
        .header('content-disposition', `attachment; filename="${name}"`)
        .header('content-length', bytes)
        .send(handle.createReadStream());
    },
  );
}
