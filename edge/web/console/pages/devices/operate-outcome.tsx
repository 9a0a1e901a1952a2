import { Button } from 'antd';
import { useEffect } from 'react';
import type { OutputView, PointView, RequestResult } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { useAnnounce } from '../../kit/announce.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { type Value, valueText } from '../../kit/values.ts';
import { useOwnerText, useSentence } from '../../names.ts';
import { useOutput } from '../../use-live.tsx';
import { operateWords } from './operate-words.ts';

type Say = (typeof operateWords)['zh'];

export interface Wish {
  readonly value: Value;
  readonly until: number;
  readonly sent: number;
}

/** What came of it: core's word at once, then the device's as soon as it says something. */
export function Outcome({
  point,
  wish,
  result,
  onClose,
  onAgain,
}: {
  readonly point: PointView;
  readonly wish: Wish;
  readonly result: RequestResult;
  readonly onClose: () => void;
  readonly onAgain: () => void;
}) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const formats = useFormats();
  const sentence = useSentence();
  const announce = useAnnounce();
  const summary = result.accepted ? say.accepted : say.refused;
  const said = domainText('outcome', result.outcome, language);
  useEffect(() => announce(`${summary}: ${said}`), [announce, summary, said]);
  return (
    <div className="kit-form">
      <p className="devices-outcome" data-accepted={result.accepted}>
        <strong>
          <SignIcon sign={result.accepted ? 'dot' : 'cross'} /> {summary} · {said}
        </strong>
        {result.accepted && (
          <span>
            {say.willBe(valueText(wish.value, point.unit, point.point, language), formats.moment(wish.until, now()))}
          </span>
        )}
      </p>
      {!result.accepted && <p className="kit-soft">{sentence(result.message)}</p>}
      {result.accepted && <DeviceWord point={point} wish={wish} result={result} />}
      <footer className="devices-dialog-foot">
        {!result.accepted && <Button onClick={onAgain}>{say.operate}</Button>}
        <Button type="primary" onClick={onClose} autoFocus>
          {say.close}
        </Button>
      </footer>
    </div>
  );
}

function DeviceWord({
  point,
  wish,
  result,
}: {
  readonly point: PointView;
  readonly wish: Wish;
  readonly result: RequestResult;
}) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const ownerOf = useOwnerText();
  const sentence = useSentence();
  const output = useOutput(point.id);
  if (result.outcome === 'waiting') {
    // `"relay-1/relay_1" = true for 600 s at priority 8 waits: interlock:gas forbids true below priority 1: ...`
    const why = result.message.split(' waits: ').slice(1).join(' waits: ');
    if (/ forbids /.test(why)) {
      return (
        <p role="status">
          {say.waitingForbidden(sentence(why))} {say.waitingUntilLifted}
        </p>
      );
    }
    return (
      <p>
        {say.waitingFor(
          output?.holder === null || output === undefined
            ? domainText('owner', 'interlock', language)
            : ownerOf(output.holder),
        )}
      </p>
    );
  }
  return <p role="status">{deviceSentence(output, wish, point, say, language)}</p>;
}

function deviceSentence(
  output: OutputView | undefined,
  wish: Wish,
  point: PointView,
  say: Say,
  language: 'zh' | 'en',
): string {
  const confirmed = output?.confirmed ?? null;
  // What was confirmed before is of another wish; clocks differ by less than this.
  if (confirmed === null || confirmed.time < wish.sent - 2_000) return say.waitingDevice;
  if (confirmed.outcome === 'sent') return say.sentOnly;
  if (confirmed.outcome === 'done') return say.proved(valueText(confirmed.value, point.unit, point.point, language));
  return say.notProved(domainText('outcome', confirmed.outcome, language));
}
