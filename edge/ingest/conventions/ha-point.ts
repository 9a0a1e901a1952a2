import type { Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import { isSlug } from '#edge/domain/ids.ts';
import { usualLabel } from '#edge/profiles/labels.ts';
import { defaultDeadband } from '#edge/profiles/units.ts';
import { keptUnit, ucumOf } from '../stated-unit.ts';
import type { Entity } from './ha-config.ts';

/* An announced entity as a point of ours: its name, type and unit. */

/** Sensors that do not say when they expire: ESPHome reports every minute, battery nodes every hour at most. */
const sensorStale = 90 * 60_000;

/* Home Assistant's device classes whose usual point name here is another word. */
const pointNames: Readonly<Record<string, string>> = {
  carbon_dioxide: 'co2',
  carbon_monoxide: 'co',
  atmospheric_pressure: 'pressure',
  volatile_organic_compounds: 'tvoc',
  volatile_organic_compounds_parts: 'tvoc',
  moisture: 'water_leak',
  pm25: 'pm2_5',
  signal_strength: 'signal',
};

/** The name this entity would like; null when nothing usable is in it. */
export function pointNameOf(entity: Entity): string | null {
  const { deviceClass, component } = entity;
  if (deviceClass !== null && isSlug(deviceClass)) {
    // A soil sensor's moisture is a number and no leak.
    if (deviceClass === 'moisture' && component !== 'binary_sensor') return 'moisture';
    return Object.hasOwn(pointNames, deviceClass) ? (pointNames[deviceClass] ?? deviceClass) : deviceClass;
  }
  return objectName(entity);
}

/** The object id as a slug, without the device's own name in front. */
export function objectName(entity: Entity): string | null {
  const slug = slugOf(entity.objectId);
  const prefix = entity.ids.map((id) => `${slugOf(id)}_`).find((id) => id.length > 1 && slug.startsWith(id));
  const name = prefix === undefined ? slug : slug.slice(prefix.length);
  return isSlug(name) ? name : null;
}

function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 63);
}

export function pointOf(entity: Entity, name: string): Point {
  const type = typeOf(entity);
  const unit = type === 'number' ? unitOf(entity) : '';
  const usual = usualLabel(name);
  return {
    name: name as PointName,
    label: entity.name === null ? usual : { zh: entity.name, en: entity.name },
    type,
    unit,
    poll: 'watch',
    deadband: type === 'number' ? defaultDeadband(unit) : 0,
    // A binary sensor speaks when something changes; its silence is known by its availability.
    staleAfter: entity.expireAfter ?? (type === 'number' ? sensorStale : 0),
    address: { discovered: entity.stateTopic },
  };
}

function typeOf(entity: Entity): Point['type'] {
  if (entity.component === 'binary_sensor' || entity.component === 'switch') return 'boolean';
  if (entity.component === 'number') return 'number';
  // As Home Assistant does: a sensor is a number when it says what it is measured in.
  const numeric = entity.unit !== null || (entity.deviceClass !== null && entity.deviceClass !== 'enum');
  return numeric && entity.component === 'sensor' && entity.deviceClass !== 'timestamp' ? 'number' : 'text';
}

/** UCUM: what nobody knows becomes an annotation of a pure number, `{lqi}`. */
function unitOf(entity: Entity): string {
  if (entity.unit === null) return '1';
  const known = ucumOf(entity.deviceClass === 'humidity' && entity.unit === '%' ? '%RH' : entity.unit);
  if (known !== null) return keptUnit(known);
  const annotation = entity.unit.replace(/[^\x21-\x7a|~]/g, '');
  return annotation === '' ? '1' : `{${annotation}}`;
}
