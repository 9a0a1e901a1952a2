import { Drawer } from 'antd';
import { deviceHash } from '../../address.ts';
import { errorDetail, errorText } from '../../api.ts';
import { SignIcon } from '../../kit/icons.tsx';
import { useLanguage, useName, useWords } from '../../kit/language.tsx';
import { ErrorState, PageSkeleton } from '../../kit/states.tsx';
import { useSentence } from '../../names.ts';
import { type PartView, roundedNow, useWhy, type WhyView } from './data.ts';
import { usePhrases } from './sentences.ts';
import { SoundClassBadge } from './sound-class.tsx';
import { words } from './words.ts';

/** Why this plays, or why it is silent. */
export function RoomDrawer({ device, onClose }: { readonly device: string; readonly onClose: () => void }) {
  const say = useWords(words);
  const name = useName();
  const language = useLanguage();
  const why = useWhy(device);
  return (
    <Drawer
      open
      onClose={onClose}
      title={why.data === undefined ? say.whyTitle : name(why.data.room.name)}
      size={480}
      rootClassName="broadcast-drawer"
    >
      {why.isPending && <PageSkeleton />}
      {why.isError && (
        <ErrorState
          message={errorText(why.error, language)}
          detail={errorDetail(why.error)}
          onRetry={() => void why.refetch()}
        />
      )}
      {why.data !== undefined && <Story why={why.data} />}
    </Drawer>
  );
}

function Story({ why }: { readonly why: WhyView }) {
  const say = useWords(words);
  const name = useName();
  const phrases = usePhrases();
  const sentence = useSentence();
  const { room, recent } = why;
  const [rounded] = roundedNow({ rooms: [room], items: [], time: why.time }).rooms;
  const { playing, level, waiting } = room;
  return (
    <div className="broadcast-story">
      <section>
        <h3>{say.whyNow}</h3>
        {playing !== null && (
          <p className="broadcast-item-head">
            <SoundClassBadge of={playing.class} />
            {playing.drill && <b className="broadcast-drill">{say.drill}</b>}
            <strong>{name(playing.name)}</strong>
          </p>
        )}
        {rounded !== undefined && <p data-why>{phrases.room(rounded)}</p>}
        {playing !== null && playing.why !== '' && <p className="kit-soft">{say.whyReason(sentence(playing.why))}</p>}
        {room.online === false && (
          <p className="broadcast-bad">
            <SignIcon sign="cross" size={12} /> {say.offline}
          </p>
        )}
        {room.trouble !== null && (
          <p className="broadcast-bad">
            <SignIcon sign="triangle" size={13} /> {say.trouble}
            {`: ${sentence(room.trouble.reason)} · ${phrases.moment(room.trouble.time)}`}
          </p>
        )}
      </section>
      {level !== null && (
        <section>
          <h3>{say.whyLevel}</h3>
          <p>{say.levelFrom(Math.round(level.level), say[`from:${level.from}`])}</p>
          {level.cap !== null && <p className="kit-soft">{say.capOf(level.cap.most, level.cap.reason)}</p>}
        </section>
      )}
      <section>
        <h3>{say.whyProof}</h3>
        <p>
          {say[`proof:${room.proof}`]}
          {room.evidence !== '' && <small className="kit-soft">{` · ${sentence(room.evidence)}`}</small>}
        </p>
        <p className="kit-soft">{say.proofHelp}</p>
      </section>
      <section>
        <h3>{say.whyWaits}</h3>
        {waiting.length === 0 ? (
          <p className="kit-soft">{say.whyWaitsNone}</p>
        ) : (
          <ul>
            {waiting.map((part) => (
              <Waiting key={part.item} part={part} />
            ))}
          </ul>
        )}
      </section>
      <section>
        <h3>{say.whyRecent}</h3>
        {recent.length === 0 ? (
          <p className="kit-soft">{say.whyRecentNone}</p>
        ) : (
          <ol className="broadcast-recent">
            {recent.map((line) => (
              <li key={`${line.at} ${line.kind} ${line.item}`}>
                <time className="kit-number">{phrases.moment(line.at)}</time>
                <span>{phrases.happening(line)}</span>
              </li>
            ))}
          </ol>
        )}
      </section>
      <p>
        <a href={deviceHash(room.device)}>{say.whyDevice}</a>
      </p>
    </div>
  );
}

function Waiting({ part }: { readonly part: PartView }) {
  const say = useWords(words);
  const name = useName();
  const phrases = usePhrases();
  return (
    <li>
      <span className="broadcast-item-head">
        <SoundClassBadge of={part.class} />
        <strong>{name(part.name)}</strong>
        <span className="kit-soft">{say[`state:${part.state}`]}</span>
      </span>
      <small className="kit-soft">
        {[
          part.blocker === null ? '' : phrases.blocker(part.blocker),
          part.patience === null ? '' : say.givenUp(phrases.moment(part.patience)),
        ]
          .filter((one) => one !== '')
          .join(' · ')}
      </small>
    </li>
  );
}
