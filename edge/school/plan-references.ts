import type { ZoneId } from '#edge/domain/ids.ts';
import { campusLayer, type LocalDate, type SchoolEntry, type SchoolLayer } from '#edge/domain/school.ts';
import { addDays } from './dates.ts';
import { commandsOf } from './exam-templates.ts';
import { circularLayers, type LayerTree } from './layers.ts';
import type { SchoolPlan } from './plan.ts';
import type { Findings } from './plan-mistake.ts';
import { partsOf } from './plan-parts.ts';

/* What can only be said of entries together. */

/** The layers that hold: without cycles, and with parents that hold. */
export function checkLayers(
  layers: ReadonlyMap<string, SchoolLayer>,
  zones: readonly ZoneId[],
  findings: Findings,
): ReadonlyMap<string, SchoolLayer> {
  for (const id of circularLayers(layers)) findings.mistake(id)('parent', 'layers-circular');
  const known = new Set(zones);
  const left = new Map([...layers].filter(([id]) => !findings.out.has(id)));
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [id, { parent }] of left) {
      if (parent === null || parent === campusLayer || left.has(parent)) continue;
      findings.mistake(id)('parent', 'unknown-layer', { layer: parent.slice(0, 40) });
      left.delete(id);
    }
  }
  // A zone that the site no longer has must not take its building's bells with it.
  for (const [id, layer] of left)
    for (const [n, zone] of layer.zones.entries())
      if (!known.has(zone)) findings.warning(id)(`zones[${n}]`, 'unknown-zone', { zone });
  return left;
}

/**
 * Layers and timetables that entries name. A timetable that is there but wrong leaves the season standing: its days say that they have no
 * timetable, instead of every season being reported as well.
 */
export function checkReferences(
  entries: ReadonlyMap<string, SchoolEntry>,
  layers: LayerTree,
  timetables: ReadonlySet<string>,
  findings: Findings,
): void {
  for (const [id, entry] of entries) {
    const say = findings.mistake(id);
    if ('layer' in entry && !layers.has(entry.layer))
      say('layer', 'unknown-layer', { layer: entry.layer.slice(0, 40) });
    if (entry.part === 'season')
      for (const [n, { timetable }] of entry.weekly.entries())
        if (!timetables.has(timetable))
          say(`weekly[${n}].timetable`, 'unknown-timetable', { timetable: timetable.slice(0, 40) });
    if (entry.part === 'days' && entry.timetable !== undefined && !timetables.has(entry.timetable))
      say('timetable', 'unknown-timetable', { timetable: entry.timetable.slice(0, 40) });
  }
}

interface Stretch {
  readonly id: string;
  readonly from: LocalDate;
  readonly to: LocalDate;
}

/** Terms; seasons of a layer; painted days of a layer that are equally long. The one that begins first holds. */
export function checkOverlaps(entries: ReadonlyMap<string, SchoolEntry>, findings: Findings): void {
  const terms = [...partsOf(entries, 'term')].map(([id, { from, weeks }]) => ({
    id,
    from,
    to: addDays(from, weeks * 7 - 1),
  }));
  overlaps(terms, 'terms-overlap', findings);
  const seasons = [...partsOf(entries, 'season')].map(([id, season]) => ({ ...season, id }));
  for (const of of Map.groupBy(seasons, ({ layer }) => layer).values()) overlaps(of, 'seasons-overlap', findings);
  const days = [...partsOf(entries, 'days')].map(([id, painted]) => ({ ...painted, id }));
  const alike = Map.groupBy(days, ({ layer, from, to }) => `${layer} ${Date.parse(to) - Date.parse(from)}`);
  for (const of of alike.values()) overlaps(of, 'days-overlap', findings);
}

function overlaps(
  stretches: readonly Stretch[],
  code: 'terms-overlap' | 'seasons-overlap' | 'days-overlap',
  findings: Findings,
): void {
  let last: Stretch | null = null;
  for (const stretch of stretches.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))) {
    if (last !== null && stretch.from <= last.to)
      findings.mistake(stretch.id)('from', code, { other: last.id, from: last.from, to: last.to });
    else last = stretch;
  }
}

/** What holds but can hardly be meant. */
export function warnOf(plan: SchoolPlan, zones: readonly ZoneId[], findings: Findings): void {
  warnOfNames(plan, findings);
  warnOfZones(plan, findings);
  const known = new Set(zones);
  const slots = new Set([...plan.timetables.values()].flatMap((all) => all.map(({ id }) => id)));
  for (const { id, when, do: action } of plan.items) {
    const say = findings.warning(id);
    if ('slot' in when && typeof when.slot === 'string' && !slots.has(when.slot))
      say('when.slot', 'unknown-slot', { slot: when.slot.slice(0, 40) });
    if (action.kind !== 'sound') continue;
    for (const [n, zone] of action.zones.entries())
      if (!known.has(zone)) say(`do.zones[${n}]`, 'unknown-zone', { zone });
  }
  for (const exam of plan.exams) {
    const say = findings.warning(exam.id);
    if (exam.zones.length === 0) say('zones', 'nowhere');
    for (const [n, zone] of exam.zones.entries()) if (!known.has(zone)) say(`zones[${n}]`, 'unknown-zone', { zone });
    const commands = new Set(
      exam.papers
        .slice(0, 1)
        .flatMap((paper) => commandsOf(exam, paper))
        .map((c) => c.command.id),
    );
    for (const id of Object.keys(exam.clips))
      if (!commands.has(id)) say(`clips.${id.slice(0, 40)}`, 'unknown-command', { command: id.slice(0, 40) });
  }
  if (plan.terms.length === 0) findings.warning('')('', 'no-term');
}

function warnOfNames({ entries }: SchoolPlan, findings: Findings): void {
  const seen = new Map<string, string>();
  for (const [id, { part, name }] of Object.entries(entries)) {
    const key = `${part} ${name.zh}`;
    const other = seen.get(key);
    if (other !== undefined) findings.warning(id)('name', 'name-twice', { other, name: name.zh });
    else seen.set(key, id);
  }
}

/** A zone of two layers of which neither is above the other: it lives the day of the first only. */
function warnOfZones({ entries, layers, items }: SchoolPlan, findings: Findings): void {
  for (const [id, entry] of Object.entries(entries)) {
    if (entry.part !== 'layer') continue;
    for (const [n, zone] of entry.zones.entries()) {
      const owner = layers.layerOf(zone);
      if (!layers.isBelow(owner, id)) findings.warning(id)(`zones[${n}]`, 'zone-twice', { zone, layer: owner });
    }
  }
  for (const { id, layer, do: action } of items)
    if (action.kind === 'sound' && action.zones.length === 0 && layers.zonesOf(layer).length === 0)
      findings.warning(id)('do.zones', 'nowhere');
}
