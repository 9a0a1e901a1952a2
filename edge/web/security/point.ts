import type { Name } from '#edge/domain/place.ts';
import type { SecurityView } from '../system-schemas.ts';
import type { SecurityFacts } from './facts.ts';

export type PointView = SecurityView['points'][number];
export type State = PointView['state'];

export interface Judgement {
  readonly state: State;
  readonly evidence: Name;
  /** What to do; empty when met. */
  readonly next?: Name;
}

/** One control point, and how it is judged. Pure: the same facts give the same judgement. */
export interface Point {
  readonly id: string;
  /** From which level on it is asked for: 1, 2 (二级) or 3 (三级). */
  readonly level: 1 | 2 | 3;
  readonly title: Name;
  readonly judge: (facts: SecurityFacts) => Judgement;
}

export interface Group {
  readonly name: Name;
  readonly points: readonly Point[];
}

export const day = 86_400_000;
export const days = (ms: number): number => Math.floor(ms / day);
export const both = (zh: string, en: string): Name => ({ zh, en });

const levels: Readonly<Record<Point['level'], Name>> = {
  1: both('一级起', 'from L1'),
  2: both('二级、三级', 'L2, L3'),
  3: both('三级', 'L3'),
};

export function describePoint(group: Name, { id, level, title, judge }: Point, facts: SecurityFacts): PointView {
  const { state, evidence, next = both('', '') } = judge(facts);
  const { zh, en } = levels[level];
  return { id, group, title: both(`${title.zh}（${zh}）`, `${title.en} (${en})`), state, evidence, next };
}
