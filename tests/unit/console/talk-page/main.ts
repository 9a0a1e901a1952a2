import { api, setCsrf } from '../../../../edge/web/console/api.ts';
import { LiveTalk, microphoneProblem, type TalkState } from '../../../../edge/web/console/talk.ts';
import { talkText } from '../../../../edge/web/console/talk-words.ts';

/*
 * Two buttons and nothing else, for tests in a real browser: `#chime=bell&class=page`. What the tests read is `window.talk`: the states, the
 * figures, and when the microphone became loud (ms since epoch, at the end of the frame of 20 ms in which it did).
 */

const wish = new URLSearchParams(location.hash.slice(1));

interface Seen {
  readonly problem: string | null;
  readonly states: TalkState[];
  readonly texts: string[];
  readonly onsets: number[];
  loudest: number;
  figures: object | null;
  dropped: number;
}
const seen: Seen = {
  problem: microphoneProblem(),
  ...{ states: [], texts: [], onsets: [], loudest: 0, figures: null, dropped: 0 },
};
Object.assign(window, { talk: seen });

let talk: LiveTalk | null = null;
let wasQuiet = true;

async function start(): Promise<void> {
  const me = await api.get<{ csrf?: string }>('me');
  setCsrf(me.csrf ?? '');
  talk = new LiveTalk(
    {
      class: wish.get('class') === 'microphone' ? 'microphone' : 'page',
      zones: (wish.get('zones') ?? 'gate').split(','),
      chime: wish.get('chime'),
    },
    {
      state: (state) => {
        seen.states.push(state);
        seen.texts.push(talkText(state, 'zh'));
        document.querySelector('main')?.setAttribute('data-state', state.kind);
      },
      meter: ({ rms }) => {
        seen.loudest = Math.max(seen.loudest, rms);
        if (rms > 0.05 && wasQuiet) {
          wasQuiet = false;
          seen.onsets.push(performance.timeOrigin + performance.now());
        } else if (rms < 0.005) wasQuiet = true;
        seen.dropped = talk?.dropped ?? 0;
      },
      figures: (figures) => {
        seen.figures = figures;
      },
    },
  );
}

document.querySelector('#start')?.addEventListener('click', () => void start());
document.querySelector('#end')?.addEventListener('click', () => talk?.end());
