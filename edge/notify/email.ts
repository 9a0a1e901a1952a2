import { Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { NotifyChannelOf, NotifyRecipient } from '#edge/runtime/site-notify.ts';
import type { Channel, Message, Outcome } from './channel.ts';
import { readAuthority, readSecret, redact } from './secrets.ts';

/*
 * E-mail over SMTP, one connection a message. Encrypted or on this machine: STARTTLS is demanded, never hoped for, so that nobody
 * on the way can take it out of the greeting.
 */

export interface EmailOptions {
  /** Of the site file. */
  readonly folder: string;
  /** For one message, from the connection to the last answer, ms. */
  readonly timeout: number;
}

export function createEmail(config: NotifyChannelOf<'email'>, { folder, timeout }: EmailOptions): Channel {
  const readFiles = async () => ({
    password: config.passwordFile === undefined ? null : await readSecret(folder, config.passwordFile),
    ca: config.ca === undefined ? null : await readAuthority(folder, config.ca),
  });
  return {
    config,
    pace: [[30, 60_000]],
    width: 2,
    async send(message, to, signal) {
      if (to?.email === undefined) return { kind: 'refused', detail: 'the recipient has no e-mail address' };
      const { password, ca } = await readFiles();
      const hidden = [to.email, password ?? '', config.user ?? ''];
      // Ours, so that whatever the server does (one byte a second) ends with it.
      using socket = disposableSocket();
      const late = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      late.addEventListener('abort', () => socket.raw.destroy(new Error(`no end after ${timeout / 1_000} s`)), {
        once: true,
      });
      try {
        const sent = transport(config, { socket: socket.raw, password, ca, timeout }).sendMail(
          mailOf(config, message, to),
        );
        const { response } = await within(timeout + 1_000, 'sending the mail', sent);
        return { kind: 'delivered', detail: redact(response, hidden) };
      } catch (error) {
        return judge(error, hidden, late.aborted && !signal.aborted);
      }
    },
    async check() {
      await readFiles();
      return null;
    },
  };
}

function disposableSocket(): Disposable & { readonly raw: Socket } {
  const raw = new Socket();
  // Destroyed before anybody listens, it has nobody to tell.
  raw.on('error', () => {});
  return { raw, [Symbol.dispose]: () => raw.destroy() };
}

interface Line {
  readonly socket: Socket;
  readonly password: string | null;
  readonly ca: string | null;
  readonly timeout: number;
}

function transport({ host, port, tls, user }: NotifyChannelOf<'email'>, { socket, password, ca, timeout }: Line) {
  return createTransport({
    host,
    port: port ?? (tls === 'implicit' ? 465 : tls === 'starttls' ? 587 : 25),
    socket,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) },
    // The name of this machine is nobody's business.
    name: 'campus-edge',
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    maxResponseSize: 65_536,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
    ...(user === undefined || password === null ? {} : { auth: { user, pass: password } }),
  });
}

function mailOf(
  { from }: NotifyChannelOf<'email'>,
  { id, class: severity, words }: Message,
  { email }: NotifyRecipient,
) {
  return {
    from: { name: words.campus, address: from },
    to: { name: '', address: email ?? '' },
    subject: words.title,
    text: words.text,
    // The same at each try: servers and readers that look at it show one mail.
    messageId: `<${id}@${from.split('@')[1] ?? 'campus'}>`,
    // RFC 3834: nobody's holiday reply comes back.
    headers: { 'Auto-Submitted': 'auto-generated' },
    priority: severity === 'critical' ? ('high' as const) : ('normal' as const),
  };
}

function judge(error: unknown, hidden: readonly string[], isLate: boolean): Outcome {
  const detail = redact(messageOf(error), hidden);
  const status = numberOf(error, 'responseCode');
  const command = textOf(error, 'command');
  if (isLate) return { kind: 'broken', detail: `the mail server did not come to an end in time: ${detail}` };
  if (codeOf(error) === 'EAUTH' || status === null || status === 421) return { kind: 'broken', detail };
  // What is said of our own name or sender address meets the next message too.
  if (!/^(RCPT|DATA|BDAT)/.test(command)) return { kind: 'broken', detail };
  return { kind: status >= 500 ? 'refused' : 'later', detail };
}

function numberOf(error: unknown, key: string): number | null {
  const found = fieldOf(error, key);
  return typeof found === 'number' ? found : null;
}

function textOf(error: unknown, key: string): string {
  const found = fieldOf(error, key);
  return typeof found === 'string' ? found : '';
}

function fieldOf(error: unknown, key: string): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  return Object.entries(error).find(([name]) => name === key)?.[1];
}
