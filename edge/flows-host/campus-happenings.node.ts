import type { CalendarMessage } from '#edge/bus/codec.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { parseGlobs } from './guest.ts';
import { keepWatching, type NodeApi, onInput, readList, registerCampusNode } from './node-api.ts';

interface EventConfig {
  /** One type; '' is every type. */
  readonly event: string;
  /** Globs of devices and zones, parted by commas; '' is all. */
  readonly device: string;
  readonly zone: string;
}

/** `campus event`: a message for each event. `msg.payload` is {id, type, device, zone, active, time, data}. */
export function registerEvent(RED: NodeApi): void {
  registerCampusNode<EventConfig>(RED, 'campus event', (node, config, { guest, runAs }) => {
    const [ofDevice, ofZone] = [parseGlobs(config.device), parseGlobs(config.zone)];
    const onEvent = (event: CampusEvent) => {
      if (!ofDevice(event.device ?? '') || !ofZone(event.zone ?? '')) return;
      const { id, type, device, zone, active, time, data } = event;
      runAs(node, () => {
        node.send({ topic: type, payload: { id, type, device, zone, active, time, data: { ...data } } });
      });
    };
    keepWatching(node, guest.watchEvents(config.event, onEvent));
  });
}

interface AlarmInConfig {
  /** Classes parted by commas; '' is all. */
  readonly classes: string;
  readonly zone: string;
  readonly source: string;
}

/** `campus alarm in`: the open alarms, and each change of one. `msg.payload` is the alarm; `msg.change` says what became of it. */
export function registerAlarmIn(RED: NodeApi): void {
  registerCampusNode<AlarmInConfig>(RED, 'campus alarm in', (node, config, { guest, runAs }) => {
    const classes = readList(config.classes);
    const [ofZone, ofSource] = [parseGlobs(config.zone), parseGlobs(config.source)];
    const seen = new Map<string, string>();
    const onAlarm = (alarm: Alarm) => {
      if (classes.length > 0 && !classes.includes(alarm.class)) return;
      if (!ofZone(alarm.zone ?? '') || !ofSource(alarm.source)) return;
      const change = alarmChange(alarm, seen.get(alarm.id));
      if (seen.size > 1_000) seen.clear();
      if (alarm.state === 'normal') seen.delete(alarm.id);
      else seen.set(alarm.id, alarmPrint(alarm));
      if (change === null) return;
      runAs(node, () => node.send({ topic: alarm.source, change, payload: { ...alarm } }));
    };
    keepWatching(node, guest.watchAlarms(onAlarm));
  });
}

function alarmPrint({ state, active, class: kind, count }: Alarm): string {
  return `${state} ${active} ${kind} ${count}`;
}

/** null: only its words changed. */
function alarmChange(alarm: Alarm, before: string | undefined): string | null {
  if (before === alarmPrint(alarm)) return null;
  if (alarm.state === 'normal') return 'ended';
  if (before === undefined) return 'raised';
  return alarm.state === 'unacknowledged' ? 'again' : alarm.state;
}

interface CalendarConfig {
  /** Label of the calendar or mode; '' is all. */
  readonly calendar: string;
}

/**
 * `campus calendar`: a message when the label (or mode) begins or ends to hold, and an answer to each message that comes in.
 * `msg.payload` is true or false; without a label {labels, modes}. `msg.next` is when it may change next, ms since epoch.
 */
export function registerCalendar(RED: NodeApi): void {
  registerCampusNode<CalendarConfig>(RED, 'campus calendar', (node, config, { guest, runAs }) => {
    let now: CalendarMessage | null = null;
    let told: string | null = null;
    const payloadOf = ({ labels, modes }: CalendarMessage): unknown =>
      config.calendar === ''
        ? { labels: [...labels], modes: [...modes] }
        : [...labels, ...modes].includes(config.calendar);
    const onCalendar = (calendar: CalendarMessage) => {
      now = calendar;
      const payload = payloadOf(calendar);
      const print = JSON.stringify(payload);
      if (print === told) return;
      told = print;
      runAs(node, () => {
        node.status({
          fill: payload === false ? 'grey' : 'green',
          shape: 'dot',
          text: [...calendar.labels, ...calendar.modes].join(', ').slice(0, 100),
        });
        node.send({ topic: config.calendar, payload, next: calendar.next });
      });
    };
    keepWatching(node, guest.watchCalendar(onCalendar));
    onInput(node, async (message) => {
      if (now === null) throw new CodedError('FLOWS_NO_ANSWER', 'core has not said yet what time it is');
      return { ...message, topic: config.calendar, payload: payloadOf(now), next: now.next };
    });
  });
}
