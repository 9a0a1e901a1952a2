import { slugPattern } from '#edge/domain/ids.ts';

/* What a link to footage carries: `#/footage?cameras=gate,yard&at=1795375800000&span=3600000&still=1`. Pure. */

export interface View {
  /** At most four, each once. */
  readonly cameras: readonly string[];
  /** ms since epoch; null: the latest there is. */
  readonly at: number | null;
  /** How much time the timeline shows, ms. */
  readonly span: number;
  /** Not to be played at once: somebody had stopped there. */
  readonly isStill: boolean;
}

export const mostCameras = 4;
const minute = 60_000;
/** The timeline's usual steps: a day, an hour, five minutes. */
export const spans = { day: 1_440 * minute, hour: 60 * minute, minutes: 5 * minute } as const;
export const leastSpan = 30_000;
export const mostSpan = spans.day;
const latestTime = 8.64e15;

export function viewIn(query: URLSearchParams): View {
  const ids = (query.get('cameras') ?? '').split(',').filter((id) => slugPattern.test(id));
  const at = numberIn(query.get('at'));
  const span = numberIn(query.get('span'));
  return {
    cameras: [...new Set(ids)].slice(0, mostCameras),
    at: at === null || at > latestTime ? null : Math.round(at),
    span: Math.min(mostSpan, Math.max(leastSpan, span ?? spans.hour)),
    isStill: query.get('still') === '1',
  };
}

export function viewParts({ cameras, at, span, isStill }: View): Readonly<Record<string, string>> {
  return {
    cameras: cameras.join(','),
    at: at === null ? '' : String(Math.round(at)),
    span: span === spans.hour ? '' : String(Math.round(span)),
    still: isStill ? '1' : '',
  };
}

function numberIn(text: string | null): number | null {
  if (text === null || !/^\d{1,16}$/.test(text)) return null;
  return Number(text);
}
