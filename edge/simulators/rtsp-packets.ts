import type { AccessUnit, RtspClip } from './rtsp-clip.ts';

/* RTP payloads of video: RFC 6184 for H.264, RFC 7798 for H.265; what is longer than a packet goes in pieces. */

/** Fits an Ethernet frame with room for a tunnel. */
const mostPayload = 1_380;
const payloadType = 96;

export interface RtpState {
  sequence: number;
  readonly ssrc: number;
  packets: number;
  octets: number;
}

/** The RTP packets of one picture; the last has the marker. `time` counts 1/90,000 s. */
export function packPicture(picture: AccessUnit, codec: RtspClip['codec'], time: number, state: RtpState): Buffer[] {
  const payloads = picture.nals.flatMap((nal) => (nal.length <= mostPayload ? [nal] : pieces(nal, codec)));
  return payloads.map((payload, index) => {
    const packet = Buffer.allocUnsafe(12 + payload.length);
    packet[0] = 0x80;
    packet[1] = payloadType | (index === payloads.length - 1 ? 0x80 : 0);
    packet.writeUInt16BE(state.sequence & 0xff_ff, 2);
    packet.writeUInt32BE(time % 2 ** 32, 4);
    packet.writeUInt32BE(state.ssrc, 8);
    payload.copy(packet, 12);
    state.sequence += 1;
    state.packets += 1;
    state.octets += payload.length;
    return packet;
  });
}

/** Fragmentation units: H.264 FU-A (28), H.265 FU (49). */
function pieces(nal: Buffer, codec: RtspClip['codec']): Buffer[] {
  const [first = 0, second = 0] = nal;
  const header = codec === 'h264' ? 1 : 2;
  const indicator = codec === 'h264' ? [(first & 0xe0) | 28] : [(first & 0x81) | (49 << 1), second];
  const type = codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f;
  const out: Buffer[] = [];
  const room = mostPayload - indicator.length - 1;
  for (let at = header; at < nal.length; at += room) {
    const start = at === header ? 0x80 : 0;
    const end = at + room >= nal.length ? 0x40 : 0;
    out.push(Buffer.concat([Buffer.from([...indicator, start | end | type]), nal.subarray(at, at + room)]));
  }
  return out;
}

const ntpEpoch = 2_208_988_800;

/** RTCP sender report (RFC 3550, 6.4.1): which wall clock time belongs to which time of the stream. */
export function senderReport(state: RtpState, now: number, time: number): Buffer {
  const packet = Buffer.alloc(28);
  packet.writeUInt16BE(0x80_c8, 0);
  packet.writeUInt16BE(6, 2);
  packet.writeUInt32BE(state.ssrc, 4);
  packet.writeUInt32BE(Math.floor(now / 1000) + ntpEpoch, 8);
  packet.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32), 12);
  packet.writeUInt32BE(time % 2 ** 32, 16);
  packet.writeUInt32BE(state.packets % 2 ** 32, 20);
  packet.writeUInt32BE(state.octets % 2 ** 32, 24);
  return packet;
}

/** What DESCRIBE answers (RFC 8866). */
export function describeClip(clip: RtspClip, host: string): string {
  const sets = clip.parameterSets.map((set) => set.toString('base64'));
  const format =
    clip.codec === 'h264'
      ? `packetization-mode=1;profile-level-id=${clip.parameterSets[0]?.toString('hex', 1, 4)};sprop-parameter-sets=${sets.join(',')}`
      : `sprop-vps=${sets[0]};sprop-sps=${sets[1]};sprop-pps=${sets[2]}`;
  const family = host.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=- 1 1 IN ${family} ${host}`,
    's=Media Presentation',
    `c=IN ${family} ${host.includes(':') ? '::' : '0.0.0.0'}`,
    't=0 0',
    'a=control:*',
    `m=video 0 RTP/AVP ${payloadType}`,
    `a=rtpmap:${payloadType} ${clip.codec === 'h264' ? 'H264' : 'H265'}/90000`,
    `a=fmtp:${payloadType} ${format}`,
    `a=framerate:${clip.frameRate}`,
    'a=control:trackID=1',
    '',
  ].join('\r\n');
}
