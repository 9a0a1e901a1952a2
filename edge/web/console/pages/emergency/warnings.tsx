import { Panel } from '../../kit/frame.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import { now } from '../../kit/ticker.ts';
import type { WarningView } from './data.ts';
import { words } from './words.ts';

const severities = ['Extreme', 'Severe', 'Moderate', 'Minor'] as const;

/** What others warn of. Their words are shown as they are. */
export function Warnings({ warnings }: { readonly warnings: readonly WarningView[] }) {
  const say = useWords(words);
  const formats = useFormats();
  if (warnings.length === 0) return null;
  return (
    <Panel title={say.warnings}>
      <ul className="emergency-warnings">
        {warnings.map((one) => {
          const severity = severities.find((word) => word === one.severity) ?? 'Unknown';
          const times = [
            formats.moment(one.sent, now()),
            ...(one.until === null ? [] : [say.warningUntil(formats.moment(one.until, now()))]),
            one.sounds ? say.warningSounds : say.warningShown,
          ];
          return (
            <li key={one.key} data-severity={severity}>
              <strong>{say[`severity:${severity}`]}</strong>
              <span>
                {one.headline === '' ? one.event : one.headline}
                <small className="kit-soft">
                  {one.sender} · {times.join(' · ')}
                </small>
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
