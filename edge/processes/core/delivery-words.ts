import type { AlarmClass } from '#edge/domain/alarm.ts';
import { type BroadcastItem, isEmergency, type SoundClass } from '#edge/domain/broadcast.ts';
import type { Device } from '#edge/domain/device.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import { isNotHeard } from '#edge/rules/sound-listening.ts';

/* What people are told when a loudspeaker did not play. */

export function missedSource({ id }: Pick<Device, 'id'>): string {
  return `delivery:${id}`;
}
/** Many of one item at once: one cause, one alarm. */
export const manySource = 'delivery:many';
/** The gravest first. */
export const gravities: readonly AlarmClass[] = ['critical', 'high', 'medium', 'low'];
const mostNamed = 5;

export function missedAlarm(item: BroadcastItem, device: Device, why: string): RaiseDecision {
  return {
    ...{
      kind: 'raise',
      source: missedSource(device),
      class: gravity(item.class),
      device: device.id,
      zone: device.zone,
    },
    ...(isNotHeard(why) ? unheard(item, device) : silent(item, device)),
    reason: why,
  };
}

function silent(item: BroadcastItem, device: Device): Pick<RaiseDecision, 'message' | 'next'> {
  return {
    message: {
      zh: `${device.name.zh} 没有播出：${item.name.zh}`,
      en: `${device.name.en} did not play: ${item.name.en}`,
    },
    next: {
      zh: '现在派人到现场口头通知；再检查音箱的电源、网线和音量。',
      en: 'Have it said there in person now; then look at its power, cable and volume.',
    },
  };
}

/** It took the order, and the room stays silent. */
function unheard(item: BroadcastItem, device: Device): Pick<RaiseDecision, 'message' | 'next'> {
  return {
    message: {
      zh: `${device.name.zh} 应答正常，但现场听不到声音：${item.name.zh}`,
      en: `${device.name.en} answers, but is not heard in its room: ${item.name.en}`,
    },
    next: {
      zh: '现在派人到现场口头通知；再检查音箱自身的音量旋钮、喇叭线和功放。',
      en: 'Have it said there in person now; then look at the knob on the loudspeaker, its wire and its amplifier.',
    },
  };
}

export function manyMissed(
  item: BroadcastItem,
  missed: readonly { readonly device: Device; readonly reason: string }[],
): RaiseDecision {
  const names = missed.slice(0, mostNamed).map(({ device }) => device.name);
  const more = missed.length > mostNamed;
  return {
    ...{ kind: 'raise', source: manySource, class: gravity(item.class) },
    message: {
      zh: `${missed.length} 个音箱没有播出：${item.name.zh}（${names.map(({ zh }) => zh).join('、')}${more ? '等' : ''}）`,
      en: `${missed.length} loudspeakers did not play: ${item.name.en} (${names.map(({ en }) => en).join(', ')}${more ? ' …' : ''})`,
    },
    next: {
      zh: '多个音箱同时无声，先检查交换机、广播网络和广播进程；同时派人口头通知。',
      en: 'Many are silent at once: look at the switch, the network and the broadcast process; have it said in person meanwhile.',
    },
    reason: missed[0]?.reason ?? '',
  };
}

/** How urgent it is that a person goes and looks. */
function gravity(soundClass: SoundClass): AlarmClass {
  if (isEmergency(soundClass)) return 'critical';
  return soundClass === 'page' || soundClass === 'exam' || soundClass === 'bell' ? 'high' : 'medium';
}
