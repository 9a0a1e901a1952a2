/* Requests of RTSP (RFC 2326) as they come over one connection, between them binary frames (10.12). */

export interface RtspRequest {
  readonly method: string;
  readonly uri: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const longestRequest = 16_384;

/** Takes bytes, gives whole requests; interleaved frames of the client (receiver reports) are left out. null: this is no RTSP. */
export function createRequestReader(): (chunk: Buffer) => RtspRequest[] | null {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const requests: RtspRequest[] = [];
    for (;;) {
      if (held.length === 0) return requests;
      if (held[0] === 0x24) {
        if (held.length < 4 || held.length < 4 + held.readUInt16BE(2)) return requests;
        held = held.subarray(4 + held.readUInt16BE(2));
        continue;
      }
      const end = held.indexOf('\r\n\r\n');
      if (end === -1) return held.length > longestRequest ? null : requests;
      const request = parseRequest(held.toString('latin1', 0, end));
      if (request === null) return null;
      const body = Number(request.headers.get('content-length') ?? '0');
      if (!(body >= 0 && body <= longestRequest)) return null;
      if (held.length < end + 4 + body) return requests;
      held = held.subarray(end + 4 + body);
      requests.push(request);
    }
  };
}

function parseRequest(text: string): RtspRequest | null {
  const [first = '', ...lines] = text.replace(/^(\r\n)+/, '').split('\r\n');
  const found = /^([A-Z_]{3,20}) (\S+) RTSP\/1\.0$/.exec(first);
  if (found === null) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { method: found[1] ?? '', uri: found[2] ?? '', headers };
}
