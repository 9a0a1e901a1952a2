import { ToneBadge } from '../../kit/badges.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { CameraPlayer } from '../../kit/player.tsx';
import { useCameras } from '../../use-cameras.ts';
import { useCameraState, useUnclaimed } from './camera-state.ts';
import { LatestPicture } from './latest-picture.tsx';
import { words } from './words.ts';

const tones = { recording: 'good', watching: 'plain', unheard: 'bad' } as const;

/** Of a camera: what it sees now, and how it is. */
export default function CameraPart({ id }: { readonly id: string }) {
  const say = useWords(words);
  const name = useName();
  const list = useCameras().data;
  const camera = list?.cameras.find((one) => one.id === id);
  const state = useCameraState(id, camera?.recording ?? null);
  const isUnclaimed = useUnclaimed().has(id);
  if (camera === undefined) return <LatestPicture device={id} />;
  const { may } = camera;
  const isLive = may.live && list?.media.isThere === true && camera.streams.length > 0;
  return (
    <>
      <p className="map-camera-state">
        <ToneBadge tone={tones[state]}>{say[`sees-${state}`]}</ToneBadge>
        {isUnclaimed && <ToneBadge tone="bad">{say['sees-incident']}</ToneBadge>}
      </p>
      {isLive ? (
        <div className="map-live">
          <CameraPlayer camera={id} name={name(camera.name)} masks={camera.masks} />
        </div>
      ) : (
        <LatestPicture device={id} />
      )}
    </>
  );
}
