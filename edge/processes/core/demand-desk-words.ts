import type { DemandPlan } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import type { DemandOutcome } from '#edge/rules/demand.ts';

/* The words of the alarms about demand limits. */

export const demandSource = (meter: string) => `demand:${meter}`;

/** Reasons of holds are one text; people of both languages read it. */
export const sentence = ({ zh, en }: Name) => `${zh} / ${en}`;

export function shortAlarm(source: string, { prediction }: DemandOutcome): RaiseDecision {
  const { limit } = prediction;
  const predicted = Math.round(prediction.predicted ?? limit);
  return {
    kind: 'raise',
    source,
    class: 'high',
    message: {
      zh: `需量预计达到 ${predicted} kW，超过限值 ${limit} kW，且已无可切除的负荷`,
      en: `Demand is going to reach ${predicted} kW, above the limit of ${limit} kW, and nothing is left to shed`,
    },
    next: {
      zh: '在本需量周期结束前，人工关闭大功率设备，或推迟其启动',
      en: 'Before this window ends, switch off large loads by hand or put off starting them',
    },
    reason: `predicted ${predicted} kW, limit ${limit} kW`,
  };
}

export function blindAlarm(source: string, { meter, limit }: DemandPlan, minutes: number): RaiseDecision {
  return {
    kind: 'raise',
    source,
    class: 'medium',
    message: {
      zh: `需量控制收不到总表功率，${limit} kW 的限值暂时无人看守`,
      en: `Demand control does not get the power of its meter: the limit of ${limit} kW is not guarded`,
    },
    next: { zh: `检查电表 ${meter} 的通信`, en: `Look at the line of the meter ${meter}` },
    reason: `the power of ${meter} has not been known for ${minutes} min`,
  };
}
