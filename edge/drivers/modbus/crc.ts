/** CRC-16/MODBUS: reflected polynomial 0xA001, start 0xFFFF (Modbus over serial line V1.02, 6.2.2). */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffff;
  for (let i = start; i < end; i++) crc = (crc >> 8) ^ (table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return crc;
}

/** True when the last two of these bytes, at least four, are the CRC of the others, low byte first. */
export function hasGoodCrc(bytes: Buffer, start = 0, end = bytes.length): boolean {
  return end - start >= 4 && bytes.readUInt16LE(end - 2) === crc16(bytes, start, end - 2);
}
