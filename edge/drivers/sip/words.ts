/* What a far end said, in words for the person who reads the alarm. */

const known: Readonly<Record<number, string>> = {
  300: 'names several other addresses instead of answering',
  301: 'has moved to another address',
  302: 'sends the call elsewhere',
  305: 'wants another proxy',
  400: 'did not understand the call',
  401: 'wants a user name and password',
  403: 'forbids the call',
  404: 'does not know this number or name',
  405: 'takes no calls',
  406: 'cannot answer in a way that is asked for',
  407: 'wants a user name and password',
  408: 'was not reached in time by the exchange',
  410: 'is gone for good',
  415: 'does not understand the description of the sound',
  416: 'does not understand the address',
  420: 'wants an extension of SIP that is not spoken here',
  423: 'wants registrations to last longer',
  480: 'is away: not registered, or do not disturb',
  481: 'does not know this call any more',
  482: 'is reached in a circle: look at the routing of the exchange',
  483: 'is too many stations away: look at the routing of the exchange',
  484: 'has a longer number',
  485: 'is not the only one of this name',
  486: 'is busy',
  487: 'ended the call before it was answered',
  488: 'has no codec in common, or refuses the sound offered',
  491: 'is just changing the call itself',
  500: 'has a fault',
  501: 'does not know how to do that',
  502: 'is behind an exchange whose own line fails',
  503: 'is overloaded or under maintenance',
  504: 'is behind an exchange that got no answer in time',
  505: 'speaks another version of SIP',
  513: 'finds the message too long',
  600: 'is busy everywhere',
  603: 'declines the call',
  604: 'exists nowhere',
  606: 'refuses the sound offered',
};

/** `is busy (486 Busy Here)`. */
export function statusWords(status: number, reason = ''): string {
  const group =
    status < 400
      ? 'sends the call elsewhere'
      : status < 500
        ? 'refuses the call'
        : status < 600
          ? 'has a fault'
          : 'declines';
  const said = readable(reason);
  return `${known[status] ?? group} (${status}${said === '' ? '' : ` ${said}`})`;
}

/** A stranger's text: UTF-8 on the wire, no control characters, short. */
export function readable(text: string): string {
  const whole = Buffer.from(text, 'latin1').toString('utf8');
  return whole
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .trim()
    .slice(0, 48);
}
