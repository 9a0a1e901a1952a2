import type { SpeakOnce } from './broadcast-routes.ts';
import type { ClipDesk } from './clip-desk.ts';

/** Makes a clip of a text for one announcement; answers its id, which core knows by then. */
export function speakOnceBy(desk: Pick<ClipDesk, 'speakOnce'>): SpeakOnce {
  return (text, voice, request) => desk.speakOnce(text, voice, request);
}
