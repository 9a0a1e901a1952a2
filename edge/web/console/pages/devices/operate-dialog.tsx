import { Button, Input, InputNumber, Modal, Radio } from 'antd';
import { useId, useRef, useState } from 'react';
import { api, errorText, type PointView, type RequestBody, type RequestResult } from '../../api.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { pointLabel, type Value, valueText } from '../../kit/values.ts';
import { useReading } from '../../use-live.tsx';
import { type DurationChoice, eveningOf, longestMinutes, secondsOf } from './durations.ts';
import { Outcome, type Wish } from './operate-outcome.tsx';
import { operateWords } from './operate-words.ts';
import { ValueField } from './value-field.tsx';

/* Operating an output: the value, why, for how long; and then what came of it, up to the device's own word. */

export function OperateDialog({
  point,
  clips,
  isOpen,
  onClose,
}: {
  readonly point: PointView;
  readonly clips: readonly string[];
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const name = pointLabel(point.point, point.label, language);
  return (
    <Modal open={isOpen} title={say.operateTitle(name)} footer={null} onCancel={onClose} destroyOnHidden>
      <Operate point={point} name={name} clips={clips} onClose={onClose} />
    </Modal>
  );
}

function Operate({
  point,
  name,
  clips,
  onClose,
}: {
  readonly point: PointView;
  readonly name: string;
  readonly clips: readonly string[];
  readonly onClose: () => void;
}) {
  const [wish, setWish] = useState<Wish | null>(null);
  const [result, setResult] = useState<RequestResult | null>(null);
  if (wish !== null && result !== null) {
    return <Outcome point={point} wish={wish} result={result} onClose={onClose} onAgain={() => setResult(null)} />;
  }
  return (
    <OperateForm
      point={point}
      name={name}
      clips={clips}
      onClose={onClose}
      onAnswer={(made, answer) => {
        setWish(made);
        setResult(answer);
      }}
    />
  );
}

function OperateForm({
  point,
  name,
  clips,
  onClose,
  onAnswer,
}: {
  readonly point: PointView;
  readonly name: string;
  readonly clips: readonly string[];
  readonly onClose: () => void;
  readonly onAnswer: (wish: Wish, result: RequestResult) => void;
}) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const formats = useFormats();
  const ids = useId();
  const reading = useReading(point.id);
  const reasonField = useRef<HTMLTextAreaElement | null>(null);
  const isSwitch = point.type === 'boolean';
  // A switch is operated to be the other way round.
  const [value, setValue] = useState<Value | null>(
    isSwitch ? reading?.value !== true : point.point === 'clip' ? '' : null,
  );
  const [choice, setChoice] = useState<DurationChoice>('hour1');
  const [minutes, setMinutes] = useState<number | null>(30);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const midnight = formats.startOfDay(now());
  const evening = eveningOf(now(), midnight);
  const seconds = secondsOf(choice, minutes, now(), midnight);
  const shown = valueText(value, point.unit, point.point, language);

  const submit = async () => {
    const wrong = mistakeOf(value, point, seconds, say);
    if (wrong !== null) return setProblem(wrong);
    if (reason.trim() === '') {
      setProblem(say.reasonNeeded);
      reasonField.current?.focus();
      return;
    }
    if (value === null || seconds === null) return;
    setBusy(true);
    setProblem('');
    const sent = now();
    try {
      const body: RequestBody = { point: point.id, value, seconds, reason: reason.trim() };
      onAnswer({ value, until: sent + seconds * 1000, sent }, await api.post<RequestResult>('requests', body));
    } catch (error) {
      setProblem(errorText(error, language));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="kit-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <p className="devices-operate-now">
        {say.now} <strong>{valueText(reading?.value, point.unit, point.point, language)}</strong>
      </p>
      <div className="kit-field">
        <label htmlFor={`${ids}-value`}>{say.newValue}</label>
        <ValueField id={`${ids}-value`} point={point} clips={clips} value={value} onChange={setValue} />
      </div>
      <fieldset className="devices-fieldset">
        <legend>{say.duration}</legend>
        <Radio.Group className="devices-durations" value={choice} onChange={(event) => setChoice(event.target.value)}>
          <Radio.Button value="minutes15">{say.minutes15}</Radio.Button>
          <Radio.Button value="hour1">{say.hour1}</Radio.Button>
          <Radio.Button value="hours4">{say.hours4}</Radio.Button>
          {evening !== null && (
            <Radio.Button value="evening">{say.untilClock(formats.shortTime(evening))}</Radio.Button>
          )}
          <Radio.Button value="custom">{say.custom}</Radio.Button>
        </Radio.Group>
        {choice === 'custom' && (
          <InputNumber<number>
            aria-label={say.customMinutes}
            min={1}
            max={longestMinutes}
            precision={0}
            value={minutes}
            onChange={setMinutes}
            suffix={say.minutes}
          />
        )}
      </fieldset>
      <div className="kit-field">
        <label htmlFor={`${ids}-reason`}>{say.reason}</label>
        <div className="devices-quick">
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
          // No autoSize: AntD measures with a style attribute, which the content security policy refuses.
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
      {value !== null && seconds !== null && (
        <p className="devices-operate-what">
          {say.what(name, shown, formats.moment(now() + seconds * 1000, now()))} {say.belowInterlock}
        </p>
      )}
      <p className="kit-form-error" role="alert">
        {problem}
      </p>
      <footer className="devices-dialog-foot">
        <Button onClick={onClose}>{say.cancel}</Button>
        <Button type="primary" htmlType="submit" loading={isBusy}>
          {say.do}
        </Button>
      </footer>
    </form>
  );
}

type Say = (typeof operateWords)['zh'];

/** What is missing or wrong, in a sentence; null when it can be sent. Core judges once more. */
function mistakeOf(value: Value | null, { write }: PointView, seconds: number | null, say: Say): string | null {
  if (value === null) return say.valueNeeded;
  if (typeof value === 'number') {
    if (write?.min !== undefined && value < write.min) return say.valueOutside;
    if (write?.max !== undefined && value > write.max) return say.valueOutside;
  }
  return seconds === null ? say.durationWrong : null;
}
