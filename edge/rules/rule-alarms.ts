import type { AlarmClass } from '#edge/domain/alarm.ts';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { RuleKind } from '#edge/domain/rule.ts';
import { type CompiledInstance, isSensing } from './compiled-rule.ts';
import type { AlarmDecision, OnceDecision, RaiseDecision } from './decision.ts';
import { blindWords, clockOf, isBlind } from './evidence.ts';
import { fillIn } from './message.ts';
import { type InstanceMemory, says } from './rule-memory.ts';
import { type Findings, type Scene, wakeBy } from './scene.ts';

/* Which alarms an instance wants, against those there are: level-triggered, so that a lost turn heals in the next. */

type Whereabouts = Pick<RaiseDecision, 'device' | 'ref' | 'zone' | 'event'>;

export function alarmOfRule(
  one: CompiledInstance,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
  why: string,
): readonly AlarmDecision[] {
  const { owner: source, alarm } = one;
  const isOpen = scene.isShadow ? memory.saidAlarm : scene.openAlarms.get(source)?.active === true;
  if (alarm === null || !memory.fired) {
    memory.saidAlarm = false;
    // The rule had one before, when `alarm` is null.
    return isOpen ? [{ kind: 'return', source, reason: alarm === null ? 'it gives no alarm' : why }] : [];
  }
  if (isOpen && findings.heard.length === 0) return [];
  memory.saidAlarm = true;
  const place = whereabouts(one, memory, scene, findings);
  return [
    {
      kind: 'raise',
      source,
      class: alarm.class,
      message: fillIn(alarm.message, factsOf(one, memory, scene, place)),
      next: fillIn(alarm.next, factsOf(one, memory, scene, place)),
      reason: why,
      ...place,
      ...(alarm.camera === undefined ? {} : { camera: alarm.camera }),
      group: one.rule.id,
    },
  ];
}

/** Said when it fires, and never again for this firing. */
export function onceOf(
  one: CompiledInstance,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
  why: string,
): readonly OnceDecision[] {
  if (one.once.length === 0) return [];
  const place = whereabouts(one, memory, scene, findings);
  return one.once.map((action): OnceDecision => {
    if (action.kind === 'snapshot') {
      return { kind: 'snapshot', owner: one.owner, camera: action.camera, reason: why };
    }
    const message = fillIn(action.message, factsOf(one, memory, scene, place));
    const zone = place.zone === undefined ? {} : { zone: place.zone };
    return { kind: 'notify', about: `rule:${one.id}`, to: action.to, message, ...zone };
  });
}

/** The event that did it, or the first point that says so: where a person must look. Else where the instance is at home. */
function whereabouts(one: CompiledInstance, memory: InstanceMemory, scene: Scene, findings: Findings): Whereabouts {
  const told = memory.leaves.find((own) => own.verdict && own.event !== null)?.event;
  const event = findings.heard.at(-1) ?? told;
  if (event !== undefined && event !== null) {
    const { id, device, zone = scene.index.zoneOf(device) ?? scene.index.zoneOfPlace(one.place) } = event;
    return { event: id, ...(device && { device }), ...(zone && { zone }) };
  }
  const ref = firstPoint(one, memory)?.ref;
  const device = ref === undefined ? undefined : splitPointRef(ref)?.device;
  const zone = scene.index.zoneOf(device) ?? scene.index.zoneOfPlace(one.place);
  const home = device ?? (one.place?.kind === 'device' ? scene.index.devices.get(one.place.id)?.id : undefined);
  return { ...(ref && { ref }), ...(home && { device: home }), ...(zone && { zone }) };
}

function firstPoint(one: CompiledInstance, memory: InstanceMemory): { ref: PointRef; at: number; leaf: number } | null {
  for (const [i, leaf] of one.leaves.entries()) {
    const own = memory.leaves[i];
    if (own === undefined || !own.verdict || !isSensing(leaf)) continue;
    const at = own.points.findIndex((point) => (leaf.kind === 'edges' ? point.verdict : point.says & says.stand));
    const ref = leaf.refs[at];
    if (ref !== undefined) return { ref, at, leaf: i };
  }
  return null;
}

function factsOf(one: CompiledInstance, memory: InstanceMemory, scene: Scene, { device, zone }: Whereabouts) {
  const { index } = scene;
  const first = firstPoint(one, memory);
  const own = first === null ? undefined : memory.leaves[first.leaf];
  const at = device === undefined ? undefined : index.devices.get(device);
  const place: Name | undefined =
    (one.place === null ? undefined : index.nameOf(one.place.kind, one.place.id)) ??
    (at?.space === undefined ? undefined : index.nameOf('space', at.space)) ??
    (zone === undefined ? undefined : index.nameOf('zone', zone));
  return {
    place: place ?? null,
    device: at?.name ?? null,
    reading: first === null ? undefined : own?.points[first.at]?.reading,
    count: countOf(one, memory),
    since: clockOf(scene.calendar.local(memory.since ?? scene.now).minute),
  };
}

/** How often it happened, where the rule counts; else how many points say so. */
function countOf(one: CompiledInstance, memory: InstanceMemory): number | null {
  let points: number | null = null;
  for (const [i, leaf] of one.leaves.entries()) {
    const own = memory.leaves[i];
    if (own?.verdict !== true) continue;
    if (leaf.kind === 'events' || leaf.kind === 'edges') return own.times.length;
    if (isSensing(leaf)) points ??= own.tally.stand;
  }
  return points;
}

const blindClasses: Readonly<Record<RuleKind, AlarmClass>> = {
  safety: 'high',
  security: 'medium',
  energy: 'low',
  comfort: 'low',
  notice: 'low',
};

/**
 * A rule that holds on because it cannot see is an alarm of its own. Outside its `while` it could not fire anyway, so it misses nothing.
 * `failure`: it could not even be evaluated, which is said at once.
 */
export function alarmOfBlindness(
  one: CompiledInstance,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
  mayFire: boolean,
): readonly AlarmDecision[] {
  const source = one.blindSource;
  const open = scene.isShadow ? memory.saidBlind : scene.openAlarms.get(source)?.active === true;
  if (!(isBlind(one, memory) && (mayFire || memory.fired))) {
    memory.blindSince = null;
    memory.blindRefs = '';
    memory.blindness = -1;
    memory.saidBlind = false;
    return open ? [{ kind: 'return', source, reason: 'every value can be used again' }] : [];
  }
  memory.blindSince ??= scene.monotonic;
  const due = memory.blindSince + scene.blindAfter;
  if (scene.monotonic < due && !open) {
    wakeBy(findings, due);
    return [];
  }
  const blindness = memory.leaves.reduce((sum, own) => sum + own.blindness, 0);
  if (open && blindness === memory.blindness) return [];
  memory.blindness = blindness;
  const words = blindWords(one, memory);
  const refs = words.map((text) => text.split(' ')[0] ?? '');
  const before = memory.blindRefs;
  memory.blindRefs = refs.join();
  if (open && before === memory.blindRefs) return [];
  memory.saidBlind = true;
  const [device, ...others] = new Set(refs.map((ref) => splitPointRef(ref)?.device));
  return [blindAlarm(one, scene, words.slice(0, 8).join(', '), others.length === 0 ? device : undefined)];
}

export function blindAlarm(one: CompiledInstance, scene: Scene, reason: string, device?: string): RaiseDecision {
  const { name, kind, id } = one.rule;
  const isSafety = kind === 'safety';
  const place = one.place === null ? undefined : scene.index.nameOf(one.place.kind, one.place.id);
  const at = device === undefined ? undefined : scene.index.devices.get(device);
  const zone = at?.zone ?? scene.index.zoneOfPlace(one.place);
  return {
    kind: 'raise',
    source: one.blindSource,
    class: blindClasses[kind],
    message: {
      zh: `${isSafety ? '联锁' : '规则'}“${name.zh}”${place === undefined ? '' : `（${place.zh}）`}失去依据：${reason}`,
      en: `${isSafety ? 'Interlock' : 'Rule'} "${name.en}"${place === undefined ? '' : ` (${place.en})`} is blind: ${reason}`,
    },
    next: isSafety
      ? {
          zh: '检查设备的供电与通信；恢复之前请派人看守现场。',
          en: 'Check power and communication of the device; watch the place yourself until it is back.',
        }
      : {
          zh: '检查设备的供电与通信；恢复之前此规则不会动作。',
          en: 'Check power and communication of the device; until it is back this rule does nothing.',
        },
    reason,
    ...(at === undefined ? {} : { device: at.id }),
    ...(zone === undefined ? {} : { zone }),
    group: `blind:${id}`,
  };
}
