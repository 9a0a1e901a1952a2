import type { Bus } from '#edge/bus/bus.ts';
import type { Commands } from '#edge/commands/commands.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Ingest } from '#edge/ingest/ingest.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Store } from '#edge/store/store.ts';
import type { Campus } from '../campus.ts';
import type { Inbound } from './inbound.ts';
import type { Watch } from './watch.ts';

export interface HousekeepingOptions {
  readonly campus: Campus;
  readonly ingest: Ingest;
  readonly commands: Commands;
  readonly inbound: Inbound;
  readonly watch: Watch;
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
}

/** A minute's last samples may arrive a little after it. */
const minuteGrace = 5_000;

/** Devices have spoken by then: the city sees a campus that has just started without waiting for a whole minute. */
const previewAfter = 8_000;

/** Everything that time does in core: staleness, expiry, minute summaries, retention, the city's health lane. */
export function startHousekeeping(options: HousekeepingOptions): Disposable {
  const { commands, store, clock, log } = options;
  const stack = new DisposableStack();
  const guard = (what: string, work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => log.error({ error, what }, 'housekeeping failed and is tried again'));
  stack.use(new Ticker(200, () => commands.tick()));
  stack.use(new Ticker(1_000, async () => void (await guard('staleness', lookForSilence(options)))));
  stack.use(new Ticker(2_000, async () => void (await guard('summaries', store.summarise(clock.now() - minuteGrace)))));
  const preview = setTimeout(() => void guard('preview', store.preview(clock.now())), previewAfter);
  stack.defer(() => clearTimeout(preview));
  stack.use(new Ticker(60_000, async () => void (await guard('maintenance', store.maintain(clock.now())))));
  stack.use(new Ticker(60_000, () => reportHealth(options)));
  return stack;
}

async function lookForSilence({ campus, ingest, inbound, watch, clock }: HousekeepingOptions): Promise<void> {
  const stale = ingest.tick(clock.now());
  for (const device of campus.devices) if (device.protocol === 'mqtt') lookAtSensor(device.id, ingest, watch);
  await inbound.takeReadings(stale, watch.tick());
}

/** A sensor is silent when nothing it says can be used any more; one that never spoke is the inbox's business. */
function lookAtSensor(device: DeviceId, ingest: Ingest, watch: Watch): void {
  const slots = [...(ingest.registry.find(device)?.slots.values() ?? [])];
  const isSilent =
    slots.length > 0 &&
    slots.every(({ reading }) => reading.quality === 'bad' && reading.reason === 'no-communication');
  watch.hearSensor(device, isSilent, isSilent ? 'nothing was heard from it for too long' : 'it is heard');
}

function reportHealth({ watch, inbound, clock }: HousekeepingOptions): void {
  const devices = watch.summary();
  if (devices.length > 0) inbound.commitUnasked({ health: [{ time: clock.now(), devices }] });
}
