import { type CameraFacts, streamRoles } from '#edge/domain/camera.ts';
import { type DeviceId, slugPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import type { StreamHub } from './hub.ts';
import { serveViewer } from './live.ts';
import type { MediaHandler, MediaSocketHandler } from './socket.ts';
import type { CameraStreams } from './streams.ts';
import type { Transcodes } from './transcode.ts';

export interface LiveSocketOptions {
  readonly streams: CameraStreams;
  readonly transcodes: Transcodes;
  readonly masksOf: (camera: DeviceId) => readonly PictureMask[];
  readonly clock: Clock;
  readonly lookEvery?: number;
}

/**
 * `/live/<camera>/<role>?codecs=avc1,hvc1&unmasked=1`: without `codecs` the browser is taken to show H.264 alone; without `unmasked`, which
 * web alone says, and of those with the right alone, the camera's masks are burnt in.
 */
export function createLiveSocket({ streams, transcodes, masksOf, ...times }: LiveSocketOptions): MediaSocketHandler {
  return ([area, camera = '', role, ...more], query, socket) => {
    const wanted = streamRoles.find((each) => each === role);
    if (area !== 'live' || wanted === undefined || more.length > 0 || !isCamera(camera)) return false;
    const hub = streams.hub(camera, wanted);
    if (hub === null) return false;
    const codecs = new Set((query.get('codecs') ?? 'avc1').split(',').slice(0, 8));
    const masks = query.get('unmasked') === '1' ? [] : masksOf(camera);
    const recoded = (of: StreamHub) => transcodes.of(of, masks);
    serveViewer(socket, { hub, codecs, isMasked: masks.length > 0, recoded, ...times });
    return true;
  };
}

/** `GET /health`: how the streams are that have been wanted since the start. `GET /cameras`: what cameras are, without addresses. */
export function createStreamsAnswer({
  streams,
  transcodes,
}: Pick<LiveSocketOptions, 'streams' | 'transcodes'>): MediaHandler {
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
