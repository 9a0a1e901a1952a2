import { Button } from 'antd';
import type { InboxView, ProfileView } from '../../../place-schemas.ts';
import { Age } from '../../kit/age.tsx';
import { ToneBadge } from '../../kit/badges.tsx';
import { useName, useWords } from '../../kit/language.tsx';
import { useSentence } from '../../names.ts';
import { words } from './words.ts';

type Say = (typeof words)['zh'];

/** A word whose key is put together; `otherwise` when there is none. */
function wordOf(say: Say, key: string, otherwise: string): string {
  const found = (say as Readonly<Record<string, unknown>>)[key];
  return typeof found === 'string' ? found : otherwise;
}

/** JSON as people read it; whatever else it is, as it came. */
function pretty(excerpt: string): string {
  try {
    return JSON.stringify(JSON.parse(excerpt), null, 2);
  } catch {
    return excerpt;
  }
}

/** One thing that was heard: what, from whom, when, how often, and what can be done with it. Its words are of strangers. */
export function InboxCard({
  line,
  profiles,
  onApprove,
  onIgnore,
  onForget,
}: {
  readonly line: InboxView;
  readonly profiles: readonly ProfileView[];
  readonly onApprove: () => void;
  readonly onIgnore: (ignored: boolean) => void;
  readonly onForget: () => void;
}) {
  const say = useWords(words);
  const name = useName();
  const sentence = useSentence();
  const isDevice = line.kind === 'unknown-device';
  const guess = profiles.find(({ id }) => id === line.suggestion?.profile);
  return (
    <article className="inbox-card" data-key={line.key}>
      <header>
        <ToneBadge tone={isDevice ? 'plain' : 'wait'}>{wordOf(say, `kind:${line.kind}`, line.kind)}</ToneBadge>
        <h2>{line.key}</h2>
        <span className="inbox-count kit-number">{say.times(line.count)}</span>
      </header>
      <p>{wordOf(say, `why:${line.kind}`, sentence(line.message))}</p>
      <p className="kit-soft">{wordOf(say, `do:${line.kind}`, '')}</p>
      {isDevice && (
        <p className="inbox-guess">{guess === undefined ? say.noSuggestion : say.suggestion(name(guess.name))}</p>
      )}
      <dl className="inbox-facts">
        <div>
          <dt>{say.from}</dt>
          <dd>
            <code>{line.client}</code>
          </dd>
        </div>
        <div>
          <dt>{say.topic}</dt>
          <dd>
            <code>{line.topic}</code>
          </dd>
        </div>
        <div>
          <dt>{say.firstHeard}</dt>
          <dd>
            <Age time={line.first} />
          </dd>
        </div>
        <div>
          <dt>{say.lastHeard}</dt>
          <dd>
            <Age time={line.last} />
          </dd>
        </div>
      </dl>
      {line.excerpt !== '' && (
        <details>
          <summary>{say.excerpt}</summary>
          <pre className="inbox-excerpt">{pretty(line.excerpt)}</pre>
          <p className="kit-soft">{sentence(line.message)}</p>
        </details>
      )}
      <footer className="kit-actions">
        {isDevice && !line.ignored && (
          <Button type="primary" onClick={onApprove}>
            {say.approve}
          </Button>
        )}
        <Button onClick={() => onIgnore(!line.ignored)}>{line.ignored ? say.showAgain : say.ignore}</Button>
        <Button type="text" onClick={onForget}>
          {say.forget}
        </Button>
      </footer>
    </article>
  );
}
