import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { rankOf } from '#edge/domain/broadcast.ts';
import type { DeliveryState } from '#edge/domain/delivery.ts';
import type { Device } from '#edge/domain/device.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import type { CoreBlocker, CoreHappening, CoreItemNow, CoreNow, CoreOutput, CorePart } from './broadcast-core.ts';
import type * as shapes from './broadcast-schemas.ts';
import type { LiveState } from './live.ts';
import { createScopes, type Scope } from './scope.ts';
import type { CampusView } from './server.ts';

/* What sounds, as somebody may see it: core's answers with the names of places, and of one's own zones only. */

export type RoomView = z.infer<typeof shapes.soundRoom>;
export type ItemView = z.infer<typeof shapes.soundItem>;
type PartView = z.infer<typeof shapes.soundPart>;
type BlockerView = NonNullable<PartView['blocker']>;
export type StoryLine = z.infer<typeof shapes.whyView>['recent'][number];

/** The output that a loudspeaker is told by. */
const orderPoint = 'clip';
const away: ReadonlySet<string> = new Set(['offline', 'misconfigured', 'held']);

export type BroadcastDesk = ReturnType<typeof createBroadcastDesk>;

export function createBroadcastDesk(
  { site, devices, reader }: Pick<CampusView, 'site' | 'devices' | 'reader'>,
  live: LiveState,
) {
  const scopes = createScopes(site.devices);
  const speakers = new Map<string, Device>(devices.filter(isLoudspeaker).map((device) => [device.id, device]));
  const deviceOf = (output: string) => speakers.get(splitPointRef(output)?.device ?? '');
  const zones = new Set<string>(site.zones.map(({ id }) => id));

  const roomOf = (told: CoreNow['rooms'][number], online: ReadonlyMap<string, boolean>, scope: Scope) => {
    const device = deviceOf(told.output);
    if (device === undefined || !scope.seesDevice(device.id)) return [];
    const { answer, proof, evidence, output } = told;
    return [
      {
        ...{ output, device: device.id, name: { ...device.name }, zone: device.zone, space: device.space ?? null },
        ...soundOf(answer, scope),
        ...{ proof, evidence, online: online.get(device.id) ?? null, trouble: troubleOf(device.id, live) },
      } satisfies RoomView,
    ];
  };

  return {
    speakers,
    scopeOf: (request: Pick<FastifyRequest, 'principal'>): Scope => scopes(principalOf(request)),
    /** The order point of a loudspeaker that he sees. Throws DEVICE_NOT_FOUND. */
    outputOf(device: string, scope: Scope): string {
      if (speakers.has(device) && scope.seesDevice(device)) return `${device}/${orderPoint}`;
      throw new CodedError('DEVICE_NOT_FOUND', `there is no loudspeaker "${device}"`);
    },
    deviceOf: (output: string): string | null => deviceOf(output)?.id ?? null,
    /** Of somebody who sees some zones `all` is all of his. Throws ZONE_NOT_FOUND. */
    zonesOf(wish: 'all' | readonly string[], scope: Scope): 'all' | readonly string[] {
      if (wish === 'all') return scope.zones ?? 'all';
      const unknown = wish.find((zone) => !zones.has(zone) || !scope.covers(zone));
      if (unknown !== undefined) throw new CodedError('ZONE_NOT_FOUND', `there is no zone "${unknown}"`);
      return wish;
    },
    rooms(now: CoreNow, scope: Scope): RoomView[] {
      const online = onlineOf(live);
      return now.rooms.flatMap((room) => roomOf(room, online, scope));
    },
    /** Strongest first; of a class what plays before what waits. */
    items: (now: CoreNow, scope: Scope): ItemView[] =>
      now.items
        .flatMap((item) => itemOf(item, scope) ?? [])
        .sort((a, b) => rankOf(a.class) - rankOf(b.class) || turns[a.state] - turns[b.state] || a.since - b.since),
    /** Latest first: what happened on one loudspeaker. */
    story(answer: CoreOutput, { items }: CoreNow, scope: Scope): StoryLine[] {
      const names = new Map(items.map(({ item: { id, name } }) => [id, name]));
      // What is over is in the ledger alone.
      const nameOf = (item: string) => names.get(item) ?? reader.broadcast(item)?.item.name ?? null;
      return answer.recent.map((one) => ({ ...lineOf(one, scope), name: nameOf(one.item) }));
    },
  };
}

const turns = { playing: 0, cut: 1, waiting: 2, over: 3 } as const;

function isLoudspeaker({ points }: Device): boolean {
  return points.some(({ name, type, write }) => name === orderPoint && type === 'text' && write !== undefined);
}

/** By device, where its driver says whether it answers. */
function onlineOf(live: LiveState): ReadonlyMap<string, boolean> {
  const online = new Map<string, boolean>();
  for (const { state: process, devices } of live.health.values()) {
    for (const { device, state } of devices) {
      if (state !== 'starting') online.set(device, process === 'ready' && !away.has(state));
    }
  }
  return online;
}

/** The alarm of a sound that was not heard, until somebody has seen to it. */
function troubleOf(device: string, live: LiveState): RoomView['trouble'] {
  for (const alarm of live.alarms.values()) {
    if (alarm.source !== `delivery:${device}` || alarm.state === 'acknowledged') continue;
    return { item: '', reason: alarm.reason ?? alarm.message.zh, time: alarm.raised };
  }
  return null;
}

function soundOf(answer: CoreOutput, scope: Scope) {
  const { reason, playing, waiting, outside, quiet, level } = answer;
  return {
    reason,
    playing: playing === null ? null : partOf(playing, scope),
    waiting: waiting.map((one) => partOf(one, scope)),
    // A hold without a class is as strong as fire (rules/sound.ts).
    outside:
      outside === null ? null : { ...outside, reason: scope.words(outside.reason), class: outside.class ?? 'fire' },
    quiet: quiet === null ? null : { kind: quiet.kind, reason: scope.words(quiet.reason), until: quiet.until },
    level: level === null ? null : { ...level, cap: level.cap },
  } satisfies Partial<RoomView>;
}

function partOf({ isDrill, cutAt: _, blocker, why, ...part }: CorePart, scope: Scope): PartView {
  return {
    ...part,
    why: scope.words(why),
    drill: isDrill,
    blocker: blocker === null ? null : blockerOf(blocker, scope),
  };
}

function blockerOf(blocker: CoreBlocker, scope: Scope): BlockerView {
  switch (blocker.kind) {
    case 'item':
      return { kind: 'item', class: blocker.class, name: blocker.name, reason: '', until: null };
    case 'outside':
      return {
        ...{ kind: 'outside', class: blocker.class, name: null, until: null },
        ...{ reason: scope.words(blocker.reason), owner: blocker.owner },
      };
    case 'quiet':
      return {
        ...{ kind: 'quiet', class: null, name: null, until: blocker.until },
        ...{ reason: scope.words(blocker.reason), rooms: blocker.rooms },
      };
  }
}

/** null: none of its loudspeakers is his. */
function itemOf({ item, state, outputs: byState }: CoreItemNow, scope: Scope): ItemView | null {
  const counts: Partial<Record<DeliveryState, number>> = {};
  let outputs = 0;
  for (const [partState, all] of Object.entries(byState)) {
    const seen = all.filter(scope.seesRef).length;
    if (seen === 0) continue;
    outputs += seen;
    counts[partState === 'over' ? 'played' : (partState as 'waiting' | 'playing' | 'cut')] = seen;
  }
  if (outputs === 0) return null;
  const { id, name, source, since, length, until, drill, by, why } = item;
  return {
    ...{ id, class: item.class, name, since, length, until, drill, by, state },
    ...{ clips: source.kind === 'clips' ? source.clips : [], live: source.kind === 'live' },
    ...{ why: scope.words(why), outputs, counts },
  };
}

function lineOf(
  { kind, at, reason, by, item, class: itemClass, said }: CoreHappening,
  scope: Scope,
): Omit<StoryLine, 'name'> {
  return {
    ...{ kind, at, reason, item, class: itemClass },
    blocker: by === null ? null : blockerOf(by, scope),
    said: said === null ? null : { by: said.by, why: scope.words(said.why) },
  };
}
