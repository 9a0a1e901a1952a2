/** Branded identifiers. Things people name are slugs; happenings are UUIDv7 (`runtime/ids.ts`). */
declare const brand: unique symbol;
export type Branded<T, B extends string> = T & { readonly [brand]: B };

/** 10-digit 学校标识码: 2 digits category, 2 province, 6 serial. */
export type CampusId = Branded<string, 'CampusId'>;
export type DeviceId = Branded<string, 'DeviceId'>;
export type PointName = Branded<string, 'PointName'>;
/** `<device>/<point>`, the only way a point is named across rooms, in topics and on the wire. */
export type PointRef = Branded<string, 'PointRef'>;
export type ZoneId = Branded<string, 'ZoneId'>;
export type SpaceId = Branded<string, 'SpaceId'>;
/** UUIDv7. */
export type HappeningId = Branded<string, 'HappeningId'>;

export const slugPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
export const campusIdPattern = /^\d{10}$/;
export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isSlug(text: string): boolean {
  return slugPattern.test(text);
}

export function pointRef(device: DeviceId, point: PointName): PointRef {
  return `${device}/${point}` as PointRef;
}

/** Splits a reference; null when it is not `<slug>/<slug>`. */
export function splitPointRef(ref: string): { device: DeviceId; point: PointName } | null {
  const cut = ref.indexOf('/');
  const device = ref.slice(0, cut);
  const point = ref.slice(cut + 1);
  if (cut < 1 || !isSlug(device) || !isSlug(point)) return null;
  return { device: device as DeviceId, point: point as PointName };
}
