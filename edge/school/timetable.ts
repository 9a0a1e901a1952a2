import { lastSecond, type SchoolTimetable, type Slot, type TimetablePiece } from '#edge/domain/school.ts';

/* Pieces one after the other -> slots of the day. */

export interface TimetableMistake {
  /** `pieces[3]`, or `start`. */
  readonly path: string;
  readonly code: 'slots-overlap' | 'past-midnight';
  readonly params: Readonly<Record<string, string | number>>;
}

export interface LaidOut {
  readonly slots: readonly Slot[];
  readonly mistakes: readonly TimetableMistake[];
}

/** Slots in the order of the pieces. One that begins before the piece before it ends, or ends past midnight, is a mistake. */
export function layOut({ start, pieces }: Pick<SchoolTimetable, 'start' | 'pieces'>): LaidOut {
  const mistakes: TimetableMistake[] = [];
  const slots: Slot[] = [];
  let cursor = start;
  for (const [n, piece] of pieces.entries()) {
    const { id, kind, name } = piece;
    const from = piece.at ?? cursor;
    const to = from + secondsOf(piece);
    if (from < cursor)
      mistakes.push({ path: `pieces[${n}]`, code: 'slots-overlap', params: { piece: id, at: from, before: cursor } });
    if (to > lastSecond) mistakes.push({ path: `pieces[${n}]`, code: 'past-midnight', params: { piece: id, to } });
    slots.push({ id, kind, name, from, to });
    cursor = Math.max(cursor, to);
  }
  return { slots, mistakes };
}

function secondsOf({ minutes }: TimetablePiece): number {
  return Math.round(minutes * 60);
}

/**
 * A piece begins at that second of the day. The first piece moves the start; a pinned one its pin; any other makes the piece before it
 * longer or shorter. All after it follow, up to the next pinned one. null: there is no such piece, or the one before cannot be so short.
 */
export function movePiece(timetable: SchoolTimetable, id: string, second: number): SchoolTimetable | null {
  const { pieces } = timetable;
  const index = pieces.findIndex((piece) => piece.id === id);
  const piece = pieces[index];
  const slot = layOut(timetable).slots[index];
  if (piece === undefined || slot === undefined) return null;
  if (piece.at !== undefined) return { ...timetable, pieces: pieces.with(index, { ...piece, at: second }) };
  const before = pieces[index - 1];
  if (before === undefined) return { ...timetable, start: second };
  const minutes = before.minutes + (second - slot.from) / 60;
  if (minutes < 0 || minutes > 480) return null;
  return { ...timetable, pieces: pieces.with(index - 1, { ...before, minutes }) };
}

/** A piece lasts so long; all after it follow, up to the next pinned one. null: there is no such piece. */
export function resizePiece(timetable: SchoolTimetable, id: string, minutes: number): SchoolTimetable | null {
  const index = timetable.pieces.findIndex((piece) => piece.id === id);
  const piece = timetable.pieces[index];
  if (piece === undefined || !(minutes >= 0 && minutes <= 480)) return null;
  return { ...timetable, pieces: timetable.pieces.with(index, { ...piece, minutes }) };
}

/** Pinned where it is now, or let go again: then it begins when the one before it ends. null: there is no such piece. */
export function pinPiece(timetable: SchoolTimetable, id: string, at: number | null): SchoolTimetable | null {
  const index = timetable.pieces.findIndex((piece) => piece.id === id);
  const piece = timetable.pieces[index];
  if (piece === undefined) return null;
  const { at: _, ...free } = piece;
  return { ...timetable, pieces: timetable.pieces.with(index, at === null ? free : { ...free, at }) };
}
