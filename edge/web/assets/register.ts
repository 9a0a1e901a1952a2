import type { DocumentBody, StoredDocument } from '#edge/store/documents.ts';
import { documentSchemas } from '#edge/store/documents.ts';
import type { KnownProfile } from '../known-profile.ts';
import type { AssetView } from '../place-schemas.ts';
import type { CampusView } from '../server.ts';

export type Asset = DocumentBody<'asset'>;
type SiteDevice = CampusView['site']['devices'][number];

/** What a device has of which nobody wrote anything yet. */
export const emptyAsset: Asset = documentSchemas.asset.parse({});

/** One line of the register. */
export function describeAsset(
  device: SiteDevice,
  stored: StoredDocument<'asset'> | null,
  profile: KnownProfile | undefined,
  localDate: (time: number) => string,
): AssetView {
  const body = stored?.body ?? emptyAsset;
  return {
    device: device.id,
    deviceName: device.name,
    zone: device.zone,
    rev: stored?.rev ?? 0,
    ...body,
    maintenance: [...body.maintenance],
    profileMake: profile?.make ?? '',
    profileModel: profile?.model ?? '',
    due: dueDate(body, stored === null ? null : localDate(stored.time)),
  };
}

/**
 * When the next maintenance is due: `every` days after the last one; where there was none yet, after the device was
 * bought, or else after somebody planned it.
 */
export function dueDate({ every, maintenance, bought }: Asset, planned: string | null): string | null {
  if (every === null) return null;
  const last = maintenance.reduce<string | null>(
    (newest, { date }) => (newest === null || date > newest ? date : newest),
    null,
  );
  const from = last ?? bought ?? planned;
  return from === null ? null : addDays(from, every);
}

/** ISO dates have no zone: days are counted as in UTC, where all are equally long. */
function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
