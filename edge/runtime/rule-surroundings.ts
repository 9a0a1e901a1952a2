import type { Device } from '#edge/domain/device.ts';
import type { SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Site } from './site.ts';
import { checkTarget } from './site-notify.ts';

/* What the rules of a site may be about and may name: in the shapes that the pure room `rules` wants. */

/** Its points and places. `devices`: those whose profiles could be read. */
export function ruleCampus(site: Pick<Site, 'zones' | 'buildings'>, devices: readonly Device[]) {
  const zones: readonly { readonly id: ZoneId; readonly name: Name; readonly spaces: readonly SpaceId[] }[] =
    site.zones;
  const spaces: readonly { readonly id: SpaceId; readonly name: Name }[] = site.buildings.flatMap(({ floors }) =>
    floors.flatMap((floor) => floor.spaces),
  );
  return { devices, zones, spaces };
}

/** Clips, modes, whom to tell, and cameras. */
export function ruleSurroundings(site: Pick<Site, 'clips' | 'modes' | 'notify'>, devices: readonly Device[]) {
  return {
    clips: Object.keys(site.clips),
    modes: site.modes.map(({ id }) => id),
    recipients: recipientsOf(site.notify),
    cameras: devices.filter(({ protocol }) => protocol === 'onvif').map(({ id }) => String(id)),
  };
}

/** Everything that `to` may say and that tells somebody. */
function recipientsOf(notify: Site['notify']): string[] {
  if (notify === undefined) return [];
  const channels = notify.channels.map(({ id }) => id);
  const people = new Set(notify.recipients.flatMap(({ id, groups }) => [id, ...groups]));
  const ways = [...people].flatMap((who) => [who, ...channels.map((channel) => `${who}@${channel}`)]);
  return [...channels, ...ways].filter((to) => checkTarget(notify, to) === null);
}
