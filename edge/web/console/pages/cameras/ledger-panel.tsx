import { Segmented } from 'antd';
import { useState } from 'react';
import { hashOf } from '../../address.ts';
import { errorText } from '../../api.ts';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { shareText } from './camera-list.tsx';
import { type LedgerView, useFootageDay, useLedger } from './data.ts';
import { gapsOf, type Ledger, ledgerOf } from './ledger.ts';
import { Strip } from './strip.tsx';
import { words } from './words.ts';

const shownGaps = 8;
const dayLength = 86_400_000;

/** When events were listened to, and beside it when there is footage. */
export function LedgerPanel({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const [reach, setReach] = useState<'day' | 'month'>('day');
  return (
    <Panel
      title={say.listeningLedger}
      extra={
        <Segmented
          aria-label={say.reach}
          value={reach}
          onChange={setReach}
          options={[
            { value: 'day', label: say.day },
            { value: 'month', label: say.month },
          ]}
        />
      }
    >
      <p className="kit-soft cameras-help">{say.ledgerHelp}</p>
      {reach === 'day' ? <Day camera={camera} /> : <Month camera={camera.id} />}
      <Legend />
    </Panel>
  );
}

function Day({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const formats = useFormats();
  const language = useLanguage();
  const ledger = useLedger(camera.id, 'day');
  if (ledger.isPending) return null;
  if (ledger.isError) return <p role="alert">{errorText(ledger.error, language)}</p>;
  if (ledger.data === null) return <p>{say.noLedger}</p>;
  const { data } = ledger;
  if (data.share === null) return <p>{say.noLedgerYet}</p>;
  const gaps = gapsOf(data.spans);
  const share = shareText(data.share, formats);
  return (
    <>
      <Share view={data} />
      <Strip spans={data.spans} from={data.from} to={data.to} label={say.stripLabel(share, gaps.length)} ticks />
      <FootageDay camera={camera} />
      {gaps.length === 0 ? (
        <p className="cameras-gaps">{say.noGaps}</p>
      ) : (
        <div className="cameras-gaps">
          <h3>{say.gaps(gaps.length)}</h3>
          <ul>
            {gaps.slice(0, shownGaps).map((gap) => (
              <li key={gap.from} className="kit-number">
                <Moment camera={camera} at={gap.from}>
                  {say.fromTo(
                    formats.moment(gap.from, data.to),
                    gap.to >= data.to ? say.untilNow : formats.moment(gap.to, data.to),
                  )}
                </Moment>
                <span className="kit-soft">{formats.duration(gap.to - gap.from)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** What was recorded while nobody was told of anything. */
function Moment({
  camera,
  at,
  children,
}: {
  readonly camera: CameraView;
  readonly at: number;
  readonly children: string;
}) {
  if (!camera.may.playback) return children;
  return <a href={hashOf('/footage', { cameras: camera.id, at: String(at) })}>{children}</a>;
}

function Share({ view }: { readonly view: LedgerView }) {
  const say = useWords(words);
  const formats = useFormats();
  const isYoung = view.knownFrom !== null && view.knownFrom > view.from;
  return (
    <p className="cameras-share" data-share={view.share}>
      <strong className="kit-number">{say.shareOf(shareText(view.share, formats))}</strong>
      {isYoung && <span className="kit-soft">{say.knownSince(formats.dateTime(view.knownFrom ?? view.from))}</span>}
    </p>
  );
}

function FootageDay({ camera }: { readonly camera: CameraView }) {
  const say = useWords(words);
  const mayPlay = useRight('playback');
  const { data } = useFootageDay(camera.id, mayPlay, camera.recording?.oldest ?? null);
  if (data === undefined) return null;
  const gaps = data.spans.filter(({ kind }) => kind === 'gap').length;
  return (
    <div className="cameras-footage">
      <h3>{say.footageDay}</h3>
      <Strip spans={data.spans} from={data.from} to={data.to} label={say.footageLabel(gaps)} ticks />
      {camera.recording?.mode === 'event' && <p className="kit-soft cameras-help">{say.footageHelp}</p>}
    </div>
  );
}

/** Thirty days, each a line of its own by the campus's calendar, today first. */
function Month({ camera }: { readonly camera: string }) {
  const say = useWords(words);
  const formats = useFormats();
  const language = useLanguage();
  const ledger = useLedger(camera, 'month');
  if (ledger.isPending) return null;
  if (ledger.isError) return <p role="alert">{errorText(ledger.error, language)}</p>;
  if (ledger.data === null) return <p>{say.noLedger}</p>;
  const { data } = ledger;
  if (data.share === null) return <p>{say.noLedgerYet}</p>;
  return (
    <>
      <Share view={data} />
      <ul className="cameras-days">
        {daysOf(data, formats.startOfDay).map(({ from, to, spans, share }) => (
          <li key={from}>
            <span className="kit-number">{formats.shortDate(from)}</span>
            <Strip
              spans={spans}
              from={from}
              to={to}
              label={say.dayLabel(formats.shortDate(from), share === null ? say.notKnown : shareText(share, formats))}
            />
            <span className="kit-number">{shareText(share, formats)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function daysOf({ buckets, step, from, to }: LedgerView, startOfDay: (time: number) => number) {
  const days: (Ledger & { readonly from: number; readonly to: number })[] = [];
  for (let begin = startOfDay(to); begin > from - dayLength; begin = startOfDay(begin - dayLength / 2)) {
    const end = begin + dayLength;
    days.push({ ...ledgerOf(buckets, begin, Math.min(end, to), step), from: begin, to: end });
  }
  return days;
}

function Legend() {
  const say = useWords(words);
  return (
    <ul className="cameras-legend" aria-hidden="true">
      {(['listened', 'partly', 'gap', 'before'] as const).map((kind) => (
        <li key={kind}>
          <span className={`cameras-span cameras-span-${kind}`} />
          {say[kind]}
        </li>
      ))}
    </ul>
  );
}
