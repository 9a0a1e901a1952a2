import { Input } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { fromHere } from '../../kit/download.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useWords } from '../../kit/language.tsx';
import { LineIcon } from '../../kit/line-icon.tsx';
import { type Clip, useClips } from './data.ts';
import { words } from './words.ts';

export const clipMime = 'application/x-campus-clip';

/** What can be played: dragged onto a room or a zone, or pressed when rooms are chosen. */
export function Shelf({ onPick }: { readonly onPick: (clip: string) => void }) {
  const say = useWords(words);
  const name = useName();
  const formats = useFormats();
  const clips = useClips();
  const [sought, setSought] = useState('');
  const [heard, listen] = useListening();
  const wanted = sought.trim().toLowerCase();
  const shown = clips.filter(
    ({ id, name: both }) => wanted === '' || `${id} ${both.zh} ${both.en}`.toLowerCase().includes(wanted),
  );
  return (
    <Panel title={say.clips} className="broadcast-shelf">
      <p className="kit-soft">{say.clipsHelp}</p>
      {clips.length > 8 && (
        <Input
          type="search"
          allowClear
          aria-label={say.clipSearch}
          placeholder={say.clipSearch}
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
      )}
      {clips.length === 0 && <p>{say.noClips}</p>}
      <ul>
        {shown.slice(0, 200).map((clip) => (
          <li key={clip.id} data-clip={clip.id}>
            <ListenButton clip={clip} isHeard={heard === clip.id} onListen={listen} />
            <button
              type="button"
              className="broadcast-clip"
              draggable={clip.problem === null}
              disabled={clip.problem !== null}
              onDragStart={(event) => {
                event.dataTransfer.setData(clipMime, clip.id);
                event.dataTransfer.effectAllowed = 'copy';
              }}
              onClick={() => onPick(clip.id)}
            >
              <span>{name(clip.name)}</span>
              <small className="kit-soft">
                {clip.problem !== null ? say.clipBroken : clip.length === null ? '' : formats.duration(clip.length)}
              </small>
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ListenButton({
  clip,
  isHeard,
  onListen,
}: {
  readonly clip: Clip;
  readonly isHeard: boolean;
  readonly onListen: (clip: string | null) => void;
}) {
  const say = useWords(words);
  const name = useName();
  return (
    <button
      type="button"
      className="broadcast-listen"
      aria-label={isHeard ? say.stopListening : say.listen(name(clip.name))}
      aria-pressed={isHeard}
      disabled={clip.problem !== null}
      onClick={() => onListen(isHeard ? null : clip.id)}
    >
      <LineIcon size={16}>{isHeard ? <path d="M5 5h10v10H5z" /> : <path d="M6 4l10 6-10 6z" />}</LineIcon>
    </button>
  );
}

/** One at a time, in the browser alone. */
function useListening() {
  const [heard, setHeard] = useState<string | null>(null);
  const sound = useRef<HTMLAudioElement | null>(null);
  useEffect(() => () => sound.current?.pause(), []);
  const listen = (clip: string | null) => {
    sound.current?.pause();
    sound.current = null;
    setHeard(clip);
    if (clip === null) return;
    const audio = new Audio(fromHere(`api/v1/broadcast/clips/${clip}/sound`));
    sound.current = audio;
    const end = () => setHeard((before) => (before === clip ? null : before));
    audio.onended = end;
    audio.onerror = end;
    audio.play().catch(end);
  };
  return [heard, listen] as const;
}
