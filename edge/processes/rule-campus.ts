import type { RuleSurroundings } from '#edge/rules/check-rule.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { NotifyChannel, NotifyRecipient } from '#edge/runtime/site-notify.ts';
import type { Campus } from './campus.ts';

/** The campus as rules see it: every device with its points, and the places they are in. */
export function ruleCampusOf(site: Pick<Site, 'zones' | 'buildings'>, campus: Pick<Campus, 'devices'>): RuleCampus {
  return {
    devices: campus.devices,
    zones: site.zones.map(({ id, name, spaces }) => ({ id, name, spaces })),
    spaces: site.buildings.flatMap(({ floors }) =>
      floors.flatMap(({ spaces }) => spaces.map(({ id, name }) => ({ id, name }))),
    ),
  };
}

/** What a rule of this site may name besides points, places and other rules. */
export function ruleSurroundingsOf(
  site: Pick<Site, 'clips' | 'modes' | 'notify'>,
  campus: Pick<Campus, 'devices'>,
): Omit<RuleSurroundings, 'rules'> {
  const { channels = [], recipients = [] } = site.notify ?? {};
  return {
    clips: Object.keys(site.clips),
    modes: site.modes.map(({ id }) => id),
    recipients: namesOf(channels, recipients),
    cameras: campus.devices.filter(({ protocol }) => protocol === 'onvif').map(({ id }) => id),
  };
}

/** Everything that `to` may say: channels, people, groups, and these over one channel. */
function namesOf(channels: readonly NotifyChannel[], recipients: readonly NotifyRecipient[]): string[] {
  const people = new Set(recipients.flatMap(({ id, groups }) => [id, ...groups]));
  const over = [...people].flatMap((who) => channels.map(({ id }) => `${who}@${id}`));
  return [...channels.map(({ id }) => id), ...people, ...over];
}
