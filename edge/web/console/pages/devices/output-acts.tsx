import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { z } from 'zod';
import type { outputActSchema } from '../../../schemas.ts';
import { api, errorDetail, errorText, type PointView } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { valueText } from '../../kit/values.ts';
import { useOwnerText, useSentence } from '../../names.ts';
import { operateWords } from './operate-words.ts';

type Act = z.infer<typeof outputActSchema>;

const mostActs = 30;

/** Who switched this: what was asked and what the device was told, newest first. Asked for when it is opened. */
export function OutputActs({ point, version }: { readonly point: PointView; readonly version: string }) {
  const say = useWords(operateWords);
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="devices-acts" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{say.actsShow}</summary>
      {isOpen && <Acts point={point} version={version} />}
    </details>
  );
}

function Acts({ point, version }: { readonly point: PointView; readonly version: string }) {
  const say = useWords(operateWords);
  const language = useLanguage();
  const formats = useFormats();
  const sentence = useSentence();
  const acts = useQuery({
    queryKey: ['output-acts', point.id, version],
    queryFn: ({ signal }) => api.get<readonly Act[]>(`outputs/${point.id}/history?limit=${mostActs}`, signal),
    placeholderData: keepPreviousData,
  });
  const whoOf = useWho();
  if (acts.isError) {
    return (
      <ErrorState
        message={errorText(acts.error, language)}
        detail={errorDetail(acts.error)}
        onRetry={() => void acts.refetch()}
      />
    );
  }
  if (acts.isPending) return <PageSkeleton />;
  if (acts.data.length === 0) return <p className="kit-soft">{say.actsNone}</p>;
  const what = (act: Act) => {
    const value = valueText(act.value, point.unit, point.point, language);
    if (act.kind === 'command') return say.commanded(value);
    if (act.value === null) return say.gaveUp;
    return act.seconds === undefined ? say.setTo(value) : say.setToFor(value, formats.duration(act.seconds * 1000));
  };
  return (
    <div className="devices-scroll">
      <table className="devices-table devices-acts-table">
        <thead>
          <tr>
            <th scope="col">{say.actTime}</th>
            <th scope="col">{say.actWho}</th>
            <th scope="col">{say.actWhat}</th>
            <th scope="col">{say.actResult}</th>
          </tr>
        </thead>
        <tbody>
          {acts.data.map((act) => (
            <tr key={`${act.kind} ${act.id}`}>
              <td className="kit-number">{formats.moment(act.time, now())}</td>
              <td>{whoOf(act.who)}</td>
              <td>
                {what(act)}
                {act.reason !== undefined && act.reason !== '' && (
                  <div className="kit-soft">{say.because(sentence(act.reason))}</div>
                )}
              </td>
              <td title={act.message}>{domainText('outcome', act.outcome, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function useWho(): (who: string | null) => string {
  const say = useWords(operateWords);
  const ownerOf = useOwnerText();
  return (who) => {
    if (who === null) return say.toDevice;
    const cut = who.indexOf(':');
    const [kind, id] = [who.slice(0, cut), who.slice(cut + 1)];
    if (kind === 'person') return say.person(id);
    if (who === 'token:local') return say.localToken;
    if (kind === 'token') return say.token(id);
    if (kind === 'client') return ownerOf(`request:${id}`);
    return ownerOf(who);
  };
}
