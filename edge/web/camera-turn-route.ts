import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { actorOf, principalOf, requireRight } from './access.ts';
import { Pace } from './footage-pace.ts';
import type { FootageDesk } from './footage-routes.ts';
import { cameraId } from './footage-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const axis = z.number().min(-1).max(1);
const turnBody = z.union(
  [
    z.strictObject({ preset: z.string().min(1).max(64) }),
    z.strictObject({ home: z.literal(true) }),
    z.strictObject({ move: z.tuple([axis, axis, axis]) }),
  ],
  'must be {preset}, {home: true} or {move: [pan, tilt, zoom]}, each -1 to 1',
);
const turnSchema = z.object({
  /** `done`: the camera said so; `failed` and `refused` say why. */
  outcome: z.string(),
  message: z.string().optional(),
});
const lastSchema = z.object({
  /** Who last turned it from here; null: nobody since this process started, or whoever did is not known. */
  last: z
    .object({
      who: z.string(),
      name: z.string(),
      /** ms since epoch. */
      time: z.number(),
      how: z.enum(['preset', 'home', 'hand']),
      /** Its token, of `preset`. */
      preset: z.string().optional(),
    })
    .nullable(),
});
type Last = NonNullable<z.infer<typeof lastSchema>['last']>;
/** The camera has five seconds, ms. */
const patience = 15_000;

/** Turning a camera: to a preset, home, or by hand. */
export function addCameraTurnRoute(app: App, { rpc }: CampusView, desk: FootageDesk, clock: Clock): void {
  const pace = new Pace(clock, { perSecond: 8, burst: 40 });
  /** By camera, of which there are as many as the site has: two people at two screens must not pull at one camera unknowingly. */
  const turned = new Map<string, Last>();

  app.post(
    '/api/v1/cameras/:id/turn',
    {
      config: { access: 'live' },
      schema: {
        tags: ['cameras'],
        summary: 'Turns a camera to a preset, home, or by hand (also with the right `operate`)',
        description:
          'A movement ends by itself after half a second: ask again as long as it should go on, and with [0, 0, 0] to stop it.',
        params: z.object({ id: cameraId }),
        body: turnBody,
        response: { ...problems(400, 404, 409, 429, 503), 200: turnSchema },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const camera = desk.cameraOf(request, request.params.id);
      requireRight(principal, 'operate');
      pace.take(principal.who);
      const answer = turnSchema.parse(
        await rpc.call('camera.turn', { camera, to: request.body, ...actorOf(request) }, patience),
      );
      if (answer.outcome === 'done' || answer.outcome === 'sent')
        turned.set(camera, { ...howOf(request.body), who: principal.who, name: principal.name, time: clock.now() });
      return answer;
    },
  );

  app.get(
    '/api/v1/cameras/:id/turn',
    {
      config: { access: 'live' },
      schema: {
        tags: ['cameras'],
        summary: 'Who last turned a camera',
        params: z.object({ id: cameraId }),
        response: { ...problems(400, 404), 200: lastSchema },
      },
    },
    (request): z.infer<typeof lastSchema> => ({
      last: turned.get(desk.cameraOf(request, request.params.id)) ?? null,
    }),
  );
}

function howOf(to: z.infer<typeof turnBody>): Pick<Last, 'how' | 'preset'> {
  if ('preset' in to) return { how: 'preset', preset: to.preset };
  return { how: 'home' in to ? 'home' : 'hand' };
}
