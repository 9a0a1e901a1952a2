/* GBK, which most message boards in China speak. Node reads it and does not write it, so the table is made by reading it once. */

let table: ReadonlyMap<string, number> | null = null;

/** Lead bytes 0x81 to 0xFE, trail bytes 0x40 to 0xFE without 0x7F (GB/T 22080's code page 936). */
function makeTable(): ReadonlyMap<string, number> {
  const decoder = new TextDecoder('gbk');
  const found = new Map<string, number>();
  const pair = new Uint8Array(2);
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      if (trail === 0x7f) continue;
      pair[0] = lead;
      pair[1] = trail;
      const text = decoder.decode(pair);
      // Private characters are no characters to a board.
      if ([...text].length === 1 && text !== '\ufffd' && !/\p{Co}/u.test(text) && !found.has(text))
        found.set(text, (lead << 8) | trail);
    }
  }
  return found;
}

/** null for the first character that it does not have; `missing` says which. */
export function encodeGbk(text: string): { readonly bytes: Buffer } | { readonly missing: string } {
  table ??= makeTable();
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      bytes.push(code);
      continue;
    }
    const pair = table.get(character);
    if (pair === undefined) return { missing: character };
    bytes.push(pair >> 8, pair & 0xff);
  }
  return { bytes: Buffer.from(bytes) };
}
