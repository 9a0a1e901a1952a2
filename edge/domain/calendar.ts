/**
 * What kind of time it is on this campus. Opening hours answer it for now; the school calendar takes their place behind this
 * interface. Pure: the same time gives the same answer. Times are ms since epoch UTC.
 */
export interface Calendar {
  /** Every label it knows: `open` and `closed` always. */
  readonly labels: readonly string[];
  /** False for a label it does not know. */
  is(label: string, time: number): boolean;
  /** The first time after `time` at which the answer for any label may be another. */
  nextChange(time: number): number;
  /** Local minutes after midnight (0 to 1,439) and ISO weekday (1 = Monday). */
  local(time: number): { readonly minute: number; readonly weekday: number; readonly date: string };
  /** The first time after `time` at which the local clock shows `minute` (0 to 1,439). Where summer time skips it: right after the gap. */
  nextMinute(minute: number, time: number): number;
}
