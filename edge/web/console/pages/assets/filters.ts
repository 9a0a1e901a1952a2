import type { AssetView } from '../../../place-schemas.ts';

export const shows = ['everything', 'overdue', 'dueSoon', 'warrantyEnds', 'unwritten'] as const;
export type Show = (typeof shows)[number];

/** ISO date of an instant plus some days. */
function dateOf(now: number, days: number): string {
  return new Date(now + days * 86_400_000).toISOString().slice(0, 10);
}

/** What is shown, what is due first on top. `text` is looked for in everything that names a device. */
export function choose(assets: readonly AssetView[], show: Show, text: string, now: number): AssetView[] {
  const wanted = text.trim().toLowerCase();
  const today = dateOf(now, 0);
  const fits: Readonly<Record<Show, (asset: AssetView) => boolean>> = {
    everything: () => true,
    overdue: ({ due }) => due !== null && due < today,
    dueSoon: (asset) => isSoon(asset, now),
    warrantyEnds: ({ warranty }) => warranty !== null && warranty >= today && warranty <= dateOf(now, 90),
    unwritten: ({ rev }) => rev === 0,
  };
  return assets
    .filter(fits[show])
    .filter((asset) => wanted === '' || haystack(asset).includes(wanted))
    .sort((a, b) => (a.due ?? '9999').localeCompare(b.due ?? '9999') || a.device.localeCompare(b.device));
}

function haystack({ device, deviceName, number, make, model, serial, place, profileMake, profileModel }: AssetView) {
  const parts = [device, deviceName.zh, deviceName.en, number, make, model, serial, place, profileMake, profileModel];
  return parts.join(' ').toLowerCase();
}

export function isOverdue({ due }: AssetView, now: number): boolean {
  return due !== null && due < dateOf(now, 0);
}

/** Due within 30 days, and not over yet. */
export function isSoon({ due }: AssetView, now: number): boolean {
  return due !== null && due >= dateOf(now, 0) && due <= dateOf(now, 30);
}
