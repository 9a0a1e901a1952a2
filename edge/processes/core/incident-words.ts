import type { Incident } from '#edge/domain/incident.ts';
import type { Name } from '#edge/domain/place.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';

/* The words of alarms over incidents. */

/** What happened, as people call it; what is not here is said as it is. */
const typeNames: Readonly<Record<string, Name>> = {
  motion: { zh: '移动', en: 'motion' },
  person: { zh: '有人', en: 'a person' },
  vehicle: { zh: '车辆', en: 'a vehicle' },
  intrusion: { zh: '入侵', en: 'intrusion' },
  line_cross: { zh: '越线', en: 'a line crossed' },
  loitering: { zh: '徘徊', en: 'loitering' },
  climbing: { zh: '攀爬', en: 'climbing' },
  tamper: { zh: '遮挡', en: 'tampering' },
  pir: { zh: '红外', en: 'infrared' },
  digital_input: { zh: '报警输入', en: 'an alarm input' },
  device_fault: { zh: '设备故障', en: 'a broken device' },
  emergency: { zh: '一键报警', en: 'the one-key alarm' },
};

export function incidentSource(id: string): string {
  return `incident:${id}`;
}

/** Nobody has claimed it in time, or somebody asks for help. */
export function incidentEscalated(incident: Incident, zone: Name | undefined, why: string): RaiseDecision {
  const { id, types, devices, events, count } = incident;
  const named = types.slice(0, 3).map((type) => typeNames[type] ?? { zh: type, en: type });
  const [what, where] = [
    { zh: named.map(({ zh }) => zh).join('、'), en: named.map(({ en }) => en).join(', ') },
    zone ?? { zh: '校园', en: 'the campus' },
  ];
  const [device] = devices;
  const event = events.at(-1);
  return {
    kind: 'raise',
    source: incidentSource(id),
    class: incident.class,
    message: { zh: `${where.zh}：${what.zh}，无人处置`, en: `${where.en}: ${what.en}, and nobody has seen to it` },
    next: {
      zh: `在安保工作台认领该事件（共 ${count} 条记录），查看画面并派人到场`,
      en: `Claim the incident at the security desk (${count} happenings), look at its pictures and send somebody`,
    },
    reason: why,
    ...(incident.zone === null ? {} : { zone: incident.zone }),
    ...(device === undefined ? {} : { device }),
    ...(event === undefined ? {} : { event }),
  };
}
