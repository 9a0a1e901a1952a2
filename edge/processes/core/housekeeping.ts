import type { Bus } from '#edge/bus/bus.ts';
import type { Commands } from '#edge/commands/commands.ts';
import type { Ingest } from '#edge/ingest/ingest.ts';
import type { Age } from '#edge/media/retention-age.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Store } from '#edge/store/store.ts';
import type { Campus } from '../campus.ts';
import type { Inbound } from './inbound.ts';
import type { Judgement } from './judgement.ts';
import { createListener } from './sensors.ts';
import type { Watch } from './watch.ts';

export interface HousekeepingOptions {
  readonly campus: Campus;
  readonly ingest: Ingest;
  readonly commands: Commands;
  readonly inbound: Inbound;
  readonly judgement: Judgement;
  readonly watch: Watch;
  readonly store: Pick<Store, 'preview' | 'summarise' | 'maintain'>;
  readonly bus: Bus;
  /** What ages are reckoned against. */
  readonly age: Age;
  readonly clock: Clock;
  readonly log: Log;
}

/** A minute's last samples may arrive a little after it. */
const minuteGrace = 5_000;

/** Devices have spoken by then: the city sees a campus that has just started without waiting for a whole minute. */
const previewAfter = 8_000;

/**
 * Everything that time does in core: staleness, expiry, minute summaries, retention, the city's health lane. What finds
 * silence waits for no disk.
 */
export function startHousekeeping(options: HousekeepingOptions): Disposable {
  const { commands, store, clock, log, inbound, judgement, ingest, watch, age } = options;
  const stack = new DisposableStack();
  const guard = (what: string, work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => log.error({ error, what }, 'housekeeping failed and is tried again'));
  const listen = createListener(options);
  const lookForSilence = () => {
    listen();
    inbound.takeReadingsUnasked(ingest.tick(clock.now()), watch.tick());
  };
  stack.use(new Ticker(200, () => commands.tick()));
  stack.use(new Ticker(1_000, lookForSilence));
  stack.use(new Ticker(1_000, () => inbound.tick()));
  stack.use(new Ticker(1_000, () => inbound.commitUnasked(judgement.passTime() ?? {})));
  stack.use(new Ticker(2_000, async () => void (await guard('summaries', store.summarise(clock.now() - minuteGrace)))));
  const preview = setTimeout(() => void guard('preview', store.preview(clock.now())), previewAfter);
  stack.defer(() => clearTimeout(preview));
  // By a clock that was put forward everything would be too old.
  stack.use(
    new Ticker(
      60_000,
      async () =>
        void (await guard(
          'maintenance',
          age().then((now) => store.maintain(now)),
        )),
    ),
  );
  stack.use(new Ticker(60_000, () => reportHealth(options)));
  return stack;
}

function reportHealth({ watch, inbound, clock }: HousekeepingOptions): void {
  const devices = watch.summary();
  if (devices.length > 0) inbound.commitUnasked({ health: [{ time: clock.now(), devices }] });
}
