import { Button } from 'antd';
import { hashOf } from '../../address.ts';
import { fromHere } from '../../kit/download.tsx';
import { SignIcon } from '../../kit/icons.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { useSentence, useZoneName } from '../../names.ts';
import type { CheckIn, KeyPlace, PlaceDay } from './data.ts';
import { words } from './words.ts';

/** One key place: how often somebody was there, who last, and what has been broken for too long. */
export function PlaceCard({
  place,
  more,
  isToday,
  onCheckIn,
  onRenew,
}: {
  readonly place: PlaceDay;
  readonly more: KeyPlace | undefined;
  readonly isToday: boolean;
  readonly onCheckIn: () => void;
  readonly onRenew: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  const { id, done, required, checkIns } = place;
  const left = Math.max(0, required - done);
  const [last] = checkIns;
  const has = [
    zoneName(place.zone),
    ...(more === undefined || more.cameras.length === 0 ? [] : [say.cameras(more.cameras.length)]),
    ...(more === undefined || more.panic.length === 0 ? [] : [say.buttons(more.panic.length)]),
  ];
  return (
    <article className="kit-panel patrols-place" data-place={id} data-done={done}>
      <header>
        <h2>{name(place.name)}</h2>
        <p className="kit-soft">{has.join(' · ')}</p>
      </header>
      <p className={`patrols-count ${left === 0 ? 'patrols-enough' : isToday ? '' : 'patrols-missed'}`}>
        <strong className="kit-number">{say.count(done, required)}</strong>
        <span>
          <SignIcon sign={left === 0 ? 'dot' : isToday ? 'half' : 'triangle'} size={12} />{' '}
          {left === 0 ? say.enough : isToday ? say.left(left) : say.missed(left)}
        </span>
      </p>
      <progress max={required} value={Math.min(done, required)} aria-label={say.count(done, required)} />
      {last === undefined ? (
        <p className="kit-soft">{say.never}</p>
      ) : (
        <details className="patrols-all">
          <summary>
            {say.last} <CheckInLine one={last} />
          </summary>
          <p className="kit-soft">{say.all(checkIns.length)}</p>
          <ol>
            {checkIns.slice(0, 50).map((one) => (
              <li key={one.id}>
                <CheckInLine one={one} />
                {one.note !== '' && <q>{one.note}</q>}
              </li>
            ))}
          </ol>
        </details>
      )}
      <Faults more={more} />
      <div className="kit-actions">
        {isToday && (
          <Button type="primary" data-act="check-in" onClick={onCheckIn}>
            {say.checkIn}
          </Button>
        )}
        <a className="kit-button" href={fromHere(`api/v1/key-places/${id}/code.svg`)} target="_blank" rel="noopener">
          {say.code}
        </a>
        <Button data-act="renew" onClick={onRenew}>
          {say.renew}
        </Button>
      </div>
    </article>
  );
}

function CheckInLine({ one: { time, name, who, way } }: { readonly one: CheckIn }) {
  const say = useWords(words);
  const formats = useFormats();
  const called = name === '' ? `${say.card} ${who.replace(/^card:/, '')}` : name;
  return (
    <>
      <span className="kit-number">{formats.shortTime(time)}</span> {say.by(called, say[`way:${way}`])}
    </>
  );
}

function Faults({ more }: { readonly more: KeyPlace | undefined }) {
  const say = useWords(words);
  const name = useName();
  const sentence = useSentence();
  if (more === undefined || more.faults.length === 0) return null;
  return (
    <div className="patrols-faults">
      <p>
        <SignIcon sign="triangle" size={12} /> {say.faults(more.faults.length)}
      </p>
      <ul>
        {more.faults.slice(0, 5).map((alarm) => (
          <li key={alarm.id}>
            <a href={hashOf(`/alarms/${alarm.id}`)}>{sentence(name(alarm.message))}</a>
          </li>
        ))}
      </ul>
    </div>
  );
}
