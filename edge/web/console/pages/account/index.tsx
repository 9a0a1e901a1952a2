import { Segmented } from 'antd';
import { roleNames } from '#edge/domain/access.ts';
import { PageHeader, Panel } from '../../kit/frame.tsx';
import { useFormats, useName, useSpeech, useWords } from '../../kit/language.tsx';
import { useLook } from '../../kit/theme.tsx';
import { useZoneName } from '../../names.ts';
import { useSession } from '../../session.tsx';
import { PasswordPanel } from './password-panel.tsx';
import { SecondFactorPanel } from './second-factor.tsx';
import { SessionsPanel } from './sessions-panel.tsx';
import { words } from './words.ts';
import './account.css';

export function Page() {
  const say = useWords(words);
  return (
    <>
      <PageHeader title={say.title} about={say.about} />
      <div className="account-columns">
        <div className="account-column">
          <WhoPanel />
          <PasswordPanel />
          <ScreenPanel />
        </div>
        <div className="account-column">
          <SecondFactorPanel />
          <SessionsPanel />
        </div>
      </div>
    </>
  );
}

function WhoPanel() {
  const say = useWords(words);
  const name = useName();
  const zoneName = useZoneName();
  const formats = useFormats();
  const me = useSession();
  return (
    <Panel title={me.name}>
      <dl className="account-facts">
        <dt>{say.who}</dt>
        <dd>{me.id}</dd>
        <dt>{say.role}</dt>
        <dd>{name(roleNames[me.role])}</dd>
        <dt>{say.zones}</dt>
        <dd>{me.zones === 'all' ? say.wholeCampus : me.zones.map(zoneName).join(say.comma)}</dd>
        <dt>{say.expires}</dt>
        <dd className="kit-number">{formats.dateTime(me.expires)}</dd>
      </dl>
    </Panel>
  );
}

function ScreenPanel() {
  const say = useWords(words);
  const { language, setLanguage } = useSpeech();
  const { choice, setChoice } = useLook();
  return (
    <Panel title={say.screen}>
      <p className="kit-soft">{say.screenAbout}</p>
      <div className="account-choices">
        <span id="account-language">{say.language}</span>
        <Segmented
          aria-labelledby="account-language"
          value={language}
          onChange={setLanguage}
          options={[
            { value: 'zh', label: '中文' },
            { value: 'en', label: 'English' },
          ]}
        />
        <span id="account-look">{say.look}</span>
        <Segmented
          aria-labelledby="account-look"
          value={choice}
          onChange={setChoice}
          options={[
            { value: 'auto', label: say.auto },
            { value: 'light', label: say.light },
            { value: 'dark', label: say.dark },
          ]}
        />
      </div>
    </Panel>
  );
}
