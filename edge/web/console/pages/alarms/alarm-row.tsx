import { Button } from 'antd';
import type { AlarmView } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { AlarmClassBadge, alarmStateText } from '../../kit/badges.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { useDeviceName, useSentence, useZoneName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import type { AlarmActs } from './acts.ts';
import { deviceOf } from './filter.ts';
import { isUnseen, type Line, suppressedIn } from './lines.ts';
import { Thumbnail } from './picture.tsx';
import { words } from './words.ts';

export interface RowHands {
  readonly acts: AlarmActs;
  readonly hrefOf: (alarm: AlarmView) => string;
  /** null: nothing can be chosen here. */
  readonly onChoose: ((alarm: AlarmView) => void) | null;
  readonly onFold: (alarm: AlarmView) => void;
}

/** One alarm of the list: what it is, what to do, where, since when, and the one button that it needs. */
export function AlarmRow({
  line: { alarm, others, isUnder, isOver },
  isSelected,
  isChosen,
  isUnfolded,
  hands: { acts, hrefOf, onChoose, onFold },
}: {
  readonly line: Line;
  readonly isSelected: boolean;
  readonly isChosen: boolean;
  readonly isUnfolded: boolean;
  readonly hands: RowHands;
}) {
  const say = useWords(words);
  const name = useName();
  const sentence = useSentence();
  const mayLook = useRight('pictures');
  const message = sentence(name(alarm.message));
  const looks = [
    'alarms-row',
    `alarms-row-${alarm.class}`,
    isUnseen(alarm) && !isOver ? 'alarms-row-unseen' : '',
    isUnder ? 'alarms-row-under' : '',
    isOver ? 'alarms-row-over' : '',
    isSelected ? 'alarms-row-selected' : '',
  ];
  return (
    <article className={looks.join(' ')} data-alarm={alarm.id} data-source={alarm.source} data-state={alarm.state}>
      {onChoose !== null && (
        <label className="alarms-tick">
          <input
            type="checkbox"
            checked={isChosen}
            disabled={isOver}
            aria-label={say.choose(message)}
            onChange={() => onChoose(alarm)}
          />
        </label>
      )}
      {mayLook && alarm.event !== undefined && !isUnder && <Thumbnail event={alarm.event} />}
      <div className="alarms-row-words">
        <p className="alarms-row-title">
          <AlarmClassBadge alarmClass={alarm.class} />
          <a href={hrefOf(alarm)} aria-current={isSelected ? 'true' : undefined} title={message}>
            {message}
          </a>
          <Age time={alarm.raised} className="alarms-row-age kit-number" />
        </p>
        <p className="alarms-row-next" title={sentence(name(alarm.next))}>
          <span className="kit-soft">{say.todo}</span> {sentence(name(alarm.next))}
        </p>
        <p className="alarms-row-facts kit-soft">
          <StateWords alarm={alarm} isOver={isOver} />
          <Place alarm={alarm} />
          {alarm.count > 1 && <span>{say.times(alarm.count)}</span>}
          {others.length > 0 && (
            <button
              type="button"
              className="alarms-fold"
              aria-expanded={isUnfolded}
              title={isUnfolded ? say.fold : say.unfold(others.length)}
              onClick={() => onFold(alarm)}
            >
              <span aria-hidden="true">{isUnfolded ? '▾' : '▸'}</span> <Under head={alarm} others={others} />
            </button>
          )}
        </p>
      </div>
      <RowButton alarm={alarm} isOver={isOver} acts={acts} />
    </article>
  );
}

function RowButton({
  alarm,
  isOver,
  acts,
}: {
  readonly alarm: AlarmView;
  readonly isOver: boolean;
  readonly acts: AlarmActs;
}) {
  const say = useWords(words);
  if (!acts.may || isOver) return null;
  const away = acts.isAway ? { disabled: true, title: say.away } : {};
  if (alarm.shelved !== undefined) {
    return (
      <Button className="alarms-row-button" onClick={() => void acts.unshelve(alarm)} {...away}>
        {say.unshelve}
      </Button>
    );
  }
  if (!isUnseen(alarm) || alarm.suppressedBy !== undefined) return null;
  return (
    <Button
      type="primary"
      className="alarms-row-button"
      data-act="acknowledge"
      onClick={() => void acts.acknowledge([alarm], '')}
      {...away}
    >
      {say.acknowledge}
    </Button>
  );
}

/** `1 个原因 · 抑制 12 条`, how many more of the same cause, or of the same device. */
function Under({ head, others }: { readonly head: AlarmView; readonly others: readonly AlarmView[] }) {
  const say = useWords(words);
  const suppressed = suppressedIn(others);
  const grouped = others.filter(
    ({ group, suppressedBy }) => suppressedBy === undefined && group !== undefined && group === head.group,
  ).length;
  const same = others.length - suppressed - grouped;
  return [
    suppressed > 0 ? say.causeOf(suppressed) : '',
    grouped > 0 ? say.sameCause(grouped) : '',
    same > 0 ? say.sameDevice(same) : '',
  ]
    .filter((text) => text !== '')
    .join(' · ');
}

/** Where it is: zone, and the device unless the message names it. */
export function Place({ alarm }: { readonly alarm: AlarmView }) {
  const zoneName = useZoneName();
  const deviceName = useDeviceName();
  const name = useName();
  const device = deviceOf(alarm);
  const called = device === undefined ? '' : deviceName(device);
  const place = [zoneName(alarm.zone), name(alarm.message).includes(called) ? '' : called].filter(
    (text) => text !== '',
  );
  if (place.length === 0) return null;
  return <span>{place.join(' · ')}</span>;
}

/** The state in words: seen or not, over or not, shelved until when. */
export function StateWords({ alarm, isOver = false }: { readonly alarm: AlarmView; readonly isOver?: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  const by = alarm.acknowledged?.by.replace(/^(person|token):/, '');
  if (isOver || alarm.state === 'normal') return <span>{say.over}</span>;
  if (alarm.shelved !== undefined) return <Remaining until={alarm.shelved.until} />;
  if (alarm.suppressedBy !== undefined) return <span>{say.suppressed}</span>;
  if (alarm.state === 'acknowledged' && by !== undefined) return <span>{say.acknowledgedBy(by)}</span>;
  return (
    <span className="alarms-waits">
      <SignIcon sign={alarm.state === 'returned' ? 'half' : 'dot'} size={10} /> {alarmStateText(alarm.state, language)}
    </span>
  );
}

function Remaining({ until }: { readonly until: number }) {
  const say = useWords(words);
  const formats = useFormats();
  const left = useTicking((time) => formats.duration(Math.max(0, until - time)));
  return (
    <span className="alarms-remaining">
      <SignIcon sign="clock" size={12} /> {say.shelvedUntil(formats.moment(until, now()))}{' '}
      <span className="alarms-left">{say.remaining(left)}</span>
    </span>
  );
}
