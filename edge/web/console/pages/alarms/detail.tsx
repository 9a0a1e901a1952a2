import { Button, Input } from 'antd';
import type { ReactNode } from 'react';
import { wayOf } from '../../alarm-way.ts';
import { type AlarmView, ApiError, errorDetail, errorText } from '../../api.ts';
import { AlarmClassBadge } from '../../kit/badges.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useSentence } from '../../names.ts';
import { useRight } from '../../session.tsx';
import type { AlarmActs } from './acts.ts';
import { StateWords } from './alarm-row.tsx';
import { Earlier } from './earlier.tsx';
import { Facts } from './facts.tsx';
import { isUnseen } from './lines.ts';
import { Picture } from './picture.tsx';
import { ResetInterlock } from './reset-interlock.tsx';
import { Timeline } from './timeline.tsx';
import { useAlarm } from './use-alarm.ts';
import { words } from './words.ts';

export interface DetailProps {
  readonly id: string;
  readonly open: readonly AlarmView[];
  readonly acts: AlarmActs;
  readonly note: string;
  readonly onNote: (note: string) => void;
  readonly onShelve: (alarms: readonly AlarmView[]) => void;
  readonly hrefOf: (alarm: AlarmView) => string;
}

/** Everything about one alarm: what to do first, then what is known. */
export function Detail(props: DetailProps) {
  const say = useWords(words);
  const language = useLanguage();
  const { alarm, error, retry } = useAlarm(props.id, props.open);
  if (alarm !== undefined) return <Alarm {...props} alarm={alarm} />;
  if (error === null) return <PageSkeleton />;
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) {
    return <EmptyState title={say.missing}>{say.missingHelp}</EmptyState>;
  }
  return <ErrorState message={errorText(error, language)} detail={errorDetail(error)} onRetry={() => void retry()} />;
}

function Alarm(props: DetailProps & { readonly alarm: AlarmView }) {
  const { alarm, open, hrefOf } = props;
  const say = useWords(words);
  const name = useName();
  const sentence = useSentence();
  const mayLook = useRight('pictures');
  const under = open.filter(({ suppressedBy, id }) => suppressedBy === alarm.source && id !== alarm.id);
  const cause = open.find(({ source }) => source === alarm.suppressedBy);
  return (
    <article className={`alarms-detail alarms-detail-${alarm.class}`} data-detail={alarm.id} data-state={alarm.state}>
      <header>
        <p className="alarms-detail-signs">
          <AlarmClassBadge alarmClass={alarm.class} /> <StateWords alarm={alarm} />
        </p>
        <h2>{sentence(name(alarm.message))}</h2>
      </header>
      <section className="alarms-do">
        <h3>{say.whatToDo}</h3>
        <p>{sentence(name(alarm.next))}</p>
        <Way alarm={alarm} />
        <Acts {...props} />
      </section>
      {mayLook && alarm.event !== undefined && <Picture key={alarm.event} event={alarm.event} />}
      <Facts alarm={alarm} />
      <Part title={say.timeline}>
        <Timeline alarm={alarm} />
      </Part>
      {cause !== undefined && (
        <Part title={say.cause}>
          <AlarmClassBadge alarmClass={cause.class} /> <a href={hrefOf(cause)}>{sentence(name(cause.message))}</a>
        </Part>
      )}
      {under.length > 0 && (
        <Part title={say.explains}>
          <ul className="alarms-links">
            {under.slice(0, 20).map((one) => (
              <li key={one.id}>
                <AlarmClassBadge alarmClass={one.class} /> <a href={hrefOf(one)}>{sentence(name(one.message))}</a>
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Part title={say.earlier}>
        <Earlier key={alarm.id} alarm={alarm} hrefOf={hrefOf} />
      </Part>
    </article>
  );
}

export function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="alarms-part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** The page on which it is dealt with, where there is one. */
function Way({ alarm }: { readonly alarm: AlarmView }) {
  const say = useWords(words);
  const way = wayOf(alarm);
  if (way === null) return null;
  return (
    <p className="alarms-jumps">
      <a className="kit-button" href={way.href} data-way={way.kind}>
        {say[`way:${way.kind}`]}
      </a>
    </p>
  );
}

function Acts({ alarm, acts, note, onNote, onShelve }: DetailProps & { readonly alarm: AlarmView }) {
  const say = useWords(words);
  if (alarm.state === 'normal') return null;
  if (!acts.may) return <p className="kit-soft">{say.onlySee}</p>;
  const acknowledge = async () => {
    if (await acts.acknowledge([alarm], note.trim())) onNote('');
  };
  const canAcknowledge = isUnseen(alarm) && !acts.isAway;
  return (
    <>
      {isUnseen(alarm) && (
        <div className="kit-field">
          <label htmlFor="alarms-note">{say.note}</label>
          <Input
            id="alarms-note"
            placeholder={say.noteHint}
            maxLength={500}
            value={note}
            onChange={(event) => onNote(event.target.value)}
            onPressEnter={() => canAcknowledge && void acknowledge()}
          />
        </div>
      )}
      <div className="kit-actions">
        {isUnseen(alarm) && (
          <Button type="primary" disabled={acts.isAway} loading={acts.isBusy} onClick={() => void acknowledge()}>
            {say.acknowledge} <kbd className="alarms-key">A</kbd>
          </Button>
        )}
        {alarm.shelved === undefined ? (
          <Button disabled={acts.isAway} onClick={() => onShelve([alarm])}>
            {say.shelve} <kbd className="alarms-key">S</kbd>
          </Button>
        ) : (
          <Button disabled={acts.isAway} loading={acts.isBusy} onClick={() => void acts.unshelve(alarm)}>
            {say.unshelve}
          </Button>
        )}
        <ResetInterlock alarm={alarm} isAway={acts.isAway} />
      </div>
      {acts.isAway && <p className="kit-soft">{say.away}</p>}
    </>
  );
}
