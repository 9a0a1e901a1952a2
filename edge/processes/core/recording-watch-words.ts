import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { MediaHealth, RecordingHealth } from '#edge/domain/recording.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';

/* The words of alarms over recording. */

export const siteSource = 'recording:site';
export const protectedSource = 'recording:protected';
export const recordingSource = (camera: string): string => `recording:${camera}`;
export const retentionSource = (camera: string): string => `retention:${camera}`;
export const deafSource = (camera: string): string => `deaf:${camera}`;

export interface CameraPlace {
  readonly id: DeviceId;
  readonly name: Name;
  readonly zone: ZoneId;
}

const group = 'recording';
const about = ({ id, zone }: CameraPlace) => ({ device: id, zone });

/** Why nothing can be recorded at all; '' when it can. */
export function siteTrouble(media: MediaHealth): string {
  const { problem, ffmpeg, cameras } = media;
  if (problem !== '') return problem;
  return ffmpeg === null && cameras.some(({ mode }) => mode !== 'off') ? 'no ffmpeg was found' : '';
}

export function nothingRecorded(why: string): RaiseDecision {
  return {
    kind: 'raise',
    source: siteSource,
    class: 'high',
    message: { zh: `录像停止：${why}`, en: `Nothing is recorded: ${why}` },
    next: {
      zh: '检查录像磁盘的空间、挂载和健康状况，或安装 ffmpeg；恢复后录像自动继续',
      en: 'Look at the disk of the footage (room, mount, health), or install ffmpeg; recording goes on by itself',
    },
    reason: why,
    group,
  };
}

/** Nothing of it goes while the disk has room; when it has none, the oldest of it does. */
export function tooMuchKept(bytes: number, quota: number): RaiseDecision {
  const inGb = (of: number) => Math.round(of / 1e8) / 10;
  const why = `${inGb(bytes)} GB of ${inGb(quota)} GB`;
  return {
    kind: 'raise',
    source: protectedSource,
    class: 'high',
    message: {
      zh: `受保护的录像已有 ${inGb(bytes)} GB，超过配额 ${inGb(quota)} GB`,
      en: `Footage that is kept has ${inGb(bytes)} GB, more than its quota of ${inGb(quota)} GB`,
    },
    next: {
      zh: '结束不再需要的事件，放行已移交的案卷和标记的录像，或提高 cameras.protectedQuota；磁盘满时将从最早的受保护录像删起',
      en: 'Resolve incidents that are over, let go of cases and clips that were handed over, or raise cameras.protectedQuota; once the disk is full the oldest of it is deleted',
    },
    reason: why,
    group,
  };
}

export function notRecorded(camera: CameraPlace, { message }: RecordingHealth): RaiseDecision {
  const why = message === '' ? 'no picture comes' : message;
  return {
    kind: 'raise',
    source: recordingSource(camera.id),
    class: 'medium',
    message: { zh: `${camera.name.zh}没有录像`, en: `${camera.name.en} is not recorded` },
    next: { zh: `检查摄像机的视频流：${why}`, en: `Look at the camera's video stream: ${why}` },
    reason: why,
    ...about(camera),
    group,
  };
}

export function tooFewDays(camera: CameraPlace, recording: RecordingHealth): RaiseDecision {
  const { daysRequired, daysExpected } = recording;
  const days = Math.floor(daysExpected ?? 0);
  const why = `${days} of ${daysRequired} days`;
  return {
    kind: 'raise',
    source: retentionSource(camera.id),
    class: 'medium',
    message: {
      zh: `${camera.name.zh}的录像只能保存 ${days} 天，要求 ${daysRequired} 天`,
      en: `Footage of ${camera.name.en} will be kept for ${days} days, and ${daysRequired} are required`,
    },
    next: {
      zh: '扩大录像磁盘，或降低码流、调整配额',
      en: 'Give the footage more room, or lower the bit rate or the quota of other cameras',
    },
    reason: why,
    ...about(camera),
    group: 'retention',
  };
}

export function deafCamera(camera: CameraPlace): RaiseDecision {
  return {
    kind: 'raise',
    source: deafSource(camera.id),
    class: 'medium',
    message: {
      zh: `${camera.name.zh}有画面但没有事件`,
      en: `${camera.name.en} shows pictures, and none of its events is heard`,
    },
    next: {
      zh: '在摄像机健康页查看事件订阅；必要时重启摄像机。此期间请人工查看画面',
      en: 'Look at its subscription on the camera page, restart it if need be; until then watch its pictures yourself',
    },
    reason: 'its video lives, and for five minutes there was no proof that its events are heard',
    ...about(camera),
    group: 'deaf',
  };
}
