import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isEmergency, rankOf, type SoundClass } from '#edge/domain/broadcast.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf, requireRight } from './access.ts';
import { outputAnswer, putAnswer, readItem, stopAnswer } from './broadcast-core.ts';
import { createBroadcastDesk } from './broadcast-desk.ts';
import { createSoundNow } from './broadcast-now.ts';
import type { BroadcastParts } from './broadcast-parts.ts';
import { addBroadcastReportRoutes } from './broadcast-report-routes.ts';
import { broadcastNow, playBody, played, soundItemId, stopBody, stopped, whyView } from './broadcast-schemas.ts';
import { addBroadcastSettingsRoutes } from './broadcast-settings-routes.ts';
import type { LiveState } from './live.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const tags = ['broadcast'];
/** Makes a clip of a text; answers its id. */
export type SpeakOnce = (
  text: string,
  voice: string | undefined,
  request: Pick<FastifyRequest, 'principal' | 'ip'>,
) => Promise<string>;

export interface BroadcastRoutes extends Disposable {}

/** What sounds where and why, and what people do about it. Core decides; here it is only said in whose zones. */
export function addBroadcastRoutes(
  app: App,
  campus: CampusView,
  live: LiveState,
  { clock, speakOnce }: { readonly clock: Clock; readonly speakOnce: SpeakOnce | null },
): BroadcastRoutes {
  const now = createSoundNow(campus.rpc, live, clock);
  const parts: BroadcastParts = { campus, live, clock, now, desk: createBroadcastDesk(campus, live) };
  addLookRoutes(app, parts);
  addPlayRoute(app, parts, speakOnce);
  addStopRoute(app, parts);
  addBroadcastSettingsRoutes(app, parts);
  addBroadcastReportRoutes(app, parts);
  return now;
}

function addLookRoutes(app: App, { campus: { rpc }, clock, now, desk }: BroadcastParts): void {
  app.get(
    '/api/v1/broadcast/now',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary:
          'What each loudspeaker plays and why, or why it is silent; and what plays, waits or is cut, strongest first',
        response: { ...problems(503), 200: broadcastNow },
      },
    },
    async (request) => {
      const scope = desk.scopeOf(request);
      const told = await now.ask();
      return { time: told.time, rooms: desk.rooms(told.now, scope), items: desk.items(told.now, scope) };
    },
  );

  app.get(
    '/api/v1/broadcast/why/:device',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'Why one loudspeaker plays what it plays, or is silent, and the latest that happened there',
        params: z.object({ device: z.string().max(63) }),
        response: { ...problems(400, 404, 503), 200: whyView },
      },
    },
    async (request) => {
      const scope = desk.scopeOf(request);
      const output = desk.outputOf(request.params.device, scope);
      const time = clock.now();
      const answer = outputAnswer.parse(await rpc.call('broadcast.why', { output }));
      const told = await now.ask();
      const { proof = 'none' as const, evidence = '' } = told.now.rooms.find((room) => room.output === output) ?? {};
      const rooms = desk.rooms({ rooms: [{ output, answer, proof, evidence }], items: [] }, scope);
      const [room] = rooms;
      if (room === undefined) throw new CodedError('DEVICE_NOT_FOUND', `there is no loudspeaker "${output}"`);
      return { time, room, recent: desk.story(answer, told.now, scope) };
    },
  );
}

function addPlayRoute(app: App, { campus: { rpc }, now, desk }: BroadcastParts, speakOnce: SpeakOnce | null): void {
  app.post(
    '/api/v1/broadcast/play',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary: 'Plays clips, or a text that is spoken, in zones and on loudspeakers of one’s own',
        description:
          'Clips first, then the text. What is stronger is waited for, what is weaker is interrupted. Classes above `page` need the right ' +
          '`emergency`. Refused (`outcome`) is not an error: `message` says why.',
        body: playBody,
        response: { ...problems(400, 404, 409, 503), 200: played },
      },
    },
    async (request) => {
      const { class: soundClass, name, clips, text, voice, loop, zones, devices, ...more } = request.body;
      requireClass(request, soundClass);
      const scope = desk.scopeOf(request);
      const where = { zones: desk.zonesOf(zones, scope), outputs: devices.map((one) => desk.outputOf(one, scope)) };
      if (where.zones !== 'all' && where.zones.length + where.outputs.length === 0)
        throw new CodedError('BAD_REQUEST', 'body: zones or devices must name at least one place');
      if (clips.length === 0 && (text ?? '') === '')
        throw new CodedError('BAD_REQUEST', 'body: clips or a text is missing');
      const spoken = text === undefined || text === '' ? [] : [await speak(text, voice, request, speakOnce)];
      const all = [...clips, ...spoken];
      if (all.length > 4) throw new CodedError('BAD_REQUEST', 'body.clips: at most 3 together with a text');
      const wish = {
        ...{ class: soundClass, name: name ?? nameOf(text, all), ...where, ...more },
        ...{ source: { kind: 'clips', clips: all, loop }, by: principalOf(request).who, ...actorOf(request) },
      };
      const answer = putAnswer.parse(await rpc.call('broadcast.play', wish));
      now.forget();
      const { outcome, item, message, refusal } = answer;
      const refusedOn = answer.refusedOn.flatMap((output) => desk.deviceOf(output) ?? []);
      return { outcome, item, message, refusedOn, ...(refusal === null ? {} : { code: refusal.code }) };
    },
  );
}

function addStopRoute(app: App, { campus: { rpc }, now, desk }: BroadcastParts): void {
  app.post(
    '/api/v1/broadcast/items/:id/stop',
    {
      config: { access: 'broadcast' },
      schema: {
        tags,
        summary:
          'Ends what sounds or waits: everywhere, or on some loudspeakers; elsewhere than in one’s zones it goes on',
        description: 'What is an emergency (classes above `page`) needs the right `emergency`.',
        params: z.object({ id: soundItemId }),
        body: stopBody,
        response: { ...problems(400, 404, 503), 200: stopped },
      },
    },
    async (request): Promise<z.infer<typeof stopped>> => {
      const { id } = request.params;
      const { devices, why } = request.body;
      const scope = desk.scopeOf(request);
      const wanted = devices?.map((device) => desk.outputOf(device, scope));
      const known = readItem(await rpc.call('broadcast.item', { id }));
      const missing = new CodedError('ITEM_NOT_FOUND', `nothing sounds or waits under "${id}"`);
      if (known === null) throw missing;
      const own = known.item.outputs.filter(scope.seesRef);
      if (own.length === 0) throw missing;
      if (isEmergency(known.item.class)) requireRight(principalOf(request), 'emergency');
      // Only where it still is: what is over in a room is not stopped there once more.
      const there = new Set(known.parts.filter(({ state }) => state !== 'over').map(({ output }) => output));
      const outputs = (wanted ?? own).filter((output) => there.has(output));
      const isAll = wanted === undefined && own.length === known.item.outputs.length;
      if (!isAll && outputs.length === 0) return { outcome: 'unknown', message: 'it is over there already', ended: 0 };
      const asked = { item: id, why, ...(isAll ? {} : { outputs }), ...actorOf(request) };
      const { outcome } = stopAnswer.parse(await rpc.call('broadcast.stop', asked));
      now.forget();
      const left = own.filter((output) => there.has(output)).length - outputs.length;
      return { outcome, message: stopWords[outcome], ended: outcome === 'stopped' ? outputs.length : 0, left };
    },
  );
}

const stopWords = {
  stopped: 'it ends now',
  'goes-on': 'somebody else asked for the same emergency and has not taken it back: it goes on',
  unknown: 'it is over already',
} as const;

function requireClass(request: FastifyRequest, soundClass: SoundClass): void {
  if (rankOf(soundClass) < rankOf('page')) requireRight(principalOf(request), 'emergency');
}

async function speak(
  text: string,
  voice: string | undefined,
  request: FastifyRequest,
  speakOnce: SpeakOnce | null,
): Promise<string> {
  if (speakOnce === null) throw new CodedError('SPEECH_AWAY', 'speech is not ready: choose a clip');
  return await speakOnce(text, voice, request);
}

/** What people call it who did not give it a name. */
function nameOf(text: string | undefined, clips: readonly string[]): Name {
  const said = (text ?? '').replaceAll(/\s+/g, ' ').trim();
  if (said === '') return { zh: clips.join(' + ').slice(0, 64), en: clips.join(' + ').slice(0, 64) };
  const short = said.length <= 24 ? said : `${said.slice(0, 23)}…`;
  return { zh: short, en: short };
}
