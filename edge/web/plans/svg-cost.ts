import { refusePicture } from './picture.ts';

/*
 * A drawing of a few lines can ask for a thousand million shapes: ten <use> of what has ten <use> of what has ten. Counted
 * before anybody's browser has to draw it.
 */

/** `from`: the ids of an element and of all around it. `to`: what it points at; null counts the element itself. */
export type Pointers = { readonly from: readonly string[]; readonly to: string | null }[];

const mostDrawn = 500_000;
const longestChain = 40;

interface Named {
  elements: number;
  readonly points: string[];
}

/** Throws BAD_PICTURE when the drawing points at itself, or asks for too much. */
export function countDrawn(pointers: Pointers): void {
  const byId = new Map<string, Named>();
  const all: Named = { elements: 0, points: [] };
  for (const { from, to } of pointers) {
    for (const named of [all, ...from.map((id) => of(byId, id))]) {
      if (to === null) named.elements++;
      else named.points.push(to);
    }
  }
  const costs = new Map<string, number>();
  const costOf = (id: string, above: ReadonlySet<string>): number => {
    if (above.has(id)) throw refusePicture(`"#${id}" points at itself`);
    if (above.size > longestChain) throw refusePicture(`more than ${longestChain} things point at each other in a row`);
    const known = costs.get(id);
    if (known !== undefined) return known;
    const named = byId.get(id);
    if (named === undefined) return 0;
    const cost = total(named, new Set(above).add(id));
    costs.set(id, cost);
    return cost;
  };
  const total = (named: Named, above: ReadonlySet<string>): number => {
    let sum = named.elements;
    for (const id of named.points) {
      sum += costOf(id, above);
      if (sum > mostDrawn) throw refusePicture(`it repeats itself into more than ${mostDrawn} shapes`);
    }
    return sum;
  };
  total(all, new Set());
}

function of(map: Map<string, Named>, id: string): Named {
  const known = map.get(id);
  if (known !== undefined) return known;
  const made: Named = { elements: 0, points: [] };
  map.set(id, made);
  return made;
}
