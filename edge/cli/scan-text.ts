/*
 * What a device says goes to a terminal: its letters, and nothing that would move the cursor, change a colour or a title, turn the
 * direction of writing or begin a line of its own.
 */

const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line. */
export function printable(text: string): string {
  return text.replaceAll('\n', '; ').replaceAll(controls, '\u{fffd}');
}

/** JSON escapes some of them only. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(controls, (letters) =>
    Array.from({ length: letters.length }, (_, i) => `\\u${letters.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
}
