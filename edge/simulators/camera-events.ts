import type { Clock } from '#edge/runtime/clock.ts';
import { element, isoTime, notificationXml, readDuration, xmlText } from './camera-soap.ts';
import type { CameraSubscription, CameraSubscriptions } from './camera-subscriptions.ts';

/** The event service of the simulated camera. */
export interface EventServiceOptions {
  readonly clock: Clock;
  readonly subscriptions: CameraSubscriptions;
  readonly base: () => string;
  readonly cameraTime: () => number;
  readonly referenceParameters: boolean;
  readonly style: () => 'normal' | 'ampersand' | 'missingTimes' | 'offsetTimes' | 'impatient';
  readonly signal: AbortSignal;
}

export interface EventFault {
  readonly subcode: string;
  readonly reason: string;
}

const shared = '/onvif/subscription';
const noSlot: EventFault = { subcode: 'wsnt:SubscribeCreationFailedFault', reason: 'Subscribe creation failed' };
const unknown: EventFault = { subcode: 'wsrf-rw:ResourceUnknownFault', reason: 'Resource unknown' };

function times(options: EventServiceOptions, prefix: string, life: number): string {
  const style = options.style();
  if (style === 'missingTimes') return '';
  const now = options.cameraTime();
  const tag = (name: string, time: number) => {
    const written = style === 'offsetTimes' ? isoTime(time).replace('Z', '+00:00') : isoTime(time);
    return `<${prefix}:${name}>${written}</${prefix}:${name}>`;
  };
  return tag('CurrentTime', now) + tag('TerminationTime', now + life);
}

/** Waits until there is something to tell, the time is over, or the camera goes away. */
function waitFor(subscription: CameraSubscription, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (subscription.queue.length > 0 || signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      subscription.wake = () => {};
      resolve();
    };
    // A second poll on the same pull point ends the first one.
    subscription.wake();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    subscription.wake = done;
  });
}

function create(xml: string, options: EventServiceOptions): string | EventFault {
  const { subscriptions, cameraTime, base, referenceParameters } = options;
  const life = Math.min(readDuration(element(xml, 'InitialTerminationTime') || 'PT60S', cameraTime()), 3_600_000);
  const subscription = subscriptions.create(life);
  if (!subscription) return noSlot;
  const address = referenceParameters ? `${base()}${shared}` : `${base()}${shared}/${subscription.id}`;
  const parameters = referenceParameters
    ? '<wsa5:ReferenceParameters><dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event">' +
      `${subscription.id}</dom0:SubscriptionId></wsa5:ReferenceParameters>`
    : '';
  return (
    `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>${xmlText(address)}</wsa5:Address>` +
    `${parameters}</tev:SubscriptionReference>${times(options, 'wsnt', life)}` +
    '</tev:CreatePullPointSubscriptionResponse>'
  );
}

async function pull(xml: string, subscription: CameraSubscription, options: EventServiceOptions): Promise<string> {
  const { clock, cameraTime, signal, style } = options;
  const wait = Math.min(readDuration(element(xml, 'Timeout'), cameraTime()), 60_000);
  if (style() !== 'impatient') await waitFor(subscription, wait, signal);
  const limit = Number(element(xml, 'MessageLimit')) || 10;
  const messages = subscription.queue.splice(0, limit);
  const life = subscription.until - clock.monotonic();
  const notifications = messages.map((message) => notificationXml(message, style() === 'ampersand')).join('');
  return `<tev:PullMessagesResponse>${times(options, 'tev', life)}${notifications}</tev:PullMessagesResponse>`;
}

/** The body of the answer, or a fault; null for what is no event operation. */
export async function eventAnswer(
  operation: string,
  path: string,
  xml: string,
  options: EventServiceOptions,
): Promise<string | EventFault | null> {
  if (operation === 'CreatePullPointSubscription') return create(xml, options);
  if (!['PullMessages', 'Renew', 'Unsubscribe', 'SetSynchronizationPoint'].includes(operation)) return null;
  const { clock, subscriptions, cameraTime } = options;
  const header = /<(?:[\w-]+:)?Header[^>]*>[\s\S]*<\/(?:[\w-]+:)?Header>/.exec(xml)?.[0] ?? '';
  const id = options.referenceParameters ? element(header, 'SubscriptionId') : (path.split('/').at(-1) ?? '');
  const subscription = subscriptions.find(id);
  if (!subscription) return unknown;
  switch (operation) {
    case 'PullMessages':
      return pull(xml, subscription, options);
    case 'Renew': {
      const life = readDuration(element(xml, 'TerminationTime') || 'PT60S', cameraTime());
      subscription.until = clock.monotonic() + life;
      return `<wsnt:RenewResponse>${times(options, 'wsnt', life)}</wsnt:RenewResponse>`;
    }
    case 'Unsubscribe':
      subscriptions.remove(id);
      return '<wsnt:UnsubscribeResponse/>';
    default:
      subscriptions.synchronise(subscription);
      return '<tev:SetSynchronizationPointResponse/>';
  }
}
