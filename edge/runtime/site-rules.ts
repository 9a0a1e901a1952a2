import { resolve } from 'node:path';
import { z } from 'zod';
import type { Name } from '#edge/domain/place.ts';
import { name, slug } from './site-values.ts';

/* What the site file says for its rules: where they are, and which modes the campus has. */

export const rulesSection = z
  .strictObject({
    /** One YAML file a rule (rule-folder.ts), relative to the site file. The console writes there too. */
    folder: z.string().min(1).default('rules'),
  })
  .prefault({});

/** A kind of time that no calendar knows: somebody turns it on, and rules heed it. */
export interface Mode {
  readonly id: string;
  readonly name: Name;
}

const usualModes: Mode[] = [
  // No bells into the 高考 and 中考 halls, no doors that slam, nothing that hums.
  { id: 'exam', name: { zh: '考试', en: 'Exam' } },
  // Every school evacuates for practice at least twice a year (中小学幼儿园应急疏散演练指南): alarms are expected.
  { id: 'drill', name: { zh: '应急演练', en: 'Emergency drill' } },
  { id: 'holiday', name: { zh: '假期', en: 'Holiday' } },
  // Sports days, parents' days: strangers on the campus after hours are guests.
  { id: 'event', name: { zh: '大型活动', en: 'Event' } },
  // 封闭管理: nobody comes in who does not belong here.
  { id: 'lockdown', name: { zh: '封闭管理', en: 'Closed campus' } },
];

export const modesSection = z
  .array(z.strictObject({ id: slug, name }))
  .max(50)
  .default(usualModes);

/** Chosen by in rules, e.g. `classroom`. */
export const tagsOfDevice = z.array(slug).min(1).max(20).optional();

export function rulesFolder(site: { readonly folder: string; readonly rules: { readonly folder: string } }): string {
  return resolve(site.folder, site.rules.folder);
}
