import { createHash, randomBytes } from 'node:crypto';
import { escapeXml } from './soap.ts';

const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
const wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
const profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest';
const base64 = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary';

/**
 * The WS-UsernameToken header: digest = base64(sha1(nonce + created + password)), everything UTF-8.
 * `created` must be the camera's time (ms since epoch): it refuses tokens that are minutes away from its own clock.
 */
export function usernameToken(user: { username: string; password: string }, created: number): string {
  const nonce = randomBytes(16);
  const time = new Date(created).toISOString();
  const digest = createHash('sha1').update(nonce).update(time, 'utf8').update(user.password, 'utf8').digest('base64');
  return (
    `<wsse:Security s:mustUnderstand="1" xmlns:wsse="${wsse}" xmlns:wsu="${wsu}"><wsse:UsernameToken>` +
    `<wsse:Username>${escapeXml(user.username)}</wsse:Username>` +
    `<wsse:Password Type="${profile}">${digest}</wsse:Password>` +
    `<wsse:Nonce EncodingType="${base64}">${nonce.toString('base64')}</wsse:Nonce>` +
    `<wsu:Created>${time}</wsu:Created></wsse:UsernameToken></wsse:Security>`
  );
}
