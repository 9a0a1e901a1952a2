import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { hashOf, useAddress } from '../address.ts';
import { useFormats, useWords } from '../kit/language.tsx';
import { useTicking } from '../kit/ticker.ts';
import { useZoneName } from '../names.ts';
import { askAnew, countRoll, type EmergencyView, useEmergencies } from '../pages/emergency/data.ts';
import { EmergencyIcon } from '../pages/emergency/kind-icon.tsx';
import { useLive } from '../use-live.tsx';
import { words } from './words.ts';
import './emergency-banner.css';

/** Over every page while an emergency or an exercise goes on: what, where, since when, who has reported, and the way to its page. */
export function EmergencyBanner() {
  const live = useLive();
  const queries = useQueryClient();
  const { path } = useAddress();
  const { data } = useEmergencies();
  useEffect(() => live.onEmergency(() => void askAnew(queries)), [live, queries]);
  if (path.startsWith('/emergency')) return null;
  return (data?.open ?? []).map((one) => <One key={one.id} one={one} />);
}

function One({ one }: { readonly one: EmergencyView }) {
  const say = useWords(words);
  const formats = useFormats();
  const zoneName = useZoneName();
  const age = useTicking((time) => formats.duration(Math.max(0, Math.floor((time - one.since) / 1_000) * 1_000)));
  const { unknown } = countRoll(one.roll);
  const facts = [
    one.zones.map(zoneName).join('、'),
    say.since(formats.clock(one.since), age),
    ...(one.roll.length === 0 ? [] : [say.roll(one.roll.length - unknown, one.roll.length)]),
  ];
  return (
    <section className="emergency-banner" role="alert" data-emergency={one.id} data-drill={one.drill}>
      <EmergencyIcon kind={one.kind} />
      <div>
        <p className="emergency-banner-title">{one.drill ? say.drill(say[one.kind]) : say[one.kind]}</p>
        <p>{facts.join(' · ')}</p>
      </div>
      <a className="kit-button" href={hashOf('/emergency')}>
        {say.open}
      </a>
    </section>
  );
}
