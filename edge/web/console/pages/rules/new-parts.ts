import type { DeviceId } from '#edge/domain/ids.ts';
import type { Action, Condition, RuleKind } from '#edge/domain/rule.ts';
import type { Draft } from './read-body.ts';

/* What a new rule, condition or action begins with: nothing chosen yet, the rest as it is usual. */

export type ConditionKind = Exclude<Condition['kind'], 'any' | 'all'>;
export type ActionKind = Action['kind'];

export const sensingKinds = ['point', 'rate', 'event', 'count', 'unacknowledged'] as const satisfies ConditionKind[];
export const whileKinds = ['calendar', 'time', 'mode'] as const satisfies ConditionKind[];
export const conditionKinds: readonly ConditionKind[] = [...sensingKinds, ...whileKinds];

const minute = 60_000;
const nobody = { zh: '', en: '' };

export function newCondition(kind: ConditionKind): Condition {
  const points = { of: '' };
  switch (kind) {
    case 'point':
      return { kind, points, needs: 'any', test: { is: true }, for: 0, onBad: 'hold' };
    case 'rate':
      return { kind, points, needs: 'any', change: { rises: 1 }, within: 5 * minute, onBad: 'hold' };
    case 'event':
      return { kind, type: 'person', device: '*', for: minute };
    case 'count':
      return { kind, of: { event: 'person', device: '*' }, atLeast: 3, within: 10 * minute };
    case 'unacknowledged':
      return { kind, rule: '', for: minute };
    case 'calendar':
      return { kind, is: 'open' };
    case 'time':
      return { kind, from: 22 * 60, to: 6 * 60 };
    case 'mode':
      return { kind, mode: '', is: true };
  }
}

export function newAction(kind: ActionKind, ruleKind: RuleKind): Action {
  switch (kind) {
    case 'hold':
      return { kind, outputs: { of: '' }, value: true, for: ruleKind === 'safety' ? null : 60 * minute };
    case 'forbid':
      return { kind, outputs: { of: '' }, value: true };
    case 'shed':
      return { kind, order: [], value: false, every: minute };
    case 'broadcast':
      return { kind, clip: '', zones: 'all', for: ruleKind === 'safety' ? null : minute };
    case 'alarm':
      return { kind, class: 'medium', message: nobody, next: nobody };
    case 'snapshot':
      return { kind, camera: '' as DeviceId };
    case 'notify':
      return { kind, to: [], message: nobody };
  }
}

export const emptyDraft: Draft = {
  id: '',
  name: nobody,
  about: null,
  kind: 'comfort',
  priority: 12,
  each: null,
  when: newCondition('point'),
  while: [],
  then: [newAction('alarm', 'comfort')],
  latch: false,
  clearAfter: 0,
  coolDown: 0,
  tests: [],
};

/** `Stuffy classroom` -> `stuffy-classroom`, as long as an id may be. */
export function idOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
}
