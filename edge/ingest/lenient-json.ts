/*
 * JSON as microcontrollers print it. Seen in the field with Tasmota: `"Temperature": nan` from a dead DHT11
 * (arendst/Tasmota#4147), trailing commas (#4108), a missing closing brace (#12088, #11680), and messages cut at the
 * buffer's end. Repairs only what cannot change a value: a number that may have been cut in the middle is left out.
 */

/** The repaired text, to be given to JSON.parse; it may still not be JSON. Linear in the length of the text. */
export function repairJson(text: string): string {
  const open: string[] = [];
  const out: string[] = [];
  let i = 0;
  while (i < text.length) {
    const char = text[i] ?? '';
    if (char === '"') {
      const end = endOfString(text, i);
      if (end === -1) break;
      out.push(text.slice(i, end));
      i = end;
      continue;
    }
    const word = notANumber.exec(text.slice(i, i + 12))?.[0] ?? '';
    if (word !== '') {
      out.push('null');
      i += word.length;
      continue;
    }
    if (char === '{' || char === '[') open.push(char === '{' ? '}' : ']');
    if (char === '}' || char === ']') {
      dropTrailingComma(out);
      if (open.pop() !== char) return text;
    }
    if (char > ' ') out.push(char);
    i++;
  }
  if (open.length > 0) cutToLastMember(out);
  return out.join('') + open.reverse().join('');
}

const notANumber = /^[+-]?(nan|inf(inity)?)\b/i;

/** Index after the closing quote; -1 when the text ends inside. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return -1;
}

function dropTrailingComma(out: string[]): void {
  if (out.at(-1) === ',') out.pop();
}

/** The text ended early: what follows the last complete member goes, because it may be half of a number or word. */
function cutToLastMember(out: string[]): void {
  while (out.length > 0 && !['{', '[', '}', ']', ','].includes(out.at(-1) ?? '')) out.pop();
  dropTrailingComma(out);
}
