import { type CameraFacts, streamRoles } from '#edge/domain/camera.ts';
import { type DeviceId, slugPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { serveViewer } from './live.ts';
import type { MediaHandler, MediaSocketHandler } from './socket.ts';
import type { CameraStreams } from './streams.ts';
import type { Transcodes } from './transcode.ts';

export interface LiveSocketOptions {
  readonly streams: CameraStreams;
  readonly transcodes: Transcodes;
  readonly clock: Clock;
}

/** `/live/<camera>/<role>?codecs=avc1,hvc1`: without `codecs` the browser is taken to show H.264 alone. */
export function createLiveSocket({ streams, transcodes, clock }: LiveSocketOptions): MediaSocketHandler {
  return ([area, camera = '', role, ...more], query, socket) => {
    const wanted = streamRoles.find((each) => each === role);
    if (area !== 'live' || wanted === undefined || more.length > 0 || !isCamera(camera)) return false;
    const hub = streams.hub(camera, wanted);
    if (hub === null) return false;
    const codecs = new Set((query.get('codecs') ?? 'avc1').split(',').slice(0, 8));
    serveViewer(socket, { hub, codecs, recoded: (of) => transcodes.of(of), clock });
    return true;
  };
}

/** `GET /health`: how the streams are that have been wanted since the start. `GET /cameras`: what cameras are, without addresses. */
export function createStreamsAnswer({ streams, transcodes }: Omit<LiveSocketOptions, 'clock'>): MediaHandler {
  const answers: Readonly<Record<string, () => object>> = {
    '/health': () => ({ streams: streams.health(), transcodes: transcodes.running }),
    '/cameras': () => ({ cameras: streams.facts().map(withoutAddresses) }),
  };
  return (request, response) => {
    const answer = request.method === 'GET' ? answers[request.url ?? ''] : undefined;
    if (answer === undefined) return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer()));
    return true;
  };
}

function withoutAddresses({ streams, ...facts }: CameraFacts) {
  return { ...facts, streams: streams.map(({ uri: _uri, ...stream }) => stream) };
}

function isCamera(id: string): id is DeviceId {
  return slugPattern.test(id);
}
