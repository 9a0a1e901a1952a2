import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Name } from '#edge/domain/place.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { actorOf, principalOf, requireRight } from './access.ts';
import { putAnswer } from './broadcast-core.ts';
import { type BroadcastDesk, createBroadcastDesk } from './broadcast-desk.ts';
import { RecordingListeners, recordingPath } from './broadcast-recordings.ts';
import { soundItemId, talkBody, talking } from './broadcast-schemas.ts';
import { type Talk, TalkDesk, talkLease } from './broadcast-talk.ts';
import { TalkLine } from './broadcast-talk-line.ts';
import { audit } from './documents.ts';
import type { Held, Holder } from './held.ts';
import type { LiveState } from './live.ts';
import { upgradeHead } from './live-view-routes.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';
import { openSound, sendWav } from './sound-file.ts';

interface TalkRoutes {
  readonly live: LiveState;
  readonly held: Held;
  readonly clock: Clock;
  readonly log: Log;
}

const tags = ['broadcast'];
/** A second at 48 kHz is 96,000 bytes; nobody waits so long before he sends. */
const largestMessage = 32_768;

const names: Readonly<Record<'page' | 'microphone', Name>> = {
  page: { zh: '喊话', en: 'Live page' },
  microphone: { zh: '紧急喊话', en: 'Emergency announcement' },
};

/**
 * `POST /api/v1/broadcast/talk` begins a live page, a WebSocket carries the voice, and what was said can be listened to. The guard has
 * judged the socket's request like every other (its Origin stands for CSRF); it ends with the session.
 */
export function addTalkRoutes(app: App, campus: CampusView, { live, held, clock, log }: TalkRoutes): Disposable {
  const stack = new DisposableStack();
  const desk = createBroadcastDesk(campus, live);
  const talks = stack.use(new TalkDesk({ rpc: campus.rpc, clock, log }));
  addBeginRoute(app, campus, desk, talks, log);
  addVoiceRoute(app, campus, talks, held);
  addRecordingRoute(app, campus, desk, new RecordingListeners(campus.rpc, clock));
  return stack;
}

function addBeginRoute(app: App, { rpc }: CampusView, desk: BroadcastDesk, talks: TalkDesk, log: Log): void {
  app.post(
    '/api/v1/broadcast/talk',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary:
          'Begins a live page in zones and on loudspeakers of one’s own; then a WebSocket at talk/:session within 8 s',
        description:
          'One at a time for a person (409). The class `microphone`, an emergency, needs the right `emergency`. `listen` needs the right ' +
          '`live`: rooms whose device has `talkback` are heard, which is in the audit and never recorded. What was asked for is over ' +
          'when the socket is, at the latest 10 s after. Refused (`outcome`) is not an error: `message` says why.',
        body: talkBody,
        response: { ...problems(400, 404, 409, 503), 200: talking },
      },
    },
    async (request) => {
      const { class: soundClass, zones, devices, chime, level, listen, why } = request.body;
      if (soundClass === 'microphone') requireRight(principalOf(request), 'emergency');
      // Who hears a room as it is now sees it, so to speak: the same right as for cameras.
      if (listen) requireRight(principalOf(request), 'live');
      const scope = desk.scopeOf(request);
      const where = { zones: desk.zonesOf(zones, scope), outputs: devices.map((one) => desk.outputOf(one, scope)) };
      if (where.zones !== 'all' && where.zones.length + where.outputs.length === 0)
        throw new CodedError('BAD_REQUEST', 'body: zones or devices must name at least one place');
      const holder = holderOf(request);
      using _asking = talks.admit(holder);
      const session = randomUUID();
      const wish = {
        ...{ class: soundClass, name: names[soundClass], source: { kind: 'live', session }, lease: talkLease },
        ...{ ...where, ...(level === undefined ? {} : { level }), why },
        ...{ by: principalOf(request).who, ...actorOf(request) },
      };
      const { item, refusal, ...answer } = putAnswer.parse(await rpc.call('broadcast.play', wish));
      const refusedOn = answer.refusedOn.flatMap((output) => desk.deviceOf(output) ?? []);
      const said = { ...answer, item, refusedOn, ...(refusal === null ? {} : { code: refusal.code }) };
      if (item === null) return { ...said, session: null, listens: false };
      const listens = listen && (await isNoted(rpc, request, item, log));
      const talk: Talk = {
        ...{
          session,
          item,
          class: soundClass,
          chime,
          listens,
          holder,
          actor: actorOf(request),
          playing: 0,
          outputs: 0,
        },
      };
      talks.await(talk);
      return { ...said, session, listens };
    },
  );
}

/** In the audit before the first sound of a room: without that nothing is heard, and the page goes on. */
async function isNoted(
  rpc: CampusView['rpc'],
  request: Pick<FastifyRequest, 'principal' | 'ip'>,
  item: string,
  log: Log,
): Promise<boolean> {
  try {
    await audit(rpc, request, { what: `listen live ${item}`, result: 'begun' });
    return true;
  } catch (error) {
    log.warn({ item, problem: messageOf(error) }, 'nobody listens to rooms that is not in the audit');
    return false;
  }
}

function addVoiceRoute(app: App, { data }: CampusView, talks: TalkDesk, held: Held): void {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: largestMessage });
  app.get(
    '/api/v1/broadcast/talk/:session',
    {
      config: { access: 'broadcast', webSocket: true },
      schema: {
        tags,
        summary: 'The voice of a live page, as a WebSocket',
        description:
          'To us: {kind: format, codec: pcm | opus, rate} first, then binary frames (16-bit little-endian mono samples at 8,000 to 48,000 Hz, ' +
          'or one Opus packet each), {kind: end} last. From us: {kind: speak} when the chime is over, figures each second, {kind: over, ' +
          'reason}. 400 without an upgrade; 404 for what is not one’s own or was not asked for just now.',
        params: z.object({ session: z.uuid() }),
        response: problems(400, 404),
      },
    },
    (request, reply) => {
      const holder = holderOf(request);
      const talk = talks.awaited(request.params.session, holder);
      if (talk === null)
        throw new CodedError('TALK_NOT_FOUND', 'there is no live page of yours that waits for a voice');
      const head = upgradeHead(request.raw);
      if (head === undefined) {
        throw new CodedError('BAD_UPGRADE', 'one speaks over a WebSocket: ask for an upgrade');
      }
      const { socket } = request.raw;
      reply.hijack();
      // The line of pages closes what is silent for a minute; here somebody listens to a chime.
      socket.setTimeout(0);
      // A voice in small pieces must not wait for the piece before to be acknowledged.
      socket.setNoDelay(true);
      sockets.handleUpgrade(request.raw, socket, head, (browser) => {
        held.hold(holder, socket);
        new TalkLine(browser, talk, talks, data);
      });
    },
  );
}

function addRecordingRoute(
  app: App,
  { data, reader }: CampusView,
  desk: BroadcastDesk,
  listeners: RecordingListeners,
): void {
  const sound = { description: 'the voice; Range is understood', content: { 'audio/wav': { schema: z.unknown() } } };
  app.get(
    '/api/v1/broadcast/items/:id/recording',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'What was said in a live page, chime and all; 16 kHz, while it goes on as far as it is',
        description: 'Of pages that were heard in one’s zones. Who listened is in the audit, before the first byte.',
        params: z.object({ id: soundItemId }),
        response: { ...problems(400, 404, 503), 200: sound, 206: sound, 416: z.unknown() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const missing = new CodedError('RECORDING_NOT_FOUND', 'there is no recording of this');
      const path = recordingPath(data, id);
      const scope = desk.scopeOf(request);
      // What was said in one's own rooms may be heard again, also where others heard it besides.
      const isOurs = () => reader.broadcast(id)?.item.outputs.some((output) => scope.seesRef(output)) ?? false;
      if (path === null || !(scope.isWhole || isOurs())) throw missing;
      const handle = await openSound(path);
      if (handle === null) throw missing;
      try {
        await listeners.note(request, id);
      } catch (error) {
        await handle.close();
        throw error;
      }
      return sendWav(request, reply, handle);
    },
  );
}

function holderOf(request: Pick<FastifyRequest, 'principal' | 'sessionId'>): Holder {
  return { who: principalOf(request).who, sessionId: request.sessionId };
}
