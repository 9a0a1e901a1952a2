import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from './access.ts';
import { networkSchema, repairSchema, repairSteps } from './rule-schemas.ts';
import { problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';

const networkRows = z.array(networkSchema);
/** Core remembers more than people are shown. */
const repair = repairSchema.strip();
const repairRows = z.array(repair);

/** How devices are on the network, and how the broken ones are being mended. Core knows; it is asked each time. */
export function addRepairRoutes(app: App, { site, rpc }: CampusView): void {
  const scopeOf = createScopes(site.devices);

  app.get(
    '/api/v1/network',
    {
      config: { access: 'see' },
      schema: {
        tags: ['devices'],
        summary: 'Whether each device with an address answers, how fast, and how much is lost',
        description: '`way` says how it was probed: `icmp`, or `tcp` where the campus has no `ping` program.',
        response: { ...problems(503), 200: networkRows },
      },
    },
    async (request) => {
      const scope = scopeOf(principalOf(request));
      const rows = networkRows.parse(await rpc.call('network.list', {}));
      const own = rows.filter(({ device }) => scope.seesDevice(device));
      // What it hangs on may stand elsewhere.
      return own.map((row) =>
        row.uplink === null || scope.seesDevice(row.uplink.device) ? row : { ...row, uplink: null },
      );
    },
  );

  app.get(
    '/api/v1/repairs',
    {
      config: { access: 'see' },
      schema: {
        tags: ['devices'],
        summary:
          'Devices that are being mended, or were within a day, latest first, each step with its time and outcome',
        response: { ...problems(503), 200: repairRows },
      },
    },
    async (request) => {
      const scope = scopeOf(principalOf(request));
      const found = repairRows.parse(await rpc.call('repair.list', {}));
      return found.filter(({ device }) => scope.seesDevice(device)).map((one) => inWords(one, scope.words));
    },
  );

  app.post(
    '/api/v1/repairs/:device',
    {
      config: { access: 'operate' },
      schema: {
        tags: ['actions'],
        summary: 'Begins a step of mending a device now; 409 says why it cannot be',
        description:
          '`switch` turns its PoE port off and on, `power` its relay. Never while people are being led out, nor where others would lose their power.',
        params: z.object({ device: z.string().regex(slugPattern, 'must be the id of a device') }),
        body: z.strictObject({ step: z.enum(repairSteps) }),
        response: { ...problems(400, 404, 409, 503), 200: repair },
      },
    },
    async (request) => {
      const { device } = request.params;
      const scope = scopeOf(principalOf(request));
      if (!scope.seesDevice(device)) throw new CodedError('DEVICE_NOT_FOUND', `there is no device "${device}"`);
      const { step } = request.body;
      // A driver serves devices everywhere: sound, pictures and meters of other zones would pause with it.
      if (step === 'restart' && !scope.isWhole) {
        throw new CodedError(
          'REPAIR_REFUSED',
          'its driver also serves other zones: only who sees the whole campus restarts it',
        );
      }
      try {
        const begun = repair.parse(await rpc.call('repair.act', { device, step, ...actorOf(request) }));
        return inWords(begun, scope.words);
      } catch (error) {
        // Why it cannot be may be something elsewhere.
        if (codeOf(error) !== 'REPAIR_REFUSED') throw error;
        throw new CodedError('REPAIR_REFUSED', scope.words(messageOf(error)));
      }
    },
  );
}

type Repair = z.infer<typeof repairSchema>;

/** Who holds an output may be something elsewhere. */
function inWords(one: Repair, words: (text: string) => string): Repair {
  return { ...one, steps: one.steps.map((step) => ({ ...step, outcome: words(step.outcome) })) };
}
