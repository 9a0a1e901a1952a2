import { deviceHash, hashOf } from '../../address.ts';
import { useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import { useRight } from '../../session.tsx';
import { useCameras } from '../../use-cameras.ts';
import { words } from './words.ts';

/** Playback begins a little before now: the newest file is still being written, ms. */
const before = 60_000;

/** From a camera's card to where there is more of it. */
export function CameraWays({ id }: { readonly id: string }) {
  const say = useWords(words);
  const mayIncidents = useRight('incidents');
  const may = useCameras().data?.cameras.find((one) => one.id === id)?.may;
  const at = String(Math.round(now()) - before);
  const ways = [
    [may?.live === true, hashOf(`/live/${id}`), say.toLive],
    [may?.playback === true, hashOf('/footage', { cameras: id, at }), say.toFootage],
    [mayIncidents, hashOf('/incidents', { show: 'all', camera: id }), say.toIncidents],
    [may !== undefined, hashOf(`/cameras/${id}`), say.toHealth],
    [may === undefined, deviceHash(id), say.details],
  ] as const;
  return (
    <p className="map-card-links map-card-foot map-card-ways">
      {ways.map(
        ([isThere, href, text]) =>
          isThere && (
            <a key={text} className="kit-button" href={href}>
              {text}
            </a>
          ),
      )}
    </p>
  );
}
