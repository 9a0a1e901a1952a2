import type { MediaHealth } from '#edge/domain/recording.ts';
import type { Ffmpeg } from '#edge/media/ffmpeg-find.ts';
import type { StreamHealth } from '#edge/media/hub.ts';
import type { RecordingState } from '#edge/media/recorder-desk.ts';
import type { TranscodeLoad } from '#edge/media/transcode.ts';

/** Everything media says of itself: how recording goes, and how the streams are that it comes from. */
export function mediaHealthOf(
  recording: RecordingState,
  streams: readonly StreamHealth[],
  ffmpeg: Ffmpeg | null,
  load: TranscodeLoad,
): MediaHealth {
  const cameras = recording.cameras.map((camera) => {
    const own = streams.filter((stream) => stream.camera === camera.camera);
    const main = own.find(({ role }) => role === 'main') ?? own[0];
    return {
      ...camera,
      viewers: own.reduce((sum, { viewers }) => sum + viewers, 0),
      frameRate: main?.frameRate ?? null,
      codec: main?.codec ?? '',
    };
  });
  const { video: transcodes, ...recoding } = load;
  return { ...recording, ffmpeg, transcodes, recoding, cameras };
}
