import type { z } from 'zod';
import type { powerView } from '../../../school-power-route.ts';
import type { powerPreviewView, powerWeeksView } from '../../../school-power-weeks-route.ts';
import type { entriesView, planView } from '../../../school-schemas.ts';

/* The shapes of the API as this page uses them. */

export type PowerCircuits = z.infer<typeof powerView>;
export type CircuitNow = NonNullable<PowerCircuits['circuits']>[number];
export type Decision = CircuitNow['decision'];
export type Reason = Decision['why'][number];
export type PowerWeeks = z.infer<typeof powerWeeksView>;
export type WeekCircuit = PowerWeeks['circuits'][number];
export type Need = WeekCircuit['needs'][number];
export type DaySpan = PowerWeeks['days'][number];
export type DayOfLayer = PowerWeeks['layers'][string][number];
export type PowerPreview = z.infer<typeof powerPreviewView>;
export type Entries = z.infer<typeof entriesView>;
export type Entry = Entries['entries'][number];
export type PowerBody = Extract<Entry['body'], { readonly part: 'power' }>;
export type LayerBody = Extract<Entry['body'], { readonly part: 'layer' }>;
export type Plan = z.infer<typeof planView>;
export type Slot = Plan['days'][number]['layers'][number]['slots'][number];
export type Kind = PowerBody['kind'];

export const kinds = ['light', 'air', 'socket', 'screen', 'water', 'other'] as const satisfies readonly Kind[];

/** What kind of entry a circuit is says so itself; anything else is none. */
export function powerOf(body: Entry['body']): PowerBody | null {
  return body.part === 'power' ? body : null;
}
