import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { api, errorText } from '../../api.ts';
import { ToneBadge } from '../../kit/badges.tsx';
import { ReasonDialog } from '../../kit/confirm.tsx';
import { Panel } from '../../kit/frame.tsx';
import { useFormats, useLanguage, useWords } from '../../kit/language.tsx';
import { now as timeNow, useTicking } from '../../kit/ticker.ts';
import { useSession } from '../../session.tsx';
import { askAnew, type OverrideView, useOverrides } from './data.ts';
import { useNaming } from './naming.ts';
import { zonesText } from './occurrence-text.ts';
import { QuietDialog, RainDialog, ShiftDialog } from './override-dialog.tsx';
import { itemClassText, keyText, secondText, spanText } from './reason-words.ts';
import { words } from './words.ts';

type Asking = 'rain' | 'quiet' | 'shift' | null;

/** What people said for a while: rain, quiet, something left out, the day later. Buttons for those who may. */
export function OverridesPanel({ today }: { readonly today: string }) {
  const say = useWords(words);
  const { rights, zones } = useSession();
  const { data = [] } = useOverrides();
  const [asking, setAsking] = useState<Asking>(null);
  useTicking((now) => Math.floor(now / 10_000));
  const standing = data.filter(({ until }) => until > timeNow());
  const may = rights.includes('school');
  const isWhole = zones === 'all';
  const rains = standing.some(({ what, from }) => what.kind === 'rainy' && from <= timeNow());
  const close = () => setAsking(null);
  return (
    <Panel title={say.overrides} extra={<span className="kit-soft">{say.overridesExtra}</span>}>
      {may && (
        <div className="schoolday-acts">
          {isWhole && !rains && (
            <Button data-act="rain" onClick={() => setAsking('rain')}>
              {say.rain}
            </Button>
          )}
          <Button data-act="quiet" onClick={() => setAsking('quiet')}>
            {say.quiet}
          </Button>
          {isWhole && (
            <Button data-act="shift" onClick={() => setAsking('shift')}>
              {say.shift}
            </Button>
          )}
        </div>
      )}
      {standing.length === 0 ? (
        <p className="kit-soft schoolday-none">{say.noOverrides}</p>
      ) : (
        <ul className="schoolday-overrides">
          {standing.map((one) => (
            <OverrideItem key={one.id} one={one} mayEnd={may && (isWhole || isQuietOf(one, zones))} />
          ))}
        </ul>
      )}
      <RainDialog isOpen={asking === 'rain'} onClose={close} />
      <QuietDialog isOpen={asking === 'quiet'} onClose={close} />
      <ShiftDialog isOpen={asking === 'shift'} today={today} onClose={close} />
    </Panel>
  );
}

/** Those who see some zones only end what is quiet in these. */
function isQuietOf({ what }: OverrideView, zones: 'all' | readonly string[]): boolean {
  return what.kind === 'quiet' && what.zones.length > 0 && what.zones.every((zone) => zones.includes(zone));
}

function OverrideItem({ one, mayEnd }: { readonly one: OverrideView; readonly mayEnd: boolean }) {
  const say = useWords(words);
  const language = useLanguage();
  const naming = useNaming();
  const formats = useFormats();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [isEnding, setEnding] = useState(false);
  const { what, reach } = useOverrideText()(one);
  const isToCome = one.from > timeNow();
  return (
    <li className="schoolday-override" data-override={one.what.kind} data-id={one.id}>
      <div className="schoolday-override-head">
        <ToneBadge tone={isToCome ? 'plain' : 'wait'}>{what}</ToneBadge>
        <span>{reach}</span>
      </div>
      <p>{say.overrideWhy(one.why, naming.who(one.by))}</p>
      <p className="kit-soft kit-number">
        {isToCome
          ? say.fromUntil(formats.moment(one.from, timeNow()), formats.moment(one.until, timeNow()))
          : say.untilTime(formats.moment(one.until, timeNow()))}
      </p>
      {mayEnd && (
        <Button size="small" data-act="end-override" onClick={() => setEnding(true)}>
          {say.endNow}
        </Button>
      )}
      <ReasonDialog
        open={isEnding}
        title={say.endTitle(what)}
        action={say.endNow}
        sayError={(error) => errorText(error, language)}
        onConfirm={async ({ reason }) => {
          await api.post(`school/overrides/${one.id}/end`, { why: reason });
          await askAnew(queries);
          void message.success(say.ended(what));
        }}
        onClose={() => setEnding(false)}
      >
        <p>{say.endHelp}</p>
      </ReasonDialog>
    </li>
  );
}

function useOverrideText(): (one: OverrideView) => { readonly what: string; readonly reach: string } {
  const say = useWords(words);
  const naming = useNaming();
  const { language } = naming;
  return ({ what, layer }) => {
    const where = layer === 'campus' ? say.wholeCampus : naming.layer(layer);
    switch (what.kind) {
      case 'rainy':
        return { what: say.rainyName, reach: where };
      case 'quiet': {
        const classes = what.classes.map((of) => itemClassText(of, language)).join(language === 'zh' ? '、' : ', ');
        const zones = what.zones.length === 0 ? where : zonesText(what.zones, naming);
        return { what: say.quietName, reach: `${zones} · ${classes === '' ? say.quietAll : classes}` };
      }
      case 'skip':
        return { what: say.skipName, reach: keyText(what.key, naming) };
      case 'shift': {
        const by = spanText(what.seconds, language);
        const name = what.seconds < 0 ? say.earlierName(by) : say.laterName(by);
        return { what: name, reach: `${where} · ${say.afterTime(secondText(what.after))}` };
      }
    }
  };
}
