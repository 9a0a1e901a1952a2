/* RTCP as far as a loudspeaker needs it: our sender reports, and what receivers say they got (RFC 3550 section 6). */

export interface SenderFacts {
  readonly ssrc: number;
  /** ms since epoch. */
  readonly now: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
  readonly cname: string;
}

/** What a receiver says of our stream. */
export interface ReceptionReport {
  readonly fractionLost: number;
  readonly lost: number;
  readonly highestSequence: number;
}

const ntpOffset = 2_208_988_800;

/** SR and SDES, and BYE when it ends: one compound packet. */
export function writeReport(facts: SenderFacts, isLast: 'goes-on' | 'ends'): Buffer {
  const sr = Buffer.alloc(28);
  sr.writeUInt8(0x80, 0);
  sr.writeUInt8(200, 1);
  sr.writeUInt16BE(6, 2);
  sr.writeUInt32BE(facts.ssrc, 4);
  sr.writeUInt32BE((Math.floor(facts.now / 1_000) + ntpOffset) >>> 0, 8);
  sr.writeUInt32BE(Math.floor(((facts.now % 1_000) / 1_000) * 2 ** 32) >>> 0, 12);
  sr.writeUInt32BE(facts.timestamp >>> 0, 16);
  sr.writeUInt32BE(facts.packets >>> 0, 20);
  sr.writeUInt32BE(facts.octets >>> 0, 24);
  const name = Buffer.from(facts.cname, 'latin1').subarray(0, 64);
  // The item, and at least one zero byte up to a whole word.
  const sdes = Buffer.alloc(8 + Math.ceil((2 + name.length + 1) / 4) * 4);
  sdes.writeUInt8(0x81, 0);
  sdes.writeUInt8(202, 1);
  sdes.writeUInt16BE(sdes.length / 4 - 1, 2);
  sdes.writeUInt32BE(facts.ssrc, 4);
  sdes.writeUInt8(1, 8);
  sdes.writeUInt8(name.length, 9);
  name.copy(sdes, 10);
  if (isLast === 'goes-on') return Buffer.concat([sr, sdes]);
  const bye = Buffer.alloc(8);
  bye.writeUInt8(0x81, 0);
  bye.writeUInt8(203, 1);
  bye.writeUInt16BE(1, 2);
  bye.writeUInt32BE(facts.ssrc, 4);
  return Buffer.concat([sr, sdes, bye]);
}

/** What a compound packet says of the stream `ssrc`; empty for whatever is no RTCP. */
export function readReports(bytes: Buffer, ssrc: number): readonly ReceptionReport[] {
  const found: ReceptionReport[] = [];
  let at = 0;
  while (at + 4 <= bytes.length && bytes.readUInt8(at) >> 6 === 2) {
    const count = bytes.readUInt8(at) & 0x1f;
    const type = bytes.readUInt8(at + 1);
    const end = at + 4 + 4 * bytes.readUInt16BE(at + 2);
    if (end > bytes.length) break;
    const first = type === 200 ? at + 28 : type === 201 ? at + 8 : end;
    for (let block = first, i = 0; i < count && block + 24 <= end; block += 24, i++) {
      if (bytes.readUInt32BE(block) !== ssrc) continue;
      found.push({
        fractionLost: bytes.readUInt8(block + 4) / 256,
        lost: bytes.readIntBE(block + 5, 3),
        highestSequence: bytes.readUInt32BE(block + 8),
      });
    }
    at = end;
  }
  return found;
}
