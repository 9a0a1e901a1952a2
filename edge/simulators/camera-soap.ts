import type { CameraMessage } from './camera-subscriptions.ts';

/** Request reading and answer writing of the simulated camera, by hand. */
const namespaces =
  'xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa5="http://www.w3.org/2005/08/addressing" ' +
  'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" ' +
  'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" ' +
  'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wstop="http://docs.oasis-open.org/wsn/t-1" ' +
  'xmlns:ter="http://www.onvif.org/ver10/error" xmlns:tns1="http://www.onvif.org/ver10/topics" ' +
  'xmlns:tnsaxis="http://www.axis.com/2009/event/topics" xmlns:tnshik="http://www.hikvision.com/2011/event/topics" ' +
  'xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" ' +
  'xmlns:tmd="http://www.onvif.org/ver10/deviceIO/wsdl"';

export function soapEnvelope(body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope ${namespaces}><SOAP-ENV:Header/>` +
    `<SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`
  );
}

export function soapFault(code: 'Sender' | 'Receiver', subcode: string, reason: string): string {
  return soapEnvelope(
    `<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:${code}</SOAP-ENV:Value><SOAP-ENV:Subcode>` +
      `<SOAP-ENV:Value>${subcode}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason>` +
      `<SOAP-ENV:Text xml:lang="en">${xmlText(reason)}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>`,
  );
}

export function xmlText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function plainText(text: string): string {
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&');
}

/** Text of the first element of this local name; '' when it is missing. */
export function element(xml: string, name: string): string {
  const found = new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml);
  return plainText(found?.[1]?.trim() ?? '');
}

/** Local name of the operation in the body; '' when this is no SOAP. */
export function operationOf(xml: string): string {
  return /<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)/.exec(xml)?.[1] ?? '';
}

export function usernameTokenOf(xml: string) {
  const username = element(xml, 'Username');
  if (username === '') return undefined;
  const [digest, nonce, created] = ['Password', 'Nonce', 'Created'].map((name) => element(xml, name));
  return { username, digest: digest ?? '', nonce: nonce ?? '', created: created ?? '' };
}

/** `PT20S`, `PT10M`, `PT1H`, as ms; an absolute time counts from the camera's now. */
export function readDuration(text: string, now: number): number {
  const [, h = '0', m = '0', s = '0'] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(text) ?? [];
  const relative = (Number(h) * 3600 + Number(m) * 60 + Number(s)) * 1000;
  if (relative > 0) return relative;
  const absolute = Date.parse(text) - now;
  return Number.isNaN(absolute) ? 60_000 : Math.max(0, absolute);
}

export const isoTime = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');

function simpleItems(items: Readonly<Record<string, string>>, raw: boolean): string {
  const write = raw ? (text: string) => text : xmlText;
  return Object.entries(items)
    .map(([name, value]) => `<tt:SimpleItem Name="${write(name)}" Value="${write(value)}"/>`)
    .join('');
}

/** @param raw leaves ampersands as some firmwares do. */
export function notificationXml(message: CameraMessage, raw: boolean): string {
  const operation = message.operation === undefined ? '' : ` PropertyOperation="${message.operation}"`;
  return (
    '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">' +
    `${xmlText(message.topic)}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="${isoTime(message.time)}"${operation}>` +
    `<tt:Source>${simpleItems(message.source, raw)}</tt:Source><tt:Data>${simpleItems(message.data, raw)}</tt:Data>` +
    '</tt:Message></wsnt:Message></wsnt:NotificationMessage>'
  );
}
