import { Button, Input, Modal, Radio } from 'antd';
import { useId, useRef, useState } from 'react';
import { api, errorText, type RequestBody, type RequestResult } from '../../api.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { Value } from '../../kit/values.ts';
import { useCampus, useReading } from '../../use-live.tsx';
import { Outcome, type Wish } from '../devices/operate-outcome.tsx';
import { ValueField } from '../devices/value-field.tsx';
import { Afterwards } from './held.tsx';
import { nextClock, type PresetName, presetsOf } from './hold.ts';
import { shortMoment } from './reasons.ts';
import type { Row } from './rows.ts';
import { useStateText } from './state-text.ts';
import { useTodaySlots } from './use-power.ts';
import { words } from './words.ts';

/* Holding a circuit for a while: to what, until when, why; what will happen then is said before. An ordinary request of a person. */

export function HoldDialog({ row, onClose }: { readonly row: Row; readonly onClose: () => void }) {
  const say = useWords(words);
  const [wish, setWish] = useState<Wish | null>(null);
  const [result, setResult] = useState<RequestResult | null>(null);
  return (
    <Modal open title={say.holdTitle(row.title)} footer={null} onCancel={onClose} destroyOnHidden>
      {wish !== null && result !== null ? (
        <Outcome point={row.point} wish={wish} result={result} onClose={onClose} onAgain={() => setResult(null)} />
      ) : (
        <HoldForm
          row={row}
          onClose={onClose}
          onAnswer={(made, answer) => {
            setWish(made);
            setResult(answer);
          }}
        />
      )}
    </Modal>
  );
}

function HoldForm({
  row,
  onClose,
  onAnswer,
}: {
  readonly row: Row;
  readonly onClose: () => void;
  readonly onAnswer: (wish: Wish, result: RequestResult) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const ids = useId();
  const stateOf = useStateText();
  const campus = useCampus();
  const reading = useReading(row.ref);
  const slots = useTodaySlots(row.power?.layer ?? 'campus', true);
  const reasonField = useRef<HTMLTextAreaElement | null>(null);
  const current = reading?.value ?? null;
  const [value, setValue] = useState<Value | null>(() => firstValue(row, current));
  const [choice, setChoice] = useState<PresetName>('hour');
  const [clock, setClock] = useState('20:00');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const midnight = formats.startOfDay(now());
  const presets = presetsOf(slots, now(), midnight);
  const until =
    choice === 'time'
      ? nextClock(clock, now(), midnight)
      : (presets.find(({ name }) => name === choice)?.until ?? null);

  const submit = async () => {
    if (value === null) return setProblem(say.valueNeeded);
    if (until === null) return setProblem(say.clockWrong);
    if (reason.trim() === '') {
      setProblem(say.reasonNeeded);
      reasonField.current?.focus();
      return;
    }
    setBusy(true);
    setProblem('');
    const sent = now();
    const seconds = Math.max(1, Math.min(86_400, Math.ceil((until - sent) / 1_000)));
    try {
      const body: RequestBody = { point: row.ref, value, seconds, reason: reason.trim() };
      onAnswer({ value, until, sent }, await api.post<RequestResult>('requests', body));
    } catch (error) {
      setProblem(errorText(error, language));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="kit-form power-hold"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <p>
        {say.holdNow} <strong>{stateOf(row, current).text}</strong>
      </p>
      <fieldset className="power-fieldset">
        <legend>{say.holdValue}</legend>
        {row.point.type === 'boolean' ? (
          <Radio.Group
            value={value}
            onChange={(event) => setValue(event.target.value === true)}
            buttonStyle="solid"
            className="power-choice"
          >
            <Radio.Button value={true}>{say.on}</Radio.Button>
            <Radio.Button value={false}>{say.off}</Radio.Button>
          </Radio.Group>
        ) : (
          <ValueField
            id={`${ids}-value`}
            point={row.point}
            clips={campus?.clips ?? []}
            value={value}
            onChange={setValue}
          />
        )}
      </fieldset>
      <fieldset className="power-fieldset">
        <legend>{say.holdUntil}</legend>
        <Radio.Group className="power-choice" value={choice} onChange={(event) => setChoice(event.target.value)}>
          {presets.map(({ name, until: at }) => (
            <Radio.Button key={name} value={name}>
              {name === 'hour'
                ? say['preset:hour']
                : say[`preset:${name as 'lesson' | 'school'}`](formats.shortTime(at))}
            </Radio.Button>
          ))}
          <Radio.Button value="time">{say['preset:time']}</Radio.Button>
        </Radio.Group>
        {choice === 'time' && (
          <Input
            className="power-clock"
            type="time"
            aria-label={say.clockField}
            value={clock}
            onChange={(event) => setClock(event.target.value)}
          />
        )}
      </fieldset>
      <div className="kit-field">
        <label htmlFor={`${ids}-reason`}>{say.reason}</label>
        <div className="power-quick">
          {[say.quick1, say.quick2, say.quick3, say.quick4].map((quick) => (
            <Button key={quick} size="small" onClick={() => setReason(quick)}>
              {quick}
            </Button>
          ))}
        </div>
        <Input.TextArea
          id={`${ids}-reason`}
          ref={(area) => {
            reasonField.current = area?.resizableTextArea?.textArea ?? null;
          }}
          rows={2}
          maxLength={200}
          value={reason}
          aria-required
          aria-describedby={`${ids}-help`}
          onChange={(event) => setReason(event.target.value)}
          onPressEnter={(event) => {
            event.preventDefault();
            void submit();
          }}
        />
        <p id={`${ids}-help`} className="kit-soft">
          {say.reasonHelp}
        </p>
      </div>
      {value !== null && until !== null && (
        <p className="power-what">
          {say.holdWhat(row.title, stateOf(row, value).text, shortMoment(until, now(), formats))}{' '}
          <Afterwards row={row} time={until} /> <span className="kit-soft">{say.belowSafety}</span>
        </p>
      )}
      <p className="kit-form-error" role="alert">
        {problem}
      </p>
      <footer className="power-dialog-foot">
        <Button onClick={onClose}>{say.cancel}</Button>
        <Button type="primary" htmlType="submit" loading={isBusy}>
          {say.doHold}
        </Button>
      </footer>
    </form>
  );
}

/** A switch is held the other way round than it is; anything else as it is. */
function firstValue(row: Row, current: Value | null): Value | null {
  return row.point.type === 'boolean' ? current !== true : current;
}
