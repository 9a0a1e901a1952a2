import { Button, Drawer } from 'antd';
import { useMemo, useRef, useState } from 'react';
import type { z } from 'zod';
import type { adoptedSchema, InboxView, ProfileView } from '../../../place-schemas.ts';
import { ApiError, api, type CampusView, errorDetail, errorText } from '../../api.ts';
import { useLanguage, useWords } from '../../kit/language.tsx';
import { phoneQuery, useMedia } from '../../kit/theme.tsx';
import { useSentence } from '../../names.ts';
import { AddressFields } from './address-fields.tsx';
import { PlaceFields, ProfileField } from './adopt-fields.tsx';
import { Adopted } from './adopted.tsx';
import { bodyOf, type Draft, firstDraft, type Mistake, mistakesOf, withProfile } from './draft.ts';
import { TryPanel } from './try-panel.tsx';
import { words } from './words.ts';

type Answer = z.infer<typeof adoptedSchema>;

/** Adopting a device: what it is, how it is reached (and a try), what it is called; then the restart, up to its end. */
export function AdoptDrawer({
  line,
  profiles,
  campus,
  onClose,
}: {
  readonly line: InboxView | null;
  readonly profiles: readonly ProfileView[];
  readonly campus: CampusView;
  readonly onClose: () => void;
}) {
  const say = useWords(words);
  const isPhone = useMedia(phoneQuery);
  const [round, setRound] = useState(0);
  const [done, setDone] = useState<{ readonly answer: Answer; readonly draft: Draft } | null>(null);
  const title = line === null ? say.adoptTitle : say.adoptTitleOf(line.key);
  return (
    <Drawer
      open
      size={isPhone ? '100%' : 620}
      title={title}
      onClose={onClose}
      mask={{ closable: false }}
      closable={{ 'aria-label': say.close }}
    >
      {done === null ? (
        <AdoptForm key={round} line={line} profiles={profiles} campus={campus} onClose={onClose} onDone={setDone} />
      ) : (
        <Adopted
          answer={done.answer}
          name={{ zh: done.draft.zh, en: done.draft.en || done.draft.zh }}
          onClose={onClose}
          onAgain={
            line !== null
              ? null
              : () => {
                  setDone(null);
                  setRound(round + 1);
                }
          }
        />
      )}
    </Drawer>
  );
}

function AdoptForm({
  line,
  profiles,
  campus,
  onClose,
  onDone,
}: {
  readonly line: InboxView | null;
  readonly profiles: readonly ProfileView[];
  readonly campus: CampusView;
  readonly onClose: () => void;
  readonly onDone: (done: { readonly answer: Answer; readonly draft: Draft }) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const sentence = useSentence();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState<Draft>(() => firstDraft(line, campus.zones));
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const [problem, setProblem] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  const taken = useMemo(() => new Set(campus.devices.map(({ id }) => id)), [campus]);
  const profile = profiles.find(({ id }) => id === draft.profile);
  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    if (mistakes.length > 0) setMistakes(mistakesOf(next, taken));
  };

  const submit = async () => {
    const found = mistakesOf(draft, taken);
    setMistakes(found);
    setProblem([]);
    const body = bodyOf(draft, line?.key);
    if (found.length > 0 || body === null) {
      // After the messages are there, so that they are read with the field.
      setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), 0);
      return;
    }
    setBusy(true);
    try {
      onDone({ answer: await api.post<Answer>('devices', body), draft });
    } catch (error) {
      setProblem([problemHead(error, say, errorText(error, language)), sentence(errorDetail(error))]);
    } finally {
      setBusy(false);
    }
  };
  const wrong = (...kinds: Mistake[]) => kinds.filter((kind) => mistakes.includes(kind)).map((kind) => say[kind])[0];

  return (
    <form
      ref={form}
      className="kit-form inbox-adopt"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h3>{say.stepWhat}</h3>
      <ProfileField
        profiles={profiles}
        profile={profile}
        mistake={wrong('profileNeeded')}
        onChange={(next) => {
          setDraft(withProfile(draft, next, line));
          setMistakes(mistakes.filter((kind) => kind !== 'profileNeeded'));
        }}
      />
      {profile !== undefined && (
        <>
          <h3>{say.stepWhere}</h3>
          <AddressFields
            key={profile.id}
            profile={profile}
            address={draft.address}
            onChange={(address) => change({ address })}
          />
          <TryPanel key={`try ${profile.id}`} profile={profile} address={draft.address} />
        </>
      )}
      <h3>{say.stepPlace}</h3>
      <PlaceFields draft={draft} campus={campus} wrong={wrong} onChange={change} />
      <div className="inbox-note">
        <strong>{say.restartTitle}</strong>
        <p>{say.restartHelp}</p>
      </div>
      <div role="alert">
        {problem.length > 0 && (
          <div className="inbox-problem">
            <strong>{problem[0]}</strong>
            <p>{problem[1]}</p>
          </div>
        )}
      </div>
      <footer className="inbox-foot">
        <Button onClick={onClose}>{say.cancel}</Button>
        <Button type="primary" htmlType="submit" loading={isBusy}>
          {say.adopt}
        </Button>
      </footer>
    </form>
  );
}

/** What kind of refusal it is; the server's sentence below says what and where. */
function problemHead(error: unknown, say: (typeof words)['zh'], otherwise: string): string {
  if (!(error instanceof ApiError)) return otherwise;
  if (error.code === 'adopt-not-now') return say.notNow;
  if (error.code === 'adopt-refused') return say.adoptRefused;
  return error.code === 'bad-address' ? say.badAddress : otherwise;
}
