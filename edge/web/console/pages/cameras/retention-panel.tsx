import { ToneBadge } from '../../kit/badges.tsx';
import { Panel } from '../../kit/frame.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { shareText } from './camera-list.tsx';
import { words } from './words.ts';

type Recording = NonNullable<CameraView['recording']>;

/** How long footage lasts against how long it must, and how much of it is whole. */
export function RetentionPanel({ recording }: { readonly recording: CameraView['recording'] }) {
  const say = useWords(words);
  const formats = useFormats();
  if (recording === null) {
    return (
      <Panel title={say.retention}>
        <p className="kit-soft">{say.noRecordingRight}</p>
      </Panel>
    );
  }
  const { daysExpected } = recording;
  const facts = [
    [say.daysThere, say.daysUnit(formats.number(recording.daysThere, 1))],
    [say.daysRequired, say.daysUnit(String(recording.daysRequired))],
    [say.daysExpected, daysExpected === null ? say.unknown : say.daysUnit(formats.number(daysExpected, 0))],
    [say.complete24h, shareText(recording.complete24h, formats)],
    [say.completeAll, shareText(recording.complete, formats)],
    [say.oldest, recording.oldest === null ? '—' : formats.dateTime(recording.oldest)],
    [say.bytes, formats.bytes(recording.bytes)],
    [say.bytesPerDay, recording.bytesPerDay === 0 ? say.unknown : formats.bytes(recording.bytesPerDay)],
  ] as const;
  return (
    <Panel title={say.retention} extra={<Verdict recording={recording} />}>
      <DaysBar recording={recording} />
      <dl className="cameras-lines">
        {facts.map(([title, text]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd className="kit-number">{text}</dd>
          </div>
        ))}
      </dl>
      {isShort(recording) && (
        <p className="cameras-trouble">
          <SignIcon sign="triangle" /> {say.short}
        </p>
      )}
    </Panel>
  );
}

function isShort({ daysExpected, daysRequired }: Recording): boolean {
  return daysExpected !== null && daysExpected < daysRequired;
}

function Verdict({ recording }: { readonly recording: Recording }) {
  const say = useWords(words);
  if (recording.mode === 'off') return <ToneBadge tone="plain">{say.isOff}</ToneBadge>;
  if (isShort(recording)) return <ToneBadge tone="bad">{say.gapOfRoom}</ToneBadge>;
  if (recording.daysThere >= recording.daysRequired) return <ToneBadge tone="good">{say.enough}</ToneBadge>;
  return recording.daysExpected === null ? null : <ToneBadge tone="wait">{say.growing}</ToneBadge>;
}

/** Days there, of those required. */
function DaysBar({ recording }: { readonly recording: Recording }) {
  const say = useWords(words);
  const formats = useFormats();
  const { daysThere, daysRequired } = recording;
  const there = Math.min(1, daysThere / Math.max(1, daysRequired));
  return (
    <div
      className="cameras-days-bar"
      role="img"
      aria-label={`${say.days} ${say.daysOf(formats.number(daysThere, 1), daysRequired)}`}
    >
      <span style={{ width: `${there * 100}%` }} />
    </div>
  );
}
