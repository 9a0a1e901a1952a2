import type { ServerResponse } from 'node:http';
import { soapEnvelope, soapFault } from './camera-soap.ts';

/** What can be wrong with a camera. All but `none` last until `none`. */
export type CameraFault =
  | 'none'
  | 'reboot' // the port is closed, subscriptions and nonces are forgotten
  | 'rst' // every connection is reset
  | 'hang' // accepts, reads, never answers
  | 'html'
  | 'http503'
  | 'brokenXml'
  | 'truncated' // hangs up in the middle of the body
  | 'empty'
  | 'entities' // a document type with an entity bomb
  | 'huge' // a body without end
  | 'subscriptionsFull'
  | 'createFault'
  | 'pullFault' // subscribes, but every pull is refused
  | 'pullClose' // closes every pull after 150 ms
  | 'renewFault' // Renew is not supported
  | 'forgetful' // forgets a subscription as soon as it is used
  | 'wrongClock' // 200 days behind
  | 'ampersand'
  | 'missingTimes'
  | 'offsetTimes'
  | 'impatient' // answers pulls at once, empty
  | 'pictureHtml'
  | 'pictureCut'
  | 'pictureHuge'
  | 'pictureSlow';

const html = '<!DOCTYPE html><html><head><title>WEB SERVICE</title></head><body>Starting, please wait</body></html>';

/** With a length, spelled like this: libonvif, for one, finds it by its capitals and cannot read a chunked answer. */
export function sendXml(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string[]>,
): void {
  const type = 'application/soap+xml; charset=utf-8';
  response.writeHead(status, { ...headers, 'content-type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

export function sendFault(response: ServerResponse, subcode: string, reason: string): true {
  sendXml(response, subcode === 'ter:Action' ? 500 : 400, soapFault('Receiver', subcode, reason), {});
  return true;
}

/** Lets the fault answer; false when the request is to be served after all. */
export function answerBroken(fault: CameraFault, operation: string, response: ServerResponse): boolean {
  const xml = { 'content-type': 'application/soap+xml; charset=utf-8' };
  const write = (status: number, type: string, body: string) => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
    return true;
  };
  if (operation === 'snapshot') {
    if (fault === 'pictureHtml') return write(200, 'text/html', html);
    if (fault === 'pictureSlow' || fault === 'hang') return true;
  }
  switch (fault) {
    case 'hang':
      return true;
    case 'html':
      return write(200, 'text/html', html);
    case 'http503':
      return write(503, 'text/plain', 'Service Unavailable');
    case 'empty':
      return write(200, 'application/soap+xml', '');
    case 'brokenXml':
      return write(200, 'application/soap+xml', soapEnvelope('<tds:Answer><tds:Half></tds:Answer>'));
    case 'entities':
      return write(200, 'application/soap+xml', `<!DOCTYPE lolz [<!ENTITY lol "lol">]>${soapEnvelope('<a>&lol;</a>')}`);
    case 'truncated': {
      const body = soapEnvelope('<tds:Answer/>');
      response.writeHead(200, { ...xml, 'content-length': body.length });
      response.write(body.slice(0, body.length / 2), () => response.destroy());
      return true;
    }
    case 'huge': {
      response.writeHead(200, xml);
      const more = () => !response.destroyed && response.write('<!-- -->'.repeat(8192), more);
      more();
      return true;
    }
    case 'subscriptionsFull':
      if (operation !== 'CreatePullPointSubscription') return false;
      return sendFault(response, 'wsnt:SubscribeCreationFailedFault', 'Subscribe creation failed');
    case 'createFault':
      if (operation !== 'CreatePullPointSubscription') return false;
      return sendFault(response, 'ter:Action', 'Internal error 0x41');
    case 'pullFault':
      if (operation !== 'PullMessages') return false;
      return sendFault(response, 'ter:Action', 'Internal error 0x42');
    case 'renewFault':
      if (operation !== 'Renew') return false;
      return sendFault(response, 'ter:ActionNotSupported', 'Optional Action Not Implemented');
    case 'pullClose':
      if (operation !== 'PullMessages') return false;
      setTimeout(() => response.destroy(), 150);
      return true;
    default:
      return false;
  }
}
