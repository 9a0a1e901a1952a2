import { z } from 'zod';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Placeholder } from '#edge/runtime/notify-template.ts';
import type { NotifyChannelOf, NotifyRecipient, NotifyTemplate } from '#edge/runtime/site-notify.ts';
import type { Channel, Message, Outcome } from './channel.ts';
import { type Answer, type Call, callHttp, judgeStatus } from './http-call.ts';
import { partsOfHeader, readAuthority, readSecret, redact } from './secrets.ts';
import { cutBytes, cutUnits } from './words.ts';

/* Webhooks and SMS gateways: an HTTP call as the site file describes it. Nothing in the description is a program. */

export type GatewayConfig = NotifyChannelOf<'webhook'> | NotifyChannelOf<'sms'>;

export interface GatewayOptions {
  /** Of the site file. */
  readonly folder: string;
  /** Of one call, ms. */
  readonly timeout: number;
}

/** Unless the file says otherwise: a gateway that counts money should not be drained by a mistake. */
const usualPerMinute = 60;

type Filling = Readonly<Partial<Record<Placeholder, string>>>;

const headerFile = z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), z.string().max(4_000));

export function createGateway(config: GatewayConfig, { folder, timeout }: GatewayOptions): Channel {
  const readFiles = async () => ({
    headers: config.headersFile === undefined ? {} : await readHeaders(folder, config.headersFile),
    secret: config.secretFile === undefined ? null : await readSecret(folder, config.secretFile),
    ca: config.ca === undefined ? null : await readAuthority(folder, config.ca),
  });
  return {
    config,
    pace: [[config.perMinute ?? usualPerMinute, 60_000]],
    width: 2,
    async send(message, to, signal) {
      const { headers, secret, ca } = await readFiles();
      const filling = fillingOf(config, message, to, secret);
      const call = { ...callOf(config, filling, headers, message.id), ca, timeout };
      const hidden = [
        ...Object.values(headers).flatMap(partsOfHeader),
        ...(secret === null ? [] : [secret]),
        to?.phone ?? '',
        to?.email ?? '',
      ];
      return judge(config, await callHttp(call, signal), hidden);
    },
    async check() {
      await readFiles();
      return null;
    },
  };
}

async function readHeaders(folder: string, file: string): Promise<Record<string, string>> {
  const text = await readSecret(folder, file);
  try {
    return headerFile.parse(JSON.parse(text));
  } catch {
    // What JSON.parse says quotes the text.
    throw new CodedError(
      'NOTIFY_SECRET',
      `${file} must be a JSON object of headers, e.g. {"authorization": "Bearer ..."}`,
    );
  }
}

function fillingOf(
  config: GatewayConfig,
  { id, class: severity, words }: Message,
  to: NotifyRecipient | null,
  secret: string | null,
): Filling {
  const { title, text, time, campus, link } = words;
  const said = config.kind === 'sms' ? cutUnits(text, config.longest) : cutBytes(text, 8_000);
  const common = { id, class: severity, title, text: said, time, campus, link };
  return { ...common, ...(to?.phone === undefined ? {} : { phone: to.phone }), ...(secret === null ? {} : { secret }) };
}

function callOf(
  config: GatewayConfig,
  filling: Filling,
  secretHeaders: Readonly<Record<string, string>>,
  id: string,
): Omit<Call, 'ca' | 'timeout'> {
  const { method, format } = config;
  const url = new URL(fill(config.url, filling, encodeURIComponent));
  const type =
    format === 'json' ? 'application/json; charset=utf-8' : 'application/x-www-form-urlencoded; charset=utf-8';
  const own = Object.entries(config.headers).map(([key, value]) => [
    key.toLowerCase(),
    headerText(fill(value, filling)),
  ]);
  const headers: Record<string, string> = {
    // The same at each try: a gateway that knows it sends once (draft-ietf-httpapi-idempotency-key-header).
    'idempotency-key': id,
    ...(method === 'GET' ? {} : { 'content-type': type }),
    ...Object.fromEntries(own),
    ...Object.fromEntries(Object.entries(secretHeaders).map(([key, value]) => [key.toLowerCase(), headerText(value)])),
  };
  return { url, method, headers, body: method === 'GET' ? null : bodyOf(config.body, format, filling) };
}

function bodyOf(template: NotifyTemplate, format: GatewayConfig['format'], filling: Filling): string {
  const filled = fillTree(template, filling);
  if (format === 'json') return JSON.stringify(filled);
  const pairs = typeof filled === 'object' && filled !== null ? Object.entries(filled) : [];
  const form = new URLSearchParams();
  for (const [key, value] of pairs) form.append(key, value === null ? '' : String(value));
  return form.toString();
}

/** Filled in after the template was parsed: no text can get out of its string. */
function fillTree(template: NotifyTemplate, filling: Filling): NotifyTemplate {
  if (typeof template === 'string') return fill(template, filling);
  if (typeof template !== 'object' || template === null) return template;
  if (isList(template)) return template.map((inner) => fillTree(inner, filling));
  return Object.fromEntries(Object.entries(template).map(([key, inner]) => [key, fillTree(inner, filling)]));
}

function isList(template: object): template is readonly NotifyTemplate[] {
  return Array.isArray(template);
}

/** In one pass: what is filled in is not looked at again. Unknown names stay as they are (the site file's check names them). */
function fill(template: string, filling: Filling, encode: (text: string) => string = (text) => text): string {
  const known = new Map(Object.entries(filling));
  return template.replace(/\{([a-z]+)\}/g, (whole, name: string) => {
    const value = known.get(name);
    return value === undefined ? whole : encode(value);
  });
}

/** A header is Latin-1 on one line; Chinese in it is percent-encoded. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, encodeURIComponent);
}

function judge({ success }: GatewayConfig, answer: Answer, hidden: readonly string[]): Outcome {
  const said = redact(answer.text, hidden);
  const wrong = judgeStatus(answer, said);
  if (wrong !== null) return wrong;
  const detail = `HTTP ${answer.status}`;
  if (success.status !== undefined && !success.status.includes(answer.status)) {
    return { kind: 'broken', detail: `${detail}, but ${success.status.join(' or ')} would be right` };
  }
  if (success.path === undefined) return { kind: 'delivered', detail };
  const found = lookUp(answer, success.path);
  if (found.problem !== null) return { kind: 'broken', detail: `${detail}, but ${found.problem}: ${said}` };
  const wanted = [success.is].flat();
  if (wanted.some((one) => one === found.value))
    return { kind: 'delivered', detail: `${detail}, ${success.path} is as it should be` };
  return { kind: 'broken', detail: `${detail}, but ${success.path} is not ${wanted.join(' or ')}: ${said}` };
}

function lookUp({ text, isCut }: Answer, path: string): { readonly value: unknown; readonly problem: string | null } {
  if (isCut) return { value: undefined, problem: 'its answer has no end' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { value: undefined, problem: `its answer is not JSON (${messageOf(error).slice(0, 40)})` };
  }
  for (const key of path.split('.')) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? Object.entries(value).find(([name]) => name === key)?.[1]
        : undefined;
  }
  return { value, problem: null };
}
