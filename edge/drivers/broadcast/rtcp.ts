/* RTCP (RFC 3550 section 6): what tells receivers our clock, and what they tell of having heard. Bytes only, no socket. */

export interface SenderInfo {
  readonly ssrc: number;
  /** Wall clock, ms since epoch, and the RTP time of the same moment: what receivers need to play in step. */
  readonly time: number;
  readonly rtp: number;
  readonly packets: number;
  readonly octets: number;
}

/** What one receiver says of one stream. */
export interface Report {
  /** Who says it. */
  readonly from: number;
  /** Of which stream. */
  readonly about: number;
  /** Since its last report, 0 to 1. */
  readonly lost: number;
  /** Highest sequence number it got, with the count of the times it went round. */
  readonly highest: number;
}

export interface Heard {
  readonly reports: readonly Report[];
  /** Receivers that say good-bye. */
  readonly gone: readonly number[];
}

/** Seconds from 1900 to 1970 (RFC 3550 section 4). */
const ntpEpoch = 2_208_988_800;
const types = { sr: 200, rr: 201, sdes: 202, bye: 203 } as const;
const cnameItem = 1;
/** A compound packet of a receiver is one or two hundred bytes. */
const longestPacket = 1500;

/** A sender report, the name that goes with it, and a good-bye when it is the last: one compound packet. */
export function encodeReport(sender: SenderInfo, cname: string, isLast: boolean): Buffer {
  const report = Buffer.alloc(28);
  head(report, 0, types.sr);
  report.writeUInt32BE(sender.ssrc, 4);
  const seconds = Math.floor(sender.time / 1000);
  report.writeUInt32BE((seconds + ntpEpoch) >>> 0, 8);
  report.writeUInt32BE(Math.min(0xffffffff, Math.floor(((sender.time - seconds * 1000) / 1000) * 2 ** 32)), 12);
  report.writeUInt32BE(sender.rtp >>> 0, 16);
  report.writeUInt32BE(sender.packets >>> 0, 20);
  report.writeUInt32BE(sender.octets >>> 0, 24);
  const text = Buffer.from(cname.slice(0, 255), 'latin1');
  // The list of items ends with at least one zero and fills its words.
  const name = Buffer.alloc(8 + Math.ceil((2 + text.length + 1) / 4) * 4);
  head(name, 1, types.sdes);
  name.writeUInt32BE(sender.ssrc, 4);
  name.writeUInt8(cnameItem, 8);
  name.writeUInt8(text.length, 9);
  text.copy(name, 10);
  if (!isLast) return Buffer.concat([report, name]);
  const bye = Buffer.alloc(8);
  head(bye, 1, types.bye);
  bye.writeUInt32BE(sender.ssrc, 4);
  return Buffer.concat([report, name, bye]);
}

function head(packet: Buffer, count: number, type: number): void {
  packet.writeUInt8(0x80 | count, 0);
  packet.writeUInt8(type, 1);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
}

/** What a compound packet says; null: it is not RTCP. What is behind a broken part is not read. */
export function decodeRtcp(message: Buffer): Heard | null {
  if (message.length < 8 || message.length > longestPacket || !isRtcp(message)) return null;
  const reports: Report[] = [];
  const gone: number[] = [];
  for (let at = 0; at + 4 <= message.length; ) {
    const first = message.readUInt8(at);
    const length = (message.readUInt16BE(at + 2) + 1) * 4;
    if (first >> 6 !== 2 || at + length > message.length) break;
    const part = message.subarray(at, at + length);
    const type = part.readUInt8(1);
    if (type === types.sr || type === types.rr) reports.push(...blocksOf(part, first & 31, type === types.sr ? 28 : 8));
    if (type === types.bye)
      for (let i = 0; i < (first & 31) && 8 + 4 * i <= length; i++) gone.push(part.readUInt32BE(4 + 4 * i));
    at += length;
  }
  return { reports, gone };
}

/** RFC 5761 section 4: on a shared port the second byte tells RTCP from RTP. */
function isRtcp(message: Buffer): boolean {
  const type = message.readUInt8(1);
  return message.readUInt8(0) >> 6 === 2 && type >= 192 && type <= 223;
}

function blocksOf(part: Buffer, count: number, start: number): Report[] {
  if (part.length < 8) return [];
  const from = part.readUInt32BE(4);
  return Array.from({ length: count }, (_, i) => start + 24 * i)
    .filter((at) => at + 24 <= part.length)
    .map((at) => ({
      from,
      about: part.readUInt32BE(at),
      lost: part.readUInt8(at + 4) / 256,
      highest: part.readUInt32BE(at + 8),
    }));
}
