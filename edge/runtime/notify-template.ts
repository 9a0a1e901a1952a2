/** What a template of the site file's `notify` may say: `{text}`; each is filled in as text, escaped for where it stands. */
export const placeholders = [
  /** Of the notice: the same each time it is tried, so that the far end can know it again. */
  'id',
  /** `critical`, `high`, `medium`, `low`. */
  'class',
  'title',
  /** Everything that is to be said, title and class included. */
  'text',
  /** When it was written, ISO 8601 with the campus's offset. */
  'time',
  /** The campus's name. */
  'campus',
  /** To the console, or nothing. */
  'link',
  /** Of the recipient; SMS only. */
  'phone',
  /** The content of `secretFile`. */
  'secret',
] as const;
export type Placeholder = (typeof placeholders)[number];
