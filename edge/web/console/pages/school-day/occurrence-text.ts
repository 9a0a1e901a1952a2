import { pairIn } from '../../kit/words.ts';
import type { OccurrenceView } from './data.ts';
import type { Naming } from './reason-words.ts';
import { words } from './words.ts';

/** What an occurrence does, as people see it: `播放 bell，8 秒`. Its action comes from the API as it is there. */
export function actionText({ do: action, zones }: Pick<OccurrenceView, 'do' | 'zones'>, naming: Naming): string {
  const say = words[naming.language];
  const seconds = typeof action.seconds === 'number' ? action.seconds : 0;
  switch (action.kind) {
    case 'sound':
      return say.playsClip(naming.clip(String(action.clip ?? '')), lengthText(seconds, naming));
    case 'hold': {
      const outputs = Array.isArray(action.outputs) ? action.outputs : [];
      const texts = outputs.map((one: { readonly ref?: unknown; readonly value?: unknown }) =>
        pairIn(naming.language, naming.point(String(one.ref ?? '')), naming.value(String(one.ref ?? ''), one.value)),
      );
      return say.holdsFor(texts.join(naming.language === 'zh' ? '；' : '; '), lengthText(seconds, naming));
    }
    case 'mode': {
      const mode = naming.mode(String(action.mode ?? ''));
      return action.on === true ? say.modeOn(mode, lengthText(seconds, naming)) : say.modeOff(mode);
    }
    default:
      return zones.length > 0 ? say.shownIn(zonesText(zones, naming)) : say.shown;
  }
}

export function lengthText(seconds: number, { language }: Naming): string {
  const say = words[language];
  if (seconds < 60) return say.seconds(String(seconds));
  if (seconds < 3_600) return say.minutes(String(Math.round(seconds / 60)));
  return say.hours(String(Math.round(seconds / 360) / 10));
}

/** Names of zones; many of them as a count. */
export function zonesText(zones: readonly string[], naming: Naming): string {
  const say = words[naming.language];
  if (zones.length === 0) return '';
  const names = zones.slice(0, 4).map(naming.zone);
  const list = names.join(naming.language === 'zh' ? '、' : ', ');
  return zones.length > 4 ? say.andMore(list, String(zones.length)) : list;
}

/** Where it happens, as people see it: zones that hear it, or what is switched. */
export function placeText({ do: action, zones }: Pick<OccurrenceView, 'do' | 'zones'>, naming: Naming): string {
  if (action.kind === 'sound' || action.kind === 'show') return zonesText(zones, naming);
  if (action.kind !== 'hold' || !Array.isArray(action.outputs)) return '';
  const devices = action.outputs.map((one: { readonly ref?: unknown }) =>
    naming.device(String(one.ref).split('/')[0] ?? ''),
  );
  return [...new Set(devices)].join(naming.language === 'zh' ? '、' : ', ');
}

/** How long what it does goes on, ms. */
export function lastsOf({ do: action }: Pick<OccurrenceView, 'do'>): number {
  return typeof action.seconds === 'number' ? action.seconds * 1_000 : 0;
}
