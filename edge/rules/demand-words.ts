import type { Name } from '#edge/domain/place.ts';

/* What the demand controller says: figures as people read them, in both languages. */

export interface DemandFigures {
  /** kW. */
  readonly predicted: number;
  readonly limit: number;
  readonly power: number;
  /** kW.h of the window so far. */
  readonly used: number;
}

const kw = (value: number) => `${Math.round(value * 10) / 10} kW`;
const kwh = (value: number) => `${Math.round(value * 10) / 10} kWh`;

export function becausePredicted({ predicted, limit, power, used }: DemandFigures): Name {
  return {
    zh: `预测需量 ${kw(predicted)}，限值 ${kw(limit)}（本周期已用 ${kwh(used)}，当前功率 ${kw(power)}）`,
    en: `predicted demand ${kw(predicted)} against a limit of ${kw(limit)} (${kwh(used)} used in this window, ${kw(power)} now)`,
  };
}

export function becauseReserve({ limit, power, used }: DemandFigures, slack: number, reserve: number): Name {
  return {
    zh: `再不切除就可能来不及：若其余负荷再升 ${kw(reserve)}，仅剩余量 ${kwh(Math.max(0, slack))}（限值 ${kw(limit)}，本周期已用 ${kwh(used)}，当前功率 ${kw(power)}）`,
    en: `later may be too late: should the rest rise by ${kw(reserve)}, only ${kwh(Math.max(0, slack))} is left (limit ${kw(limit)}, ${kwh(used)} used in this window, ${kw(power)} now)`,
  };
}

export function becauseRoom({ predicted, limit }: DemandFigures, load: number): Name {
  return {
    zh: `恢复 ${kw(load)} 后预测需量 ${kw(predicted)}，低于限值 ${kw(limit)}`,
    en: `with ${kw(load)} back the predicted demand is ${kw(predicted)}, below the limit of ${kw(limit)}`,
  };
}

export const becauseLongEnough: Name = {
  zh: '已达最长切除时间（或须错开恢复），必须恢复',
  en: 'it has been off as long as it may be (loads come back one after the other)',
};
