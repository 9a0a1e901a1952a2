/** `2026-11-22T08:30` in a zone that is `shift` ms ahead of UTC, as date fields of a browser want it; '' when it is none. */
export function toField(time: number, shift: number): string {
  return new Date(time + shift).toISOString().slice(0, 16);
}

/** The other way round; null when it is no time. */
export function fromField(text: string, shift: number): number | null {
  const parsed = Date.parse(`${text}Z`);
  return Number.isNaN(parsed) ? null : parsed - shift;
}
