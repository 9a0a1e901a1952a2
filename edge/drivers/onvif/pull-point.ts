import { randomUUID } from 'node:crypto';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Caller } from './caller.ts';
import { pathOf } from './library.ts';
import type { SoapFault, SoapReply, Xml } from './soap.ts';
import { addressingHeader, child, children, escapeXml, referenceParameters, text } from './soap.ts';
import { Trouble } from './trouble.ts';

const eventsNs = 'http://www.onvif.org/ver10/events/wsdl';
const notifyNs = 'http://docs.oasis-open.org/wsn/b-2';
const notifyActions = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager';
/** Life we believe in when the camera tells none, or one in the past (Home Assistant keeps the same floor). */
const assumedLife = 60_000;
const messageLimit = 100;

/** One subscription at one camera; `life` is how long it lasts from `since` (monotonic), ms. */
export interface PullPoint {
  /** As the camera named it: echoed in WS-Addressing, never dialled. */
  readonly address: string;
  readonly path: string;
  readonly reference: string;
  since: number;
  life: number;
  renews: boolean;
}

interface Timing {
  readonly timeout: number;
  readonly signal: AbortSignal;
}

function faultOf(error: unknown): SoapFault | null {
  if (!(error instanceof Trouble) || error.kind !== 'fault') return null;
  const { cause } = error;
  if (typeof cause !== 'object' || cause === null || !('subcode' in cause) || !('reason' in cause)) return null;
  return { subcode: String(cause.subcode), reason: String(cause.reason) };
}

const full =
  /subscri\w* (creation )?failed|creation ?failed|too many|maximum|max\w* (number|reached|sub)|limit|UnableToCreate|no (free|more)|full/i;
const gone =
  /ResourceUnknown|InvalidSubscription|UnknownSubscription|resource unknown|no such|not (found|exist)|(unknown|invalid|expired)\b.*subscri|subscri.*(unknown|invalid|expired|terminated|exist)|create pull-?point subscription first/i;
const unsupported = /ActionNotSupported|NotSupported|not (supported|implemented)|optional action/i;

function says(error: unknown, pattern: RegExp): boolean {
  const fault = faultOf(error);
  return fault !== null && (pattern.test(fault.subcode) || pattern.test(fault.reason));
}

/** ISO time with `Z`, an offset, a fraction or no zone at all (then UTC); NaN when it is none. */
export function parseIsoTime(value: string): number {
  const [, date, time, zone] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:?\d\d)?$/.exec(value) ?? [];
  if (date === undefined) return Number.NaN;
  return Date.parse(`${date}T${time?.slice(0, 12)}${zone ?? 'Z'}`);
}

function lifeOf(node: Xml, asked: number): number {
  const life = parseIsoTime(text(node, 'TerminationTime')) - parseIsoTime(text(node, 'CurrentTime'));
  if (Number.isNaN(life) || life <= 0) return Math.min(assumedLife, asked);
  return Math.min(life, asked);
}

/** Whole seconds where it can be: few cameras read fractions. */
const seconds = (ms: number) => `PT${ms >= 1000 ? Math.round(ms / 1000) : ms / 1000}S`;

/** The five event operations, as our own SOAP: npm onvif has no sync point, no reference parameters, and fixed times. */
export class PullPoints {
  readonly #caller: Caller;
  readonly #clock: Clock;

  constructor(caller: Caller, clock: Clock) {
    this.#caller = caller;
    this.#clock = clock;
  }

  /** @param life asked for, ms. @throws Trouble `full` when the camera has no slot left. */
  async create(path: string, life: number, timing: Timing): Promise<PullPoint> {
    const since = this.#clock.monotonic();
    const body = `<CreatePullPointSubscription xmlns="${eventsNs}"><InitialTerminationTime>${seconds(life)}</InitialTerminationTime></CreatePullPointSubscription>`;
    const action = `${eventsNs}/EventPortType/CreatePullPointSubscriptionRequest`;
    const what = 'CreatePullPointSubscription';
    try {
      const header = addressingHeader(action, `http://${this.#caller.where}${path}`, randomUUID());
      const reply = await this.#caller.call({ what, path, body, action, header, ...timing });
      const answer = this.#answer(reply, `${what}Response`);
      const address = text(answer, 'SubscriptionReference', 'Address').slice(0, 1024);
      const point = { address: address || path, path: pathOf(address || path, path) };
      return { ...point, reference: referenceParameters(reply.raw), since, life: lifeOf(answer, life), renews: true };
    } catch (error) {
      if (!says(error, full)) throw error;
      const why = faultOf(error)?.reason ?? '';
      throw new Trouble('full', `camera ${this.#caller.where} has no free event subscription (${why})`, {
        cause: error,
      });
    }
  }

  /** Waits at the camera for at most `wait` ms. @throws Trouble `gone` when the camera has forgotten the subscription. */
  async pull(point: PullPoint, wait: number, timing: Timing): Promise<readonly Xml[]> {
    const body = `<PullMessages xmlns="${eventsNs}"><Timeout>${seconds(wait)}</Timeout><MessageLimit>${messageLimit}</MessageLimit></PullMessages>`;
    const action = `${eventsNs}/PullPointSubscription/PullMessagesRequest`;
    const reply = await this.#subscribed(point, { what: 'PullMessages', body, action, ...timing });
    return children(this.#answer(reply, 'PullMessagesResponse'), 'NotificationMessage');
  }

  /** Extends the life; a camera that cannot is left to extend it by the pulls, and loses it otherwise. */
  async renew(point: PullPoint, life: number, timing: Timing): Promise<void> {
    const body = `<Renew xmlns="${notifyNs}"><TerminationTime>${seconds(life)}</TerminationTime></Renew>`;
    const started = this.#clock.monotonic();
    try {
      const reply = await this.#subscribed(point, {
        what: 'Renew',
        body,
        action: `${notifyActions}/RenewRequest`,
        ...timing,
      });
      point.life = lifeOf(this.#answer(reply, 'RenewResponse'), life);
      point.since = started;
    } catch (error) {
      if (!says(error, unsupported)) throw error;
      point.renews = false;
    }
  }

  /** Asks for the state of every property; cameras that cannot are none the worse for it. */
  async synchronise(point: PullPoint, timing: Timing): Promise<void> {
    const body = `<SetSynchronizationPoint xmlns="${eventsNs}"/>`;
    const action = `${eventsNs}/PullPointSubscription/SetSynchronizationPointRequest`;
    try {
      await this.#subscribed(point, { what: 'SetSynchronizationPoint', body, action, ...timing });
    } catch (error) {
      if (faultOf(error) === null || says(error, gone)) throw error;
    }
  }

  async unsubscribe(point: PullPoint, timing: Timing): Promise<void> {
    const body = `<Unsubscribe xmlns="${notifyNs}"/>`;
    await this.#subscribed(point, {
      what: 'Unsubscribe',
      body,
      action: `${notifyActions}/UnsubscribeRequest`,
      ...timing,
    });
  }

  async #subscribed(
    point: PullPoint,
    call: { what: string; body: string; action: string } & Timing,
  ): Promise<SoapReply> {
    const header = addressingHeader(call.action, point.address, randomUUID()) + point.reference;
    try {
      return await this.#caller.call({ ...call, path: point.path, header });
    } catch (error) {
      if (!says(error, gone)) throw error;
      const why = `camera ${this.#caller.where} has forgotten our event subscription`;
      throw new Trouble('gone', why, { cause: error });
    }
  }

  #answer(reply: SoapReply, name: string): Xml {
    const answer = child(reply.body, name);
    if (answer !== undefined) return answer;
    throw new Trouble('broken-xml', `camera ${this.#caller.where} answers without ${escapeXml(name)}`);
  }
}
