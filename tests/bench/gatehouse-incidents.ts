import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Incident, IncidentState } from '#edge/domain/incident.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Store } from '#edge/store/store.ts';
import { day } from './store-folder.ts';

/* A year of a gatehouse: few are open, most were seen, some have words of people. The same each time. */

const days = 365;
const atOnce = 1_000;
const zones = ['gate', 'playground', 'teaching', 'canteen'];
const cameras = ['camera-gate', 'camera-playground'];
const types = ['person', 'motion', 'vehicle', 'line_cross', 'intrusion', 'tamper', 'loitering'];
const classes = ['medium', 'low', 'low', 'high', 'medium', 'low', 'critical'] as const;
const said = ['送水车辆，已核对', '家长接送', '风吹树枝', '施工人员，有登记', 'delivery, checked'];

/** How many are stored, the last of them at `end`. */
export async function fillIncidents(store: Store, count: number, end: number): Promise<void> {
  const gap = (days * day) / count;
  for (let from = 0; from < count; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => from + i);
    await store.append({ incidents: some.map((n) => incidentOf(n, Math.round(end - (count - n) * gap))) });
  }
}

function incidentOf(n: number, time: number): Incident {
  const clock = new ManualClock(time);
  const pick = <T>(list: readonly T[], step: number): T => list[Math.floor(n / step) % list.length] as T;
  const who = { who: 'person:li', name: '李强', time: time + 60_000 };
  const state: IncidentState =
    n % 100 === 0 ? 'new' : n % 150 === 1 ? 'claimed' : n % 400 === 2 ? 'escalated' : 'resolved';
  const note = n % 5 === 0 ? pick(said, 3) : '';
  const line = (what: 'opened' | 'seen' | 'resolved', text = '') => ({ ...who, what, text });
  return {
    ...{ id: newHappeningId(clock), state, class: pick(classes, 1), zone: pick(zones, 5) as ZoneId },
    ...{ types: [pick(types, 1)], devices: [pick(cameras, 5) as DeviceId], from: time, to: time + 4_000 },
    ...{ isClosed: true, events: Array.from({ length: 1 + (n % 6) }, () => newHappeningId(clock)), count: 1 + (n % 6) },
    ...{ picture: null, claimedBy: state === 'claimed' ? who : null, seenBy: n % 20 === 0 ? null : who },
    ...{ escalatesAt: null, outcome: state === 'resolved' ? 'handled' : null, note, emergency: null, rev: 3 },
    course: [line('opened'), line('seen'), ...(state === 'resolved' ? [line('resolved', note)] : [])],
  };
}
