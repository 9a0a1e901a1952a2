import { Button } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { stateWords } from '../../kit/state-words.ts';
import { SeenList } from './journal-line.tsx';
import { placeText } from './place-text.ts';
import { useReason } from './reason-text.ts';
import { rehearseWords } from './rehearse-words.ts';
import type { RehearsalSide, RehearsalView } from './rules-api.ts';
import { SpanLanes } from './span-lanes.tsx';
import { useVocabulary, type Vocabulary } from './vocabulary.ts';

export type Fired = RehearsalSide['spans'][number];
/** More of one rule on a day than this is noise: a school has dozens of rules, and a guard some ten alarms an hour at most. */
const noisy = 5;
const day = 86_400_000;
const firstShown = 20;

/** What came of a rehearsal: first of all how often it would have rung. */
export function RehearsalResult({ view, draft }: { readonly view: RehearsalView; readonly draft: RehearsalSide }) {
  const say = useWords(rehearseWords);
  const vocabulary = useVocabulary();
  const [picked, pick] = useState<Fired | null>(null);
  return (
    <div className="rules-result">
      <Verdict view={view} draft={draft} />
      <Gaps gaps={view.gaps} vocabulary={vocabulary} />
      <section className="kit-panel">
        <header>
          <h2>{say.timeline}</h2>
          <span className="kit-soft">{say.timelineHelp}</span>
        </header>
        <div className="kit-panel-body">
          <SpanLanes view={view} draft={draft} picked={picked} onPick={pick} />
          {picked !== null && <OneSpan span={picked} vocabulary={vocabulary} />}
        </div>
      </section>
      <Figures view={view} draft={draft} vocabulary={vocabulary} />
      {view.live !== null && <Differences view={view} vocabulary={vocabulary} />}
      <Spans draft={draft} picked={picked} onPick={pick} vocabulary={vocabulary} />
    </div>
  );
}

function Verdict({ view, draft }: { readonly view: RehearsalView; readonly draft: RehearsalSide }) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  const alarms = Object.values(draft.alarms).reduce((sum, count) => sum + count, 0);
  const perDay = draft.fired / Math.max(1, (view.to - view.from) / day);
  const isNoisy = perDay > noisy;
  const count = String(alarms > 0 ? alarms : draft.fired);
  return (
    <section className={`rules-verdict ${isNoisy ? 'rules-verdict-noisy' : ''}`} data-fired={draft.fired} role="status">
      <p className="rules-verdict-count">
        {isNoisy && <SignIcon sign="triangle" size={24} />}
        {draft.fired === 0 ? say.neverFires : alarms > 0 ? say.wouldRing(count) : say.wouldFire(count)}
      </p>
      <p>
        {say.inWindow(formats.dateTime(view.from), formats.dateTime(view.to))}
        {draft.fired > 0 && ` · ${say.perDay(formats.number(perDay, 1))}`}
        {view.live !== null && ` · ${say.liveDid(String(view.live.fired))}`}
      </p>
      {isNoisy && <p className="rules-verdict-advice">{say.tooOften}</p>}
      <p className="kit-soft">
        {say.took(formats.number(view.samples, 0), formats.number((view.took ?? 0) / 1_000, 1))}
      </p>
    </section>
  );
}

function Gaps({ gaps, vocabulary }: { readonly gaps: readonly string[]; readonly vocabulary: Vocabulary }) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  if (gaps.length === 0) return null;
  const text = (gap: string) => {
    const [, ref = '', rest = ''] = /^(\S+\/\S+): (.*)$/.exec(gap) ?? [];
    const hour = Number(/^the hour from (\d+)/.exec(rest)?.[1] ?? Number.NaN);
    const kept = Number(/^events are kept from (\d+)/.exec(gap)?.[1] ?? Number.NaN);
    if (gap === 'no events are stored') return say.gapNoEvents;
    if (rest === 'nothing is stored of it') return say.gapNothing(vocabulary.pointName(ref));
    if (rest === 'there is no such point') return say.gapUnknown(ref);
    if (!Number.isNaN(hour)) return say.gapDamaged(vocabulary.pointName(ref), formats.dateTime(hour));
    if (!Number.isNaN(kept)) return say.gapEvents(formats.dateTime(kept));
    return gap;
  };
  return (
    <div className="kit-banner">
      <div>
        {say.gaps}
        <ul className="rules-broken">
          {gaps.slice(0, 20).map((gap) => (
            <li key={gap}>{text(gap)}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Figures({
  view,
  draft,
  vocabulary,
}: {
  readonly view: RehearsalView;
  readonly draft: RehearsalSide;
  readonly vocabulary: Vocabulary;
}) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  const language = useLanguage();
  const { live } = view;
  const sides = live === null ? [draft] : [draft, live];
  const time = (ms: number) => (ms === 0 ? say.none : formats.duration(ms));
  const alarms = (side: RehearsalSide) =>
    Object.entries(side.alarms)
      .map(([one, count]) => say.severity(stateWords[language][`class:${one as 'high'}`] ?? one, String(count)))
      .join(' · ') || say.none;
  const refs = [...new Set(sides.flatMap(({ outputs }) => outputs.map(({ ref }) => ref)))];
  const output = (side: RehearsalSide, ref: string) => {
    const found = side.outputs.find((one) => one.ref === ref);
    return found === undefined ? say.none : say.switched(String(found.switched), formats.duration(found.held));
  };
  const rows: readonly (readonly [title: string, of: (side: RehearsalSide) => string])[] = [
    [say.fired, ({ fired }) => String(fired)],
    [say.firedTime, ({ firedTime }) => time(firedTime)],
    [say.alarms, alarms],
    [say.notices, ({ notices }) => String(notices)],
    [say.sound, ({ broadcast }) => time(broadcast)],
    [say.blind, ({ blind }) => time(blind)],
    ...refs.map((ref) => [vocabulary.pointName(ref), (side: RehearsalSide) => output(side, ref)] as const),
  ];
  return (
    <section className="kit-panel">
      <header>
        <h2>{say.figures}</h2>
      </header>
      <div className="kit-panel-body rules-fields-place">
        <table className="rules-fields">
          <thead>
            <tr>
              <td />
              <th scope="col">{draft.version === 0 ? say.draft : say.version(String(draft.version))}</th>
              {live !== null && <th scope="col">{say.live}</th>}
            </tr>
          </thead>
          <tbody>
            {rows.map(([title, of]) => (
              <tr key={title}>
                <th scope="row">{title}</th>
                {sides.map((side, i) => (
                  <td key={i === 0 ? 'draft' : 'live'} className="kit-number">
                    {of(side)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Differences({ view, vocabulary }: { readonly view: RehearsalView; readonly vocabulary: Vocabulary }) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  const reason = useReason();
  return (
    <section className="kit-panel">
      <header>
        <h2>{say.differences}</h2>
      </header>
      <div className="kit-panel-body">
        {view.differences.length === 0 && <p className="kit-soft">{say.noDifferences}</p>}
        <ul className="rules-spans">
          {view.differences.slice(0, firstShown).map((one) => (
            <li key={`${one.kind} ${one.instance} ${one.from} ${one.detail}`}>
              <span className="kit-number">{formats.dateTime(one.from)}</span> <strong>{say[one.kind]}</strong>{' '}
              {placeText(one.instance, vocabulary)} <span className="kit-soft">{reason(one.detail)}</span>
            </li>
          ))}
        </ul>
        {view.differences.length > firstShown && (
          <p className="kit-soft">{say.more(String(view.differences.length - firstShown))}</p>
        )}
      </div>
    </section>
  );
}

function Spans({
  draft,
  picked,
  onPick,
  vocabulary,
}: {
  readonly draft: RehearsalSide;
  readonly picked: Fired | null;
  readonly onPick: (span: Fired) => void;
  readonly vocabulary: Vocabulary;
}) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  const [all, setAll] = useState(false);
  if (draft.spans.length === 0) return null;
  const shown = all ? draft.spans : draft.spans.slice(0, firstShown);
  return (
    <section className="kit-panel">
      <header>
        <h2>{say.spans}</h2>
      </header>
      <div className="kit-panel-body">
        <ol className="rules-spans">
          {shown.map((span) => (
            <li key={`${span.instance} ${span.from}`}>
              <button
                type="button"
                className="kit-plain-button"
                aria-pressed={picked === span}
                onClick={() => onPick(span)}
              >
                <span className="kit-number">{formats.dateTime(span.from)}</span>{' '}
                <strong>{placeText(span.instance, vocabulary)}</strong>{' '}
                <span className="kit-soft">
                  {span.to === null ? say.still : say.lasted(formats.duration(span.to - span.from))}
                </span>
              </button>
            </li>
          ))}
        </ol>
        {shown.length < draft.spans.length && (
          <Button onClick={() => setAll(true)}>{say.showAll(String(draft.spans.length))}</Button>
        )}
        {draft.more > 0 && <p className="kit-soft">{say.more(String(draft.more))}</p>}
      </div>
    </section>
  );
}

function OneSpan({ span, vocabulary }: { readonly span: Fired; readonly vocabulary: Vocabulary }) {
  const say = useWords(rehearseWords);
  const formats = useFormats();
  const reason = useReason();
  const place = useRef<HTMLDivElement>(null);
  // It may have been picked in the list, far below.
  useEffect(() => {
    // Newer browsers answer with a promise, which is no way to clean up.
    place.current?.scrollIntoView({ block: 'nearest' });
  }, [span]);
  return (
    <div ref={place} className="rules-span" data-span={span.from} role="status">
      <p>
        <strong>{formats.dateTime(span.from)}</strong> {placeText(span.instance, vocabulary)}{' '}
        <span className="kit-soft">
          {span.to === null
            ? say.still
            : `${say.until(formats.clock(span.to))} · ${say.lasted(formats.duration(span.to - span.from))}`}
        </span>
      </p>
      <p>{reason(span.why)}</p>
      <SeenList label={say.saw} seen={span.saw} vocabulary={vocabulary} />
    </div>
  );
}
