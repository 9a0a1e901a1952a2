import { Button } from 'antd';
import type { MouseEvent } from 'react';
import { Age } from '../../kit/age.tsx';
import { AlarmClassBadge } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { useTicking } from '../../kit/ticker.ts';
import { useDeviceName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import type { IncidentActs } from './acts.ts';
import type { IncidentView } from './data.ts';
import { Thumbnail } from './pictures.tsx';
import { useIncidentTexts } from './texts.ts';
import { words } from './words.ts';

export interface RowHands {
  readonly acts: IncidentActs;
  readonly hrefOf: (id: string) => string;
  /** null: nothing can be chosen here. With Shift: all between it and the one before. */
  readonly onChoose: ((incident: IncidentView, isRange: boolean) => void) | null;
}

/** One incident of the list: its picture, how grave, what and where, who sees to it, how old. */
export function IncidentRow({
  incident,
  isSelected,
  isChosen,
  isOver,
  hands: { acts, hrefOf, onChoose },
}: {
  readonly incident: IncidentView;
  readonly isSelected: boolean;
  readonly isChosen: boolean;
  readonly isOver: boolean;
  readonly hands: RowHands;
}) {
  const say = useWords(words);
  const texts = useIncidentTexts();
  const mayLook = useRight('pictures');
  const title = texts.titleOf(incident);
  const looks = [
    `incidents-row incidents-${incident.class}`,
    incident.seenBy === null && !isOver ? 'incidents-unseen' : '',
    isSelected ? 'incidents-selected' : '',
    isOver ? 'incidents-over' : '',
  ];
  // Shift and a click anywhere on the line choose it, as in lists of files.
  const press = (event: MouseEvent) => {
    if (!event.shiftKey || onChoose === null) return;
    event.preventDefault();
    onChoose(incident, true);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key for it is x.
    <article className={looks.join(' ')} data-incident={incident.id} data-state={incident.state} onClick={press}>
      {onChoose !== null && (
        <label className="incidents-tick">
          <input
            type="checkbox"
            checked={isChosen}
            aria-label={say.choose(title)}
            onClick={(event) => event.stopPropagation()}
            onChange={(event) =>
              onChoose(incident, event.nativeEvent instanceof PointerEvent && event.nativeEvent.shiftKey)
            }
          />
        </label>
      )}
      {mayLook && <Thumbnail incident={incident} />}
      <div className="incidents-row-words">
        <p className="incidents-row-title">
          <AlarmClassBadge alarmClass={incident.class} />
          <a href={hrefOf(incident.id)} aria-current={isSelected ? 'true' : undefined} title={title}>
            {title}
          </a>
        </p>
        <p className="incidents-row-facts">
          <StateWords incident={incident} />
          {incident.state === 'new' && incident.escalatesAt !== null && <Countdown at={incident.escalatesAt} />}
        </p>
        <p className="incidents-row-facts kit-soft">
          <Age time={incident.from} className="incidents-age kit-number" />
          <Devices devices={incident.devices} />
          <Extent incident={incident} />
        </p>
      </div>
      {incident.state !== 'resolved' && incident.claimedBy === null && !isOver && (
        <Button
          className="incidents-row-button"
          type={incident.state === 'escalated' ? 'primary' : 'default'}
          disabled={acts.isAway}
          data-act="claim"
          onClick={(event) => {
            event.stopPropagation();
            void acts.claim(incident);
          }}
        >
          {say.claim}
        </Button>
      )}
    </article>
  );
}

/** In words and with a sign: new, claimed by whom, escalated, what came of it; and that nobody has looked yet. */
export function StateWords({ incident }: { readonly incident: IncidentView }) {
  const say = useWords(words);
  const { stateOf } = useIncidentTexts();
  const signs = { new: 'dot', claimed: 'half', escalated: 'triangle', resolved: 'square' } as const;
  return (
    <>
      <span className={`incidents-state incidents-state-${incident.state}`}>
        <SignIcon sign={signs[incident.state]} size={12} /> {stateOf(incident)}
      </span>
      {incident.seenBy === null && <span className="incidents-new">{say.unseen}</span>}
      {incident.emergency !== null && <span className="incidents-new">{say.emergency}</span>}
    </>
  );
}

export function Countdown({ at }: { readonly at: number }) {
  const say = useWords(words);
  const formats = useFormats();
  const left = useTicking((time) => (at <= time ? '' : formats.duration(at - time)));
  return (
    <span className="incidents-countdown">
      <SignIcon sign="clock" size={12} /> {left === '' ? say.escalatesNow : say.escalatesIn(left)}
    </span>
  );
}

/** Most devices that a line names. */
const mostNamed = 2;

function Devices({ devices }: { readonly devices: readonly string[] }) {
  const say = useWords(words);
  const deviceName = useDeviceName();
  if (devices.length === 0) return null;
  const named = devices.slice(0, mostNamed).map(deviceName).join(' · ');
  return (
    <span className="incidents-devices">
      {devices.length > mostNamed ? `${named} ${say.andMore(devices.length)}` : named}
    </span>
  );
}

function Extent({ incident: { from, to, count, isClosed, state } }: { readonly incident: IncidentView }) {
  const say = useWords(words);
  const formats = useFormats();
  return (
    <>
      {count > 1 && <span>{say.times(count)}</span>}
      {to - from >= 1_000 && (
        <span>
          {say.lasted} {formats.duration(to - from)}
        </span>
      )}
      {!isClosed && state !== 'resolved' && <span className="incidents-growing">{say.growing}</span>}
    </>
  );
}
