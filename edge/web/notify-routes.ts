import { z } from 'zod';
import { uuidPattern } from '#edge/domain/ids.ts';
import { type Notice, usualRepeat } from '#edge/domain/notice.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { isOneAddress, type NotifyChannel, type NotifySite, reaches } from '#edge/runtime/site-notify.ts';
import { actorOf } from './access.ts';
import type { LiveState } from './live.ts';
import { type ladderSchema, noticeSchema, type notifyChannelSchema, notifySchema } from './rule-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const noticeQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  /** Id of the last notice of the page before. */
  before: z.string().regex(uuidPattern, 'must be the id of a notice').optional(),
  state: z.enum(['queued', 'delivered', 'failed', 'expired', 'merged']).optional(),
  /** `alarm:<id>`, `rule:<instance>`, `test` ... */
  about: z.string().min(1).max(200).optional(),
});

/**
 * Words on their way to people outside the console. They lie in no zone, so they are for those who see the whole campus; nobody
 * is told anybody's address or number.
 */
export function addNotifyRoutes(app: App, { site, reader, rpc }: CampusView, live: LiveState): void {
  app.get(
    '/api/v1/notices',
    {
      config: { access: 'see', wholeCampus: true },
      schema: {
        tags: ['notices'],
        summary: 'What people were told, by which channel, and what became of it; newest first',
        description: '`delivered`: the far end took it. That somebody read it is known by acknowledging the alarm.',
        querystring: noticeQuery,
        response: { ...problems(400, 503), 200: z.array(noticeSchema) },
      },
    },
    async (request) => {
      const { limit, before, state, about } = request.query;
      const found = reader.notices({
        limit,
        ...(before === undefined ? {} : { before }),
        ...(state === undefined ? {} : { state }),
        ...(about === undefined ? {} : { about }),
      });
      return found.map(viewOf);
    },
  );

  app.get(
    '/api/v1/notify',
    {
      config: { access: 'see', wholeCampus: true },
      schema: {
        tags: ['notices'],
        summary: 'Channels and how they fare, whom they reach, and the ladders of escalation',
        description: 'Counts are since the process that sends was started.',
        response: { ...problems(503), 200: notifySchema },
      },
    },
    async () => {
      const { notify } = site;
      if (notify === undefined) return { channels: [], ladders: [], quietHours: null, perHour: null };
      return {
        channels: notify.channels.map((channel) => channelView(channel, notify, live)),
        ladders: notify.ladders.map(ladderView),
        quietHours: notify.quietHours ?? null,
        perHour: notify.limits.perHour,
      };
    },
  );

  app.post(
    '/api/v1/notify/:channel/test',
    {
      config: { access: 'rules', wholeCampus: true },
      schema: {
        tags: ['notices'],
        summary: 'Sends a test over one channel; GET /notices?about=test tells what became of it',
        params: z.object({ channel: z.string().max(63) }),
        body: z.strictObject({ recipient: z.string().max(63).nullable().default(null) }).nullish(),
        response: { ...problems(400, 404, 429, 503), 202: z.object({ id: z.string() }) },
      },
    },
    async (request, reply) => {
      const { channel } = request.params;
      if (site.notify?.channels.some(({ id }) => id === channel) !== true) {
        throw new CodedError('CHANNEL_NOT_FOUND', `the site file has no channel "${channel}"`);
      }
      const recipient = request.body?.recipient ?? null;
      const answer = await rpc.call('notice.test', { channel, recipient, ...actorOf(request) });
      return reply.code(202).send(z.object({ id: z.string() }).parse(answer));
    },
  );
}

function viewOf(notice: Notice): z.infer<typeof noticeSchema> {
  const { id, about, title, channel, recipient, step, created, state, attempts, at, detail } = notice;
  return { id, about, class: notice.class, title, channel, recipient, step, created, state, attempts, at, detail };
}

function channelView(
  channel: NotifyChannel,
  { recipients }: NotifySite,
  live: LiveState,
): z.infer<typeof notifyChannelSchema> {
  const health = live.health.get('notify');
  const line = health?.devices.find(({ device }) => device === `notify-${channel.id}`);
  const count = (name: string): number => line?.counters[name] ?? 0;
  const last = count('lastDelivered');
  const isRunning = health !== undefined && health.state === 'ready';
  const problem = line === undefined || line.message === '' ? null : line.message;
  return {
    id: channel.id,
    kind: channel.kind,
    name: channel.name,
    recipients: isOneAddress(channel)
      ? []
      : recipients.filter((person) => reaches(channel, person)).map(({ id, name, groups }) => ({ id, name, groups })),
    queued: count('queued'),
    delivered: count('delivered'),
    failed: count('failed'),
    lastDelivered: last === 0 ? null : last,
    problem: isRunning ? problem : 'the process notify is not running',
  };
}

function ladderView(ladder: NotifySite['ladders'][number]): z.infer<typeof ladderSchema> {
  const { id, name, classes, steps, zones = null, sources = null, repeat = usualRepeat } = ladder;
  return {
    id,
    name,
    classes,
    steps: steps.map(({ after, during, to }) => ({ after, during, to })),
    zones,
    sources,
    repeat,
  };
}
