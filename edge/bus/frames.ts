import { isUtf8 } from 'node:buffer';

/*
 * Cuts a byte stream into MQTT 3.1.1 control packets before any parser sees them. A claimed length is judged from the
 * fixed header alone: mqtt-packet would collect up to 256 MB for it. It also refuses what the parser lets through:
 * packet id 0 (2.3.1), text that is not UTF-8 (1.5.3), reserved flags, packets only a server may send.
 */

export const packetTypes = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const;

/** One control packet: where it lies in the reader's bytes and what it is. */
export interface Frame {
  readonly type: number;
  /** Whole packet with its fixed header. Shares memory with what was received: copy what is to be kept. */
  readonly bytes: Buffer;
}

/** Why a stream cannot go on. `code` is for counting, `message` for people. */
export interface FrameFault {
  readonly code: 'frame-too-large' | 'malformed-packet' | 'unsupported-protocol';
  readonly message: string;
}

/** CONNACK with return code 1 (3.2.2.3): what a client of MQTT 5 is told, so that it may try 3.1.1. */
export const unacceptableProtocol: Buffer = Buffer.from([0x20, 2, 0, 1]);

const empty: Buffer = Buffer.alloc(0);

/** Collects what a socket delivers and gives it back packet by packet. Holds at most one packet and one chunk. */
export class FrameReader {
  #view: Buffer = empty;
  #start = 0;
  #end = 0;
  /** The view is ours to append to; a chunk of the socket's is not. */
  #owned = false;
  #fault: FrameFault | null = null;

  /** Bytes that were received and not yet taken. */
  get pending(): number {
    return this.#end - this.#start;
  }

  get fault(): FrameFault | null {
    return this.#fault;
  }

  push(chunk: Buffer): void {
    if (this.#fault !== null || chunk.length === 0) return;
    if (this.pending === 0) {
      this.#view = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    this.#reserve(chunk.length);
    chunk.copy(this.#view, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole packet of at most `maxBytes` (fixed header included); null when more must come or after a fault. */
  next(maxBytes: number): Frame | null {
    if (this.#fault !== null || this.pending < 2) return null;
    const header = this.#readHeader(maxBytes);
    if (header === null || this.pending < header.total) return null;
    const bytes = this.#view.subarray(this.#start, this.#start + header.total);
    const wrong = checkPacket(header.type, bytes, header.total - header.length);
    if (wrong !== null) return this.#fail('malformed-packet', wrong);
    const level = header.type === packetTypes.connect ? protocolLevel(bytes, header.total - header.length) : 4;
    if (level !== 3 && level !== 4) {
      return this.#fail('unsupported-protocol', `MQTT protocol level ${level} is not spoken here; use 3.1.1 (level 4)`);
    }
    this.#start += header.total;
    if (this.#start === this.#end) this.#release();
    return { type: header.type, bytes };
  }

  /** The type of the packet that is next, whole or not; 0 when nothing is there. */
  peekType(): number {
    return this.pending === 0 ? 0 : (this.#view[this.#start] ?? 0) >> 4;
  }

  /** True when `next` would give a packet or find a fault without more bytes. */
  isReady(maxBytes: number): boolean {
    const header = this.pending < 2 ? null : this.#readHeader(maxBytes);
    return this.#fault !== null || (header !== null && this.pending >= header.total);
  }

  #readHeader(maxBytes: number): { type: number; length: number; total: number } | null {
    let length = 0;
    for (let i = 0; i < 4; i++) {
      const at = this.#start + 1 + i;
      if (at >= this.#end) return null;
      const byte = this.#view[at] ?? 0;
      length += (byte & 0x7f) * 128 ** i;
      if (byte < 0x80) {
        const total = length + 2 + i;
        if (total <= maxBytes) return { type: (this.#view[this.#start] ?? 0) >> 4, length, total };
        return this.#fail('frame-too-large', `a packet of ${total} bytes was announced; at most ${maxBytes} are taken`);
      }
    }
    return this.#fail('malformed-packet', 'the remaining length has more than 4 bytes');
  }

  #fail(code: FrameFault['code'], message: string): null {
    this.#fault = { code, message };
    this.#release();
    return null;
  }

  #release(): void {
    this.#view = empty;
    this.#start = 0;
    this.#end = 0;
    this.#owned = false;
  }

  /** Makes room behind the pending bytes. Grows by doubling, so that a packet sent byte by byte costs no more than it should. */
  #reserve(more: number): void {
    const need = this.pending + more;
    if (this.#owned && this.#end + more <= this.#view.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(256, need, this.#owned ? Math.min(need * 2, 1 << 20) : need));
    this.#view.copy(grown, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    this.#view = grown;
    this.#owned = true;
  }
}

/** What is wrong with a whole packet, in a sentence; null when the parser may have it. `at` = where its body starts. */
function checkPacket(type: number, bytes: Buffer, at: number): string | null {
  const flags = (bytes[0] ?? 0) & 0x0f;
  const size = bytes.length - at;
  switch (type) {
    case packetTypes.publish:
      return checkPublish(bytes, at, flags);
    case packetTypes.connect:
      return flags === 0 ? checkConnect(bytes, at) : 'CONNECT has reserved flags set';
    case packetTypes.puback:
    case packetTypes.pubrec:
    case packetTypes.pubcomp:
      if (flags !== 0 || size !== 2) return 'an acknowledgement has wrong flags or length';
      return bytes.readUInt16BE(at) === 0 ? 'an acknowledgement has packet id 0' : null;
    case packetTypes.pubrel:
      if (flags !== 2 || size !== 2) return 'PUBREL has wrong flags or length';
      return bytes.readUInt16BE(at) === 0 ? 'PUBREL has packet id 0' : null;
    case packetTypes.subscribe:
      return checkFilters(bytes, at, flags, 'SUBSCRIBE', 1);
    case packetTypes.unsubscribe:
      return checkFilters(bytes, at, flags, 'UNSUBSCRIBE', 0);
    case packetTypes.pingreq:
    case packetTypes.disconnect:
      return flags !== 0 || size !== 0 ? 'PINGREQ or DISCONNECT has flags or a body' : null;
    default:
      return `packet type ${type} is not one that a client sends`;
  }
}

/** What a PUBLISH says. The payload shares memory with what was received. */
export interface PublishFields {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** 0 at QoS 0. */
  readonly messageId: number;
}

/** Reads a whole PUBLISH that `FrameReader` has let through. */
export function readPublish(bytes: Buffer): PublishFields {
  let at = 1;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  const start = at + 3;
  const end = start + bytes.readUInt16BE(at + 1);
  const flags = bytes[0] ?? 0;
  const level = (flags >> 1) & 3;
  const qos = level === 0 ? 0 : level === 1 ? 1 : 2;
  return {
    topic: bytes.toString('utf8', start, end),
    payload: bytes.subarray(qos === 0 ? end : end + 2),
    qos,
    retain: (flags & 1) === 1,
    messageId: qos === 0 ? 0 : bytes.readUInt16BE(end),
  };
}

/** Takes the retain flag off a PUBLISH, in place. */
export function clearRetain(bytes: Buffer): void {
  bytes[0] = (bytes[0] ?? 0) & 0xfe;
}

function checkPublish(bytes: Buffer, at: number, flags: number): string | null {
  const qos = (flags >> 1) & 3;
  if (qos === 3) return 'PUBLISH has QoS 3';
  if (qos === 0 && (flags & 8) !== 0) return 'PUBLISH has DUP set at QoS 0';
  const topic = readText(bytes, at);
  if (topic === null) return 'PUBLISH has a topic that is cut off or not UTF-8';
  if (topic.end === at + 2) return 'PUBLISH has an empty topic';
  if (qos === 0) return null;
  if (topic.end + 2 > bytes.length) return 'PUBLISH ends before its packet id';
  return bytes.readUInt16BE(topic.end) === 0 ? 'PUBLISH has packet id 0' : null;
}

function checkFilters(bytes: Buffer, at: number, flags: number, name: string, extra: 0 | 1): string | null {
  if (flags !== 2) return `${name} has wrong flags`;
  if (at + 2 > bytes.length || bytes.readUInt16BE(at) === 0) return `${name} has packet id 0 or none`;
  let offset = at + 2;
  if (offset === bytes.length) return `${name} names no filter`;
  while (offset < bytes.length) {
    const filter = readText(bytes, offset);
    if (filter === null || filter.end === offset + 2) return `${name} has a filter that is empty, cut off or not UTF-8`;
    offset = filter.end + extra;
    if (extra === 1 && (bytes[filter.end] ?? 3) > 2) return `${name} asks for a QoS above 2`;
  }
  return null;
}

/** 3.1: protocol name, level, flags, keepalive, then the texts that the flags announce. */
function checkConnect(bytes: Buffer, at: number): string | null {
  const protocol = readText(bytes, at);
  if (protocol === null || protocol.end + 4 > bytes.length) return 'CONNECT is cut off';
  const flags = bytes[protocol.end + 1] ?? 0;
  const will = (flags & 4) !== 0;
  if ((flags & 1) !== 0) return 'CONNECT has its reserved flag set';
  if ((flags & 0x18) === 0x18) return 'CONNECT has a last will of QoS 3';
  if (!will && (flags & 0x38) !== 0) return 'CONNECT describes a last will that it does not have';
  const level = protocolLevel(bytes, at);
  if (level !== 3 && level !== 4) return null; // its body may look different; the reader refuses it by its level
  // Client id, will topic and user name are text; will payload and password are any bytes.
  const parts = [
    true,
    ...(will ? [true, false] : []),
    ...(flags & 0x80 ? [true] : []),
    ...(flags & 0x40 ? [false] : []),
  ];
  let offset = protocol.end + 4;
  for (const isText of parts) {
    const end = isText ? readText(bytes, offset)?.end : skipBytes(bytes, offset);
    if (end === undefined) return 'CONNECT is cut off or has text that is not UTF-8';
    offset = end;
  }
  return offset === bytes.length ? null : 'CONNECT has bytes behind its end';
}

/** The highest bit marks a bridge (mosquitto's `try_private`). */
function protocolLevel(bytes: Buffer, at: number): number {
  return (bytes[readText(bytes, at)?.end ?? bytes.length] ?? 0) & 0x7f;
}

function skipBytes(bytes: Buffer, offset: number): number | undefined {
  if (offset + 2 > bytes.length) return undefined;
  const end = offset + 2 + bytes.readUInt16BE(offset);
  return end > bytes.length ? undefined : end;
}

function readText(bytes: Buffer, offset: number): { end: number } | null {
  const end = skipBytes(bytes, offset);
  if (end === undefined || !isPlainText(bytes, offset + 2, end)) return null;
  return { end };
}

/** ASCII without NUL is decided here, without a native call; the rest by Node. */
function isPlainText(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0) return false;
    if (byte >= 0x80) return isUtf8(bytes.subarray(start, end)) && !bytes.subarray(start, end).includes(0);
  }
  return true;
}
