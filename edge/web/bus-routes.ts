import { principalOf } from './access.ts';
import { type BusesView, busesSchema } from './energy-schemas.ts';
import type { LiveState } from './live.ts';
import { problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

/** Lines that several devices share, and everything on them: what a person with a laptop at the cabinet wants to know. */
export function addBusRoutes(app: App, { site }: Pick<CampusView, 'site'>, live: LiveState): void {
  const scopeOf = createScopes(site.devices);
  app.get(
    '/api/v1/buses',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: 'How busy each shared line is, how fast each unit on it answers, and who failed when',
        description: 'Who sees some zones only sees the lines with a device there, and on them only these devices.',
        response: { ...problems(), 200: busesSchema },
      },
    },
    (request) => ({ buses: listBuses(live, scopeOf(principalOf(request))) }),
  );
}

function listBuses(live: LiveState, scope: Scope): BusesView['buses'] {
  return [...live.health.values()]
    .flatMap(({ process, state, buses = [] }) =>
      buses.map((bus) => ({
        ...bus,
        process,
        // What a process that is gone said last is no news of the line.
        ...(state === 'stopped' ? { state: 'down' as const, message: `the process ${process} is not running` } : {}),
        units: bus.units.filter(({ device }) => scope.seesDevice(device)),
      })),
    )
    .filter(({ units }) => scope.isWhole || units.length > 0)
    .sort((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true }));
}
