import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, InputNumber, Modal, Segmented } from 'antd';
import { useId, useState } from 'react';
import { api, errorText } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { type Sign, SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { askAnew, byNeed, countRoll, type EmergencyView, type RollState, type RollView } from './data.ts';
import { useWho } from './who.ts';
import { words } from './words.ts';

const signs: Readonly<Record<RollState, Sign>> = { unknown: 'half', all: 'dot', missing: 'triangle', help: 'octagon' };
const answers = ['all', 'missing', 'help'] as const;

interface RoomWord {
  readonly room: string;
  readonly state: RollState;
  readonly present?: number | null;
  readonly missing?: number | null;
  readonly note?: string;
}

function useSay(id: string) {
  const language = useLanguage();
  const queries = useQueryClient();
  const { message } = App.useApp();
  return async (rooms: readonly RoomWord[]): Promise<boolean> => {
    try {
      await api.post(`emergencies/${id}/roll`, { rooms });
      await askAnew(queries);
      return true;
    } catch (error) {
      void message.error(errorText(error, language));
      return false;
    }
  };
}

/** Which rooms are accounted for: who needs something first, one press a room. */
export function Roll({ one }: { readonly one: EmergencyView }) {
  const say = useWords(words);
  const mayAct = useRight('emergency') && one.cleared === null;
  const tell = useSay(one.id);
  const [onlyOpen, setOnlyOpen] = useState(false);
  const [asked, setAsked] = useState<RollView | null>(null);
  const counts = countRoll(one.roll);
  const silent = one.roll.filter(({ state }) => state === 'unknown');
  const shown = byNeed(one.roll).filter(({ state }) => !onlyOpen || state !== 'all');
  return (
    <Panel
      title={say.roll}
      extra={<span className="kit-soft">{say.rollSummary(one.roll.length - counts.unknown, one.roll.length)}</span>}
    >
      {one.roll.length === 0 && <p className="kit-soft">{say.noRooms}</p>}
      {one.roll.length > 0 && (
        <>
          <div className="emergency-tally">
            {(['help', 'missing', 'unknown', 'all'] as const).map((state) => (
              <span key={state} data-state={state}>
                <SignIcon sign={signs[state]} /> {say[`roll:${state}`]}{' '}
                <strong className="kit-number">{counts[state]}</strong>
              </span>
            ))}
          </div>
          <progress
            className="emergency-progress"
            aria-label={say.roll}
            max={one.roll.length}
            value={one.roll.length - counts.unknown}
          />
          <div className="kit-actions emergency-filter">
            <Segmented
              value={onlyOpen ? 'open' : 'all'}
              onChange={(value) => setOnlyOpen(value === 'open')}
              options={[
                { value: 'all', label: say.everyRoom },
                { value: 'open', label: say.onlyOpen },
              ]}
            />
            {mayAct && silent.length > 0 && silent.length < one.roll.length && (
              <Button onClick={() => void tell(silent.map(({ room }) => ({ room, state: 'all' })))}>
                {say.allRest(silent.length)}
              </Button>
            )}
          </div>
          <ul className="emergency-rooms">
            {shown.map((room) => (
              <Room key={room.room} room={room} mayAct={mayAct} tell={tell} onAsk={() => setAsked(room)} />
            ))}
          </ul>
        </>
      )}
      {asked !== null && <RoomDialog room={asked} tell={tell} onClose={() => setAsked(null)} />}
    </Panel>
  );
}

function Room({
  room,
  mayAct,
  tell,
  onAsk,
}: {
  readonly room: RollView;
  readonly mayAct: boolean;
  readonly tell: (rooms: readonly RoomWord[]) => Promise<boolean>;
  readonly onAsk: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const owner = useWho();
  const called = name(room.name);
  const facts = [
    ...(room.present === null ? [] : [say.people(room.present)]),
    ...(room.missing === null || room.missing === 0 ? [] : [say.missingPeople(room.missing)]),
    ...(room.note === '' ? [] : [room.note]),
  ];
  return (
    <li data-room={room.room} data-state={room.state}>
      <p className="emergency-room">
        <strong>{called}</strong>
        <span className="emergency-state">
          <SignIcon sign={signs[room.state]} /> {say[`roll:${room.state}`]}
        </span>
      </p>
      {facts.length > 0 && <p>{facts.join(' · ')}</p>}
      {room.time !== null && <p className="kit-soft">{say.rollBy(owner(room.by), formats.clock(room.time))}</p>}
      {mayAct && (
        <div className="emergency-answers">
          {answers.map((state) => (
            <Button
              key={state}
              size="small"
              type={room.state === state ? 'primary' : 'default'}
              aria-label={say.setState(called, say[`roll:${state}`])}
              aria-pressed={room.state === state}
              data-answer={state}
              onClick={() => {
                const { present, missing, note } = room;
                void tell([{ room: room.room, state, present, missing: state === 'all' ? null : missing, note }]);
              }}
            >
              {say[`roll:${state}`]}
            </Button>
          ))}
          <Button size="small" type="text" aria-label={say.detailsTitle(called)} onClick={onAsk}>
            {say.details}
          </Button>
        </div>
      )}
    </li>
  );
}

function RoomDialog({
  room,
  tell,
  onClose,
}: {
  readonly room: RollView;
  readonly tell: (rooms: readonly RoomWord[]) => Promise<boolean>;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const ids = useId();
  const [present, setPresent] = useState(room.present);
  const [missing, setMissing] = useState(room.missing);
  const [note, setNote] = useState(room.note);
  const save = async () => {
    const state = missing !== null && missing > 0 && room.state !== 'help' ? 'missing' : room.state;
    if (await tell([{ room: room.room, state, present, missing, note }])) onClose();
  };
  return (
    <Modal
      open
      title={say.detailsTitle(name(room.name))}
      okText={say.save}
      onOk={() => void save()}
      onCancel={onClose}
      destroyOnHidden
    >
      <div className="kit-form">
        <p className="kit-soft">{say.nameless}</p>
        <div className="kit-field">
          <label htmlFor={`${ids}-present`}>{say.present}</label>
          <InputNumber id={`${ids}-present`} min={0} max={5_000} precision={0} value={present} onChange={setPresent} />
        </div>
        <div className="kit-field">
          <label htmlFor={`${ids}-missing`}>{say.missing}</label>
          <InputNumber id={`${ids}-missing`} min={0} max={5_000} precision={0} value={missing} onChange={setMissing} />
        </div>
        <div className="kit-field">
          <label htmlFor={`${ids}-note`}>{say.note}</label>
          <Input
            id={`${ids}-note`}
            value={note}
            maxLength={300}
            placeholder={say.noteExample}
            onChange={(event) => setNote(event.target.value)}
            onPressEnter={() => void save()}
          />
        </div>
      </div>
    </Modal>
  );
}
