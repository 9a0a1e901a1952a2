/* Content lines of iCalendar (RFC 5545, 3.1 and 3.3): folding, escaping, parameters. */

export interface IcsProperty {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
  /** As it stands in the file, escapes included. */
  readonly value: string;
  /** Of the file, from 1. */
  readonly line: number;
}

/** A VEVENT without what is nested in it (alarms). */
export interface IcsEvent {
  readonly line: number;
  readonly properties: readonly IcsProperty[];
}

const longestLine = 75;
const encoder = new TextEncoder();

/** `TEXT` of RFC 5545, 3.3.11. Control characters have no place in one. */
export function escapeText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/(?!\n)\p{Cc}/gu, ' ')
    .replace(/[\\;,]/g, '\\$&')
    .replaceAll('\n', '\\n');
}

export function unescapeText(value: string): string {
  return value.replace(/\\([\\;,nN])/g, (_, escaped: string) => (escaped.toLowerCase() === 'n' ? '\n' : escaped));
}

/** Lines of at most 75 octets, never cut within a character; ends with CRLF. */
export function foldLine(line: string): string {
  const parts: string[] = [];
  let part = '';
  let octets = 0;
  for (const character of line) {
    const size = encoder.encode(character).length;
    if (octets + size > longestLine) {
      parts.push(part);
      part = '';
      // The blank that marks a continued line counts.
      octets = 1;
    }
    part += character;
    octets += size;
  }
  return `${[...parts, part].join('\r\n ')}\r\n`;
}

export function writeLines(lines: readonly string[]): string {
  return lines.map(foldLine).join('');
}

/** The events of a file, up to `most`; null: this is no iCalendar file. */
export function readEvents(
  text: string,
  most: number,
): { readonly events: readonly IcsEvent[]; readonly more: boolean } | null {
  const lines = unfold(text);
  if (!lines.some(({ text: line }) => /^BEGIN:VCALENDAR\s*$/i.test(line))) return null;
  const events: IcsEvent[] = [];
  const inside: string[] = [];
  let open: { readonly line: number; readonly properties: IcsProperty[] } | null = null;
  for (const { text: line, number } of lines) {
    const property = readProperty(line, number);
    if (property === null) continue;
    const { name, value } = property;
    const component = value.trim().toUpperCase();
    if (name === 'BEGIN') {
      inside.push(component);
      if (component === 'VEVENT' && open === null) open = { line: number, properties: [] };
    } else if (name === 'END') {
      inside.pop();
      if (component !== 'VEVENT' || open === null) continue;
      if (events.length >= most) return { events, more: true };
      events.push(open);
      open = null;
    } else if (inside.at(-1) === 'VEVENT') open?.properties.push(property);
  }
  return { events, more: false };
}

interface Line {
  readonly text: string;
  readonly number: number;
}

function unfold(text: string): Line[] {
  const lines: { text: string; readonly number: number }[] = [];
  for (const [n, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const last = lines.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last.text += line.slice(1);
    else lines.push({ text: line, number: n + 1 });
  }
  return lines;
}

const parameter = /;([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,])*(?:,(?:"[^"]*"|[^";:,])*)*)/y;

function readProperty(line: string, number: number): IcsProperty | null {
  const name = /^[A-Za-z0-9-]+/.exec(line)?.[0];
  if (name === undefined) return null;
  const params: Record<string, string> = {};
  let end = name.length;
  for (;;) {
    parameter.lastIndex = end;
    const found = parameter.exec(line);
    if (found === null) break;
    params[(found[1] ?? '').toUpperCase()] = (found[2] ?? '').replaceAll('"', '');
    end = parameter.lastIndex;
  }
  if (line[end] !== ':') return null;
  return { name: name.toUpperCase(), params, value: line.slice(end + 1), line: number };
}

export function propertyOf({ properties }: IcsEvent, name: string): IcsProperty | undefined {
  return properties.find((property) => property.name === name);
}

export function textOf(event: IcsEvent, name: string): string {
  return unescapeText(propertyOf(event, name)?.value ?? '').trim();
}
