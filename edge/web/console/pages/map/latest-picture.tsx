import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type EventView, query } from '../../api.ts';
import { Age } from '../../kit/age.tsx';
import { fromHere } from '../../kit/download.tsx';
import { useWords } from '../../kit/language.tsx';
import { useRight } from '../../session.tsx';
import { useRecentEvents } from '../../use-live.tsx';
import { words } from './words.ts';

/** What a camera saw last, with when; a newer one takes its place as it comes. */
export function LatestPicture({ device }: { readonly device: string }) {
  const say = useWords(words);
  const seesPictures = useRight('pictures');
  const [missing, setMissing] = useState('');
  const recent = useRecentEvents().find((event) => event.device === device && event.snapshot !== undefined);
  const asked = useQuery({
    queryKey: ['events', 'pictures', device],
    queryFn: ({ signal }) =>
      api.get<readonly EventView[]>(`events${query({ newest: true, device, limit: 100 })}`, signal),
    enabled: seesPictures && recent === undefined,
    staleTime: 30_000,
  });
  if (!seesPictures) return <p className="kit-soft">{say.noPictureRight}</p>;
  const event = recent ?? asked.data?.find(({ snapshot }) => snapshot !== undefined);
  if (event === undefined || event.id === missing) {
    return <p className="kit-soft">{asked.isFetching ? say.pictureOnItsWay : say.noPicture}</p>;
  }
  return (
    <figure className="map-picture">
      <img
        src={fromHere(`api/v1/events/${event.id}/snapshot`)}
        alt={say.picture}
        onError={() => setMissing(event.id)}
      />
      <figcaption className="kit-soft">
        {say.pictureOf} <Age time={event.time} />
      </figcaption>
    </figure>
  );
}
