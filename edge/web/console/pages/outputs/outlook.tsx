import type { ReactNode } from 'react';
import type { OutputView, PointView } from '../../api.ts';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now, useTicking } from '../../kit/ticker.ts';
import { valueText } from '../../kit/values.ts';
import { useOwnerText, useSentence } from '../../names.ts';
import { otherwiseOf } from './rows.ts';
import { words } from './words.ts';
import './outlook.css';

/** What becomes of an output: what it waits for, what is forbidden, what it would be otherwise, what comes and when. */
export function Outlook({ output, point }: { readonly output: OutputView; readonly point: PointView }) {
  const say = useWords(words);
  const formats = useFormats();
  const language = useLanguage();
  const ownerOf = useOwnerText();
  const text = (value: OutputView['value']) => valueText(value, point.unit, point.point, language);
  const { waiting, local, holder, next } = output;
  const other = otherwiseOf(output);
  if (holder === null && waiting === null && local === null && output.forbidden.length === 0) return null;
  return (
    <dl className="outputs-outlook" aria-label={say.outlook}>
      {waiting !== null && (
        <Fact name={say.waiting} mark="waiting">
          <SignIcon sign="clock" size={13} /> <Waiting waiting={waiting} />
        </Fact>
      )}
      {local !== null && (
        <Fact name={say.local} mark="local">
          {say.localSet(text(local.value), formats.moment(local.since, now()))}
        </Fact>
      )}
      <Forbidden output={output} text={text} />
      {holder !== null && (
        <Fact name={say.otherwise} mark="otherwise">
          {other === null ? say.otherwiseFree : say.otherwiseHold(text(other.value), ownerOf(other.owner))}
        </Fact>
      )}
      {holder !== null && (
        <Fact name={say.next} mark="next">
          {next === null ? say.nextNever : <Next next={next} text={text} />}
        </Fact>
      )}
    </dl>
  );
}

function Fact({
  name,
  mark,
  children,
}: {
  readonly name: string;
  readonly mark: string;
  readonly children: ReactNode;
}) {
  return (
    <div data-fact={mark}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Forbidden({
  output,
  text,
}: {
  readonly output: OutputView;
  readonly text: (value: OutputView['value']) => string;
}) {
  const say = useWords(words);
  const ownerOf = useOwnerText();
  const sentence = useSentence();
  return output.forbidden.map(({ owner, value, reason }) => (
    <Fact key={`${owner} ${String(value)}`} name={say.forbids(text(value), ownerOf(owner))} mark="forbidden">
      {sentence(reason)} {say.forbidsBelow}
    </Fact>
  ));
}

function Waiting({ waiting }: { readonly waiting: NonNullable<OutputView['waiting']> }) {
  const say = useWords(words);
  const formats = useFormats();
  const { until } = waiting;
  const left = useTicking((time) => (until === null ? '' : formats.duration(Math.max(0, until - time))));
  const what = say[`wait:${waiting.for}`];
  return left === '' ? what : say.waitUntil(what, left);
}

function Next({
  next,
  text,
}: {
  readonly next: NonNullable<OutputView['next']>;
  readonly text: (value: OutputView['value']) => string;
}) {
  const say = useWords(words);
  const formats = useFormats();
  const ownerOf = useOwnerText();
  const left = useTicking((time) => formats.duration(Math.max(0, next.at - time)));
  const at = formats.moment(next.at, now());
  if (next.holder !== null) return say.nextHold(at, left, text(next.value), ownerOf(next.holder));
  return next.value === null ? say.nextFree(at, left) : say.nextValue(at, left, text(next.value));
}
