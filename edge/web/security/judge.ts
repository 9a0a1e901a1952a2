import type { SecurityView } from '../system-schemas.ts';
import { data } from './data-points.ts';
import type { SecurityFacts } from './facts.ts';
import { gateway, intrusion, sensing } from './node-points.ts';
import { access, auditing, identity } from './people-points.ts';
import { both, describePoint } from './point.ts';

const groups = [identity, access, auditing, intrusion, sensing, gateway, data];

/** Wording of the points is ours: it follows the standard and is not its text. */
const notice = both(
  '按 GB/T 22239-2019 的控制点自查，措辞是我们的；不是等级保护测评结论，也不代替测评。',
  'A self-check along the control points of GB/T 22239-2019, in our words: not the result of an assessment, and no substitute for one.',
);

export function judgeAll(facts: SecurityFacts): SecurityView {
  const points = groups.flatMap((group) => group.points.map((point) => describePoint(group.name, point, facts)));
  return { checked: facts.now, notice, points };
}
