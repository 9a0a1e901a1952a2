import type { RuleCampus } from '#edge/rules/engine.ts';
import { ruleCampus } from '#edge/runtime/rule-surroundings.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Campus } from './campus.ts';

/** The campus as rules see it: every device with its points, and the places they are in. */
export function ruleCampusOf(site: Pick<Site, 'zones' | 'buildings'>, campus: Pick<Campus, 'devices'>): RuleCampus {
  return ruleCampus(site, campus.devices);
}
