import { ToneBadge } from '../../kit/badges.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { words } from './words.ts';

type Recording = NonNullable<CameraView['recording']>;

const tones = { recording: 'good', waiting: 'wait', stopped: 'bad', off: 'plain' } as const;
const states = { recording: 'isRecording', waiting: 'isWaiting', stopped: 'isStopped', off: 'isOff' } as const;
export const modes = { continuous: 'modeContinuous', event: 'modeEvent', off: 'modeOff' } as const;

export function RecordingBadge({ recording }: { readonly recording: CameraView['recording'] }) {
  const say = useWords(words);
  if (recording === null) return <span className="kit-soft">—</span>;
  return <ToneBadge tone={tones[recording.state]}>{say[states[recording.state]]}</ToneBadge>;
}

/** What the recorder says of a disk, in the order of its own table. */
const disks = [
  [/disk is full/, 'diskFull'],
  [/quota/, 'diskQuota'],
  [/only be read/, 'diskReadOnly'],
  [/reports errors/, 'diskErrors'],
  [/may not be written/, 'diskRefused'],
  [/folder is gone/, 'diskGone'],
] as const;

/** Why footage cannot be written, in people's words; the recorder's own where we have none. */
export function useDiskText(): (message: string) => string {
  const say = useWords(words);
  const language = useLanguage();
  return (message) => {
    const [, key] = disks.find(([pattern]) => pattern.test(message)) ?? [null, null];
    if (key !== null) return say[key];
    return language === 'en' ? message : say.whyStopped;
  };
}

/** What ffmpeg found out about a stream (media/ffmpeg-words.ts). */
const streams = [
  [/refuses user or password/, 'whyPassword'],
  [/has no stream/, 'whyMissing'],
  [/is busy/, 'whyBusy'],
  [/does not take a connection|does not answer|by this way/, 'whyUnreachable'],
  [/cannot be used here|no video/, 'whyCodec'],
] as const;

/** Why nothing is recorded, and what to do; '' when all is well. */
export function useRecordingTrouble(recording: Recording | null): string {
  const say = useWords(words);
  const diskText = useDiskText();
  if (recording?.state === 'waiting') {
    const [, key] = streams.find(([pattern]) => pattern.test(recording.message)) ?? [null, 'whyWaiting' as const];
    return say[key];
  }
  if (recording?.state !== 'stopped') return '';
  return recording.message === '' ? say.whyStopped : `${diskText(recording.message)} · ${say.whyStopped}`;
}
