import { Button, Checkbox, Modal, Segmented, Select } from 'antd';
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState } from 'react';
import { useAnnounce } from '../../kit/announce.tsx';
import { useFormats, useLanguage, useName, useWords } from '../../kit/language.tsx';
import { usePreference } from '../../kit/preferences.ts';
import { useTicking } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { LiveTalk, type TalkFigures, type TalkState } from '../../talk.ts';
import { talkText } from '../../talk-words.ts';
import { type Room, useClips } from './data.ts';
import { Field } from './field.tsx';
import { ImpactList } from './impact-list.tsx';
import { wishOf } from './selection.ts';
import { WhereLine } from './where-line.tsx';
import { words } from './words.ts';

type Say = (typeof words)['zh'];

/** One’s own voice in the chosen rooms: who will not hear it is said before. */
export function TalkDialog({
  rooms,
  all,
  onClose,
}: {
  readonly rooms: readonly Room[];
  readonly all: readonly Room[];
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const ids = useId();
  const clips = useClips();
  const mayUrgent = useRight('emergency');
  const [how, setHow] = usePreference('broadcast.talk', ['toggle', 'press']);
  const [soundClass, setClass] = useState<'page' | 'microphone'>('page');
  const [chime, setChime] = useState('');
  const mayListen = useRight('live');
  const [listen, setListen] = useState(false);
  const talk = useTalk();
  const room = all.find(({ device }) => device === talk.room);
  const isOpen = talk.state !== null && talk.state.kind !== 'over' && talk.state.kind !== 'failed';
  const begin = () => {
    if (isOpen) return;
    const { zones, devices } = wishOf(new Set(rooms.map(({ device }) => device)), all);
    const where = { zones: zones === 'all' ? zones : [...zones], devices: [...devices] };
    talk.begin({ class: soundClass, ...where, chime: chime === '' ? null : chime, listen });
  };
  return (
    <Modal
      open
      centered
      title={say.talkTitle}
      footer={null}
      // A slip must not cut somebody off in the middle of a sentence.
      mask={{ closable: !isOpen }}
      onCancel={onClose}
    >
      <div className="kit-form broadcast-talk">
        <WhereLine rooms={rooms} all={all} />
        <div className="broadcast-two" hidden={isOpen}>
          <Field id={`${ids}-chime`} label={say.chime}>
            <Select
              id={`${ids}-chime`}
              value={chime}
              onChange={setChime}
              options={[
                { value: '', label: say.noChime },
                ...clips
                  .filter(({ problem }) => problem === null)
                  .map((one) => ({ value: one.id, label: name(one.name) })),
              ]}
            />
          </Field>
          {mayUrgent && (
            <Field id={`${ids}-class`} label={say.talkClass}>
              <Select
                id={`${ids}-class`}
                value={soundClass}
                onChange={setClass}
                options={[
                  { value: 'page' as const, label: say.talkPage },
                  { value: 'microphone' as const, label: say.talkUrgent },
                ]}
              />
            </Field>
          )}
        </div>
        {mayListen && !isOpen && (
          <Checkbox checked={listen} onChange={({ target }) => setListen(target.checked)} data-act="talk-listen">
            {say.talkListen}
          </Checkbox>
        )}
        {!isOpen && <ImpactList rooms={rooms} soundClass={soundClass} />}
        {!isOpen && (
          <Segmented
            aria-label={say.talkHow}
            value={how}
            onChange={setHow}
            options={[
              { value: 'toggle' as const, label: say.talkToggle },
              { value: 'press' as const, label: say.talkPress },
            ]}
          />
        )}
        <TalkButton how={how} isOpen={isOpen} state={talk.state} onBegin={begin} onEnd={talk.end} />
        <TalkCourse talk={talk} rooms={rooms.length} />
        {isOpen && talk.listens && (
          <p className="broadcast-bad" role="status" data-listening>
            {say.talkListening(room === undefined ? say.talkNobody : name(room.name))}
          </p>
        )}
        <p className="kit-soft">{say.talkRecorded}</p>
      </div>
    </Modal>
  );
}

interface Talk {
  readonly state: TalkState | null;
  readonly figures: TalkFigures | null;
  /** What the rooms answer is heard; `room`: whose device is heard now. */
  readonly listens: boolean;
  readonly room: string;
  /** 0 to 1; outside of React's state: fifty of them come in a second. */
  readonly meter: { readonly current: HTMLDivElement | null };
  begin(body: ConstructorParameters<typeof LiveTalk>[0]): void;
  end(): void;
}

function useTalk(): Talk {
  const [state, setState] = useState<TalkState | null>(null);
  const [figures, setFigures] = useState<TalkFigures | null>(null);
  const [listens, setListens] = useState(false);
  const [room, setRoom] = useState('');
  const meter = useRef<HTMLDivElement>(null);
  const open = useRef<LiveTalk | null>(null);
  useEffect(() => () => open.current?.[Symbol.dispose](), []);
  return {
    state,
    figures,
    listens,
    room,
    meter,
    begin(body) {
      open.current?.[Symbol.dispose]();
      setFigures(null);
      setListens(false);
      setRoom('');
      open.current = new LiveTalk(body, {
        state: setState,
        figures: setFigures,
        answer: (answer) => setListens(answer.listens),
        answers: setRoom,
        meter: ({ peak }) =>
          meter.current?.style.setProperty('--broadcast-level', String(Math.min(1, Math.sqrt(peak)))),
      });
    },
    end: () => open.current?.end(),
  };
}

function TalkButton({
  how,
  isOpen,
  state,
  onBegin,
  onEnd,
}: {
  readonly how: 'toggle' | 'press';
  readonly isOpen: boolean;
  readonly state: TalkState | null;
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}) {
  const say = useWords(words);
  const isKey = (event: KeyboardEvent) => event.key === ' ' || event.key === 'Enter';
  const press = how === 'press' && {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      onBegin();
    },
    onPointerUp: onEnd,
    onPointerCancel: onEnd,
    onKeyDown: (event: KeyboardEvent) => {
      if (!isKey(event) || event.repeat) return;
      event.preventDefault();
      onBegin();
    },
    onKeyUp: (event: KeyboardEvent) => isKey(event) && onEnd(),
    // The menu of a long press would end it.
    onContextMenu: (event: { preventDefault(): void }) => event.preventDefault(),
  };
  return (
    <Button
      type="primary"
      danger={isOpen}
      size="large"
      block
      className="broadcast-talk-button"
      data-act={isOpen ? 'talk-end' : 'talk-begin'}
      disabled={state?.kind === 'ending'}
      {...(how === 'toggle' ? { onClick: isOpen ? onEnd : onBegin } : press)}
    >
      {how === 'press' ? (isOpen ? stateWord(state, say) : say.talkHold) : isOpen ? say.talkEnd : say.talkStart}
    </Button>
  );
}

function stateWord(state: TalkState | null, say: Say): string {
  switch (state?.kind) {
    case 'asking':
      return say.talkAsking;
    case 'chime':
      return say.talkChime;
    case 'speaking':
      return say.talkNow;
    case 'ending':
      return say.talkEnding;
    default:
      return '';
  }
}

function TalkCourse({ talk: { state, figures, meter }, rooms }: { readonly talk: Talk; readonly rooms: number }) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const announce = useAnnounce();
  const since = state?.kind === 'speaking' ? state.since : null;
  const seconds = useTicking(() => (since === null ? 0 : Math.floor((performance.now() - since) / 1_000)));
  const word = stateWord(state, say);
  const over = state === null ? '' : talkText(state, language);
  useEffect(() => {
    if (word !== '') announce(word, 'assertive');
  }, [word, announce]);
  if (state === null) return null;
  if (over !== '')
    return (
      <p className={state.kind === 'failed' ? 'kit-form-error' : ''} role="alert" data-talk={state.kind}>
        {over}
      </p>
    );
  return (
    <div className="broadcast-talk-course" data-talk={state.kind}>
      <strong>{word}</strong>
      <div className="broadcast-meter" ref={meter} role="img" aria-label={say.talkMeter} />
      <p className="kit-soft">
        {since !== null && <span className="kit-number">{say.talkTime(formats.duration(seconds * 1_000))}</span>}
        {figures !== null && <span>{say.talkHeard(figures.playing, figures.outputs || rooms)}</span>}
        {since !== null && seconds >= 3 && figures !== null && figures.level < 0.003 && (
          <span className="broadcast-bad">{say.talkQuiet}</span>
        )}
      </p>
    </div>
  );
}
