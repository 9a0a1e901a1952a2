import type { Clock } from '#edge/runtime/clock.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import type { SoundNow } from './broadcast-now.ts';
import type { LiveState } from './live.ts';
import type { CampusView } from './server.ts';

/** What the routes of broadcast share. */
export interface BroadcastParts {
  readonly campus: CampusView;
  readonly live: LiveState;
  readonly clock: Clock;
  readonly now: SoundNow;
  readonly desk: BroadcastDesk;
}
