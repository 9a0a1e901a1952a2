import { Button, Select } from 'antd';
import { useState } from 'react';
import { ToneBadge } from '../../kit/badges.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { Difference } from './difference.tsx';
import { type Deed, DeedDialog } from './life-bar.tsx';
import { whoText, whyText } from './problem-text.ts';
import { useMayWrite } from './rights.ts';
import type { RuleVersionView, RuleView } from './rules-api.ts';
import { words } from './words.ts';

/** Every version with who wrote it and why; each can be compared and, in one click and a reason, run again. */
export function Versions({ rule }: { readonly rule: RuleView }) {
  const say = useWords(words);
  const [open, setOpen] = useState<number | null>(null);
  const [deed, setDeed] = useState<Deed | null>(null);
  return (
    <>
      <ol className="rules-versions">
        {rule.versions.map((version) => (
          <li key={version.version} className="kit-panel" data-version={version.version}>
            <Line rule={rule} version={version} open={open} onOpen={setOpen} onDeed={setDeed} />
            {open === version.version && <Compare rule={rule} version={version} />}
          </li>
        ))}
      </ol>
      {rule.versions.length === 0 && <p className="kit-soft">{say.journalNone}</p>}
      <DeedDialog rule={rule} deed={deed} onClose={() => setDeed(null)} />
    </>
  );
}

function Line({
  rule,
  version,
  open,
  onOpen,
  onDeed,
}: {
  readonly rule: RuleView;
  readonly version: RuleVersionView;
  readonly open: number | null;
  readonly onOpen: (version: number | null) => void;
  readonly onDeed: (deed: Deed) => void;
}) {
  const say = useWords(words);
  const language = useLanguage();
  const formats = useFormats();
  const mayWrite = useMayWrite();
  const { version: number, why, by, time, from, approved } = version;
  const isOpen = open === number;
  const isActive = rule.active === number;
  const isOlder = number < (rule.active ?? rule.latest);
  const mayRun = mayWrite && !isActive && rule.proposal === null;
  return (
    <div className="rules-version">
      <div className="rules-version-text">
        <h3>
          {say.version(String(number))}
          {isActive && <ToneBadge tone="good">{say.isActive}</ToneBadge>}
          {rule.shadow === number && <ToneBadge tone="wait">{say.isShadow}</ToneBadge>}
          {rule.proposal?.version === number && <ToneBadge tone="wait">{say.isProposed}</ToneBadge>}
        </h3>
        <p>{whyText(why, language)}</p>
        <p className="kit-soft">
          {say.versionBy(whoText(by, language), formats.dateTime(time))} · {say[`from:${from}`]}
        </p>
        {approved !== null && (
          <p className="kit-soft" data-approved={approved.by}>
            {say.versionApproved(whoText(approved.by, language), formats.dateTime(approved.time))}
          </p>
        )}
      </div>
      <div className="kit-row-actions">
        {rule.versions.length > 1 && (
          <Button aria-expanded={isOpen} onClick={() => onOpen(isOpen ? null : number)}>
            {isOpen ? say.hideCompare : say.compare}
          </Button>
        )}
        {mayRun && isOlder && (
          <Button data-act="rollBack" onClick={() => onDeed({ kind: 'rollBack', version: number })}>
            {say.rollBack}
          </Button>
        )}
      </div>
    </div>
  );
}

/** With the version that runs; of that one itself, with the one before it. */
function Compare({ rule, version }: { readonly rule: RuleView; readonly version: RuleVersionView }) {
  const say = useWords(words);
  const others = rule.versions.filter((one) => one.version !== version.version);
  const usual = rule.active === version.version ? undefined : others.find((one) => one.version === rule.active);
  const older = others.find((one) => one.version < version.version);
  const [chosen, choose] = useState((usual ?? older ?? others[0])?.version ?? 0);
  const other = others.find((one) => one.version === chosen);
  if (other === undefined) return null;
  const [before, after] = other.version < version.version ? [other, version] : [version, other];
  return (
    <div className="rules-compare">
      <div className="rules-compare-with">
        <span>{say.compareWith}</span>
        <Select
          aria-label={say.compareWith}
          value={chosen}
          onChange={choose}
          options={others.map((one) => ({ value: one.version, label: say.before(String(one.version)) }))}
        />
        <span className="kit-soft">
          {say.before(String(before.version))} → {say.before(String(after.version))}
        </span>
      </div>
      <Difference before={before.body} after={after.body} />
    </div>
  );
}
