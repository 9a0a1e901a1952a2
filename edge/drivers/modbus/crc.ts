/** CRC-16/MODBUS: reflected polynomial 0xA001, start 0xFFFF (Modbus over serial line V1.02, 6.2.2). */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) crc = (crc >> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}

/** The bytes and their CRC, low byte first: a complete RTU frame. */
export function withCrc(bytes: Buffer): Buffer {
  const crc = crc16(bytes);
  return Buffer.concat([bytes, Buffer.from([crc & 0xff, crc >> 8])]);
}

/** True for a frame of at least 4 bytes whose last two are its CRC. */
export function hasGoodCrc(frame: Buffer): boolean {
  return frame.length >= 4 && frame.readUInt16LE(frame.length - 2) === crc16(frame.subarray(0, -2));
}
