import { Button } from 'antd';
import { useState } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { PageHeader } from '../../kit/frame.tsx';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { EmptyState, ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { now } from '../../kit/ticker.ts';
import { type PlaceDay, useKeyPlaces, usePatrolDay } from './data.ts';
import { CheckInDialog, RenewDialog } from './dialogs.tsx';
import { Here } from './here.tsx';
import { PlaceCard } from './place-card.tsx';
import { words } from './words.ts';
import './patrols.css';

/* `#/patrols?date=2026-11-22`: the key places of a day; `#/patrol/<place>/<token>`: what a code on a wall opens. */

export function Page() {
  const { path, query } = useAddress();
  const [, first, place = '', token = ''] = path.split('/');
  if (first === 'patrol')
    return <Here key={path} place={decodeURIComponent(place)} token={decodeURIComponent(token)} />;
  return <Patrols date={query.get('date') ?? ''} />;
}

const datePattern = /^\d{4}-\d\d-\d\d$/;
const day = 86_400_000;

function stepped(date: string, days: number): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * day).toISOString().slice(0, 10);
}

function Patrols({ date }: { readonly date: string }) {
  const say = useWords(words);
  const language = useLanguage();
  const asked = usePatrolDay(datePattern.test(date) ? date : '');
  const places = useKeyPlaces();
  const [noting, setNoting] = useState<PlaceDay | null>(null);
  const [renewing, setRenewing] = useState<PlaceDay | null>(null);
  if (asked.isPending) return <PageSkeleton />;
  if (asked.isError) {
    const { error } = asked;
    const retry = () => void asked.refetch();
    return <ErrorState message={errorText(error, language)} detail={errorDetail(error)} onRetry={retry} />;
  }
  const { data } = asked;
  const isToday = now() < data.to;
  const done = data.places.filter((place) => place.done >= place.required).length;
  const show = (next: string) => goTo(hashOf('/patrols', { date: next }), 'replace');
  return (
    <>
      <PageHeader
        title={say.title}
        about={say.about(done, data.places.length)}
        actions={
          <>
            <Button onClick={() => show(stepped(data.date, -1))}>‹ {say.dayBefore}</Button>
            <input
              type="date"
              className="patrols-date"
              aria-label={say.day}
              value={data.date}
              onChange={(event) => datePattern.test(event.target.value) && show(event.target.value)}
            />
            <Button disabled={isToday} onClick={() => show(stepped(data.date, 1))}>
              {say.dayAfter} ›
            </Button>
            {!isToday && <Button onClick={() => show('')}>{say.today}</Button>}
          </>
        }
      />
      {data.places.length === 0 ? (
        <EmptyState title={say.none}>{say.noneHelp}</EmptyState>
      ) : (
        <>
          <p className="kit-soft">{say.rule}</p>
          <section className="patrols" aria-label={say.list}>
            {data.places.map((place) => (
              <PlaceCard
                key={place.id}
                place={place}
                more={places.data?.find(({ id }) => id === place.id)}
                isToday={isToday}
                onCheckIn={() => setNoting(place)}
                onRenew={() => setRenewing(place)}
              />
            ))}
          </section>
        </>
      )}
      {noting !== null && <CheckInDialog place={noting} onClose={() => setNoting(null)} />}
      {renewing !== null && <RenewDialog place={renewing} onClose={() => setRenewing(null)} />}
    </>
  );
}
