import { registerAlarmIn, registerCalendar, registerEvent } from './campus-happenings.node.ts';
import { registerHistory } from './campus-history.node.ts';
import { registerBroadcast, registerHold } from './campus-hold.node.ts';
import { registerReading } from './campus-reading.node.ts';
import { registerAlarm, registerNotify } from './campus-telling.node.ts';
import type { NodeApi } from './node-api.ts';

/** All nodes of the palette's category `campus`. */
export default function register(RED: NodeApi): void {
  registerReading(RED);
  registerEvent(RED);
  registerAlarmIn(RED);
  registerCalendar(RED);
  registerHistory(RED);
  registerHold(RED);
  registerBroadcast(RED);
  registerAlarm(RED);
  registerNotify(RED);
}
