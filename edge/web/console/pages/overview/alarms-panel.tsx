import { App, Button } from 'antd';
import { useState } from 'react';
import { type AlarmGroup, groupAlarms } from '../../alarm-groups.ts';
import { api, errorText } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { AlarmClassBadge, alarmStateText } from '../../kit/badges.tsx';
import { fromHere } from '../../kit/download.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { EmptyState } from '../../kit/states.tsx';
import { useSentence, useZoneName } from '../../names.ts';
import { useRight } from '../../session.tsx';
import { useLink, useOpenAlarms } from '../../use-live.tsx';
import { words } from './words.ts';

/** EEMUA 191: more than a handful at once and nobody reads them. */
const mostShown = 7;

/** What needs a person now, by cause, most urgent first, with what to do. */
export function AlarmsPanel() {
  const say = useWords(words);
  const alarms = useOpenAlarms();
  const groups = groupAlarms(alarms);
  const shelved = alarms.filter((alarm) => alarm.shelved !== undefined).length;
  const rest = groups.length - mostShown;
  return (
    <Panel
      title={say.alarms}
      className={`overview-alarms ${groups[0] === undefined ? '' : `overview-alarms-${groups[0].head.class}`}`}
      extra={
        <a href="#/alarms" className="overview-link">
          {rest > 0 ? say.moreAlarms(rest) : say.allAlarms}
        </a>
      }
    >
      {groups.length === 0 ? (
        <EmptyState title={say.noAlarms}>{say.noAlarmsHelp(shelved)}</EmptyState>
      ) : (
        <ul className="alarm-cards">
          {groups.slice(0, mostShown).map((group) => (
            <AlarmCard key={group.head.source} group={group} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function AlarmCard({ group: { head, others } }: { readonly group: AlarmGroup }) {
  const say = useWords(words);
  const language = useLanguage();
  const name = useName();
  const zoneName = useZoneName();
  const sentence = useSentence();
  const seesPictures = useRight('pictures');
  const place = zoneName(head.zone);
  return (
    <li
      className={`alarm-card alarm-card-${head.class} ${head.state === 'acknowledged' ? 'alarm-card-seen' : ''}`}
      data-source={head.source}
      data-alarm={head.id}
    >
      {head.event !== undefined && seesPictures && <AlarmPicture event={head.event} />}
      <div className="alarm-words">
        <p className="alarm-title">
          <AlarmClassBadge alarmClass={head.class} />
          <a href={`#/alarms/${head.id}`}>{sentence(name(head.message))}</a>
        </p>
        <p className="alarm-next">
          <span>{say.todo}</span> {sentence(name(head.next))}
        </p>
        <p className="kit-soft alarm-facts">
          <Age time={head.raised} />
          {place !== '' && <span>{place}</span>}
          <span>
            {head.acknowledged === undefined
              ? alarmStateText(head.state, language)
              : say.acknowledged(head.acknowledged.by.replace(/^(person|token):/, ''))}
          </span>
          {others.length > 0 && <span>{say.sameCause(others.length)}</span>}
        </p>
      </div>
      <AcknowledgeButton id={head.id} isNeeded={head.state === 'unacknowledged' || head.state === 'returned'} />
    </li>
  );
}

function AlarmPicture({ event }: { readonly event: string }) {
  const say = useWords(words);
  const [isMissing, setMissing] = useState(false);
  if (isMissing) return null;
  return (
    <img
      className="alarm-picture"
      src={fromHere(`api/v1/events/${event}/snapshot`)}
      alt={say.picture}
      onError={() => setMissing(true)}
    />
  );
}

function AcknowledgeButton({ id, isNeeded }: { readonly id: string; readonly isNeeded: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  const { message } = App.useApp();
  const mayAcknowledge = useRight('acknowledge');
  const { state } = useLink();
  const [isBusy, setBusy] = useState(false);
  if (!isNeeded || !mayAcknowledge) return null;
  const acknowledge = async () => {
    setBusy(true);
    try {
      await api.post(`alarms/${id}/acknowledge`, { note: '' });
    } catch (error) {
      void message.error(errorText(error, language));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      type="primary"
      loading={isBusy}
      disabled={state === 'lost' || state === 'core-away'}
      onClick={() => void acknowledge()}
    >
      {say.acknowledge}
    </Button>
  );
}
