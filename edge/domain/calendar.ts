/**
 * What kind of time it is on this campus. Opening hours answer it for now; the school calendar takes their place behind this
 * interface. Pure: the same time gives the same answer. Times are ms since epoch UTC.
 */
export interface Calendar {
  /** Every label it knows: `open` and `closed` always. */
  readonly labels: readonly string[];
  /** False for a label it does not know. */
  is(label: string, time: number): boolean;
  /** The first time after `time` at which the answer for any label may be another, or at which the local clock is put forward or back. */
  nextChange(time: number): number;
  /** Local minutes after midnight (0 to 1,439) and ISO weekday (1 = Monday). */
  local(time: number): { readonly minute: number; readonly weekday: number; readonly date: string };
  /** The first time after `time` at which the local clock shows `minute` (0 to 1,439). Where summer time skips it: right after the gap. */
  nextMinute(minute: number, time: number): number;
}

/** Opening hours: minutes after local midnight; days 1 = Monday .. 7. Replaced by the school calendar later. */
export interface OpeningHours {
  readonly weekly: readonly { readonly days: readonly number[]; readonly from: number; readonly to: number }[];
  /** ISO dates that are closed (or open) whatever the weekday says. */
  readonly exceptions: readonly { readonly date: string; readonly open: boolean }[];
}
