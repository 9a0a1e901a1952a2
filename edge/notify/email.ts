import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { NotifyChannelOf } from '#edge/runtime/site-notify.ts';
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

type MailConfig = NotifyChannelOf<'email'>;

const usualPorts: Readonly<Record<MailConfig['tls'], number>> = { implicit: 465, starttls: 587, none: 25 };
/** What mail programs show as urgent. */
const urgent = { 'X-Priority': '1 (Highest)', Importance: 'high' };
/** Unless the file says otherwise: mail servers take who sends more for a spammer. */
const usualPerMinute = 30;
/** For the last bytes of a conversation that is over, ms. */
const closeTimeout = 1_000;

export function createEmail(config: MailConfig, { folder, timeout }: EmailOptions): Channel {
  const readFiles = async () => ({
    password: config.passwordFile === undefined ? null : await readSecret(folder, config.passwordFile),
    ca: config.ca === undefined ? null : await readAuthority(folder, config.ca),
  });
  return {
    config,
    pace: [[config.perMinute ?? usualPerMinute, 60_000]],
    width: 2,
    async send(message, to, signal) {
      if (to?.email === undefined) return { kind: 'refused', detail: 'the recipient has no e-mail address' };
      const { password, ca } = await readFiles();
      const signIn = `\0${config.user ?? ''}\0${password ?? ''}`; // as AUTH PLAIN says it, in base64
      const hidden = [to.email, password ?? '', config.user ?? '', signIn];
      const late = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      using line = openLine(config, ca, timeout, late);
      try {
        const auth = config.user === undefined || password === null ? null : { user: config.user, pass: password };
        const response = await deliver(line, auth, config, message, to.email);
        return { kind: 'delivered', detail: redact(response, hidden) };
      } catch (error) {
        return judge(error, hidden, late.aborted);
      }
    },
    async check() {
      await readFiles();
      return null;
    },
  };
}

interface MailLine extends Disposable {
  readonly connection: SMTPConnection;
  /** Rejects when the connection fails, or the time is over: whatever the server does (one byte a second) ends with it. */
  readonly ended: Promise<never>;
}

function openLine({ host, port, tls }: MailConfig, ca: string | null, timeout: number, signal: AbortSignal): MailLine {
  const connection = new SMTPConnection({
    host,
    port: port ?? usualPorts[tls],
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
    socketCloseTimeout: closeTimeout,
    maxResponseSize: 65_536,
    logger: false,
  });
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  connection.on('error', reject);
  connection.on('end', () => reject(new Error('the mail server hung up')));
  const late = (): void => reject(new Error('it took too long'));
  if (signal.aborted) late();
  else signal.addEventListener('abort', late, { once: true });
  return {
    connection,
    ended: promise,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', late);
      connection.close();
    },
  };
}

/** The whole conversation; resolves with the server's last word. */
async function deliver(
  line: MailLine,
  auth: { readonly user: string; readonly pass: string } | null,
  config: MailConfig,
  message: Message,
  address: string,
): Promise<string> {
  const { connection } = line;
  const text = await compose(config, message, address);
  await step(line, (done) => connection.connect(done));
  if (auth !== null) await step(line, (done) => connection.login(auth, (error) => done(error ?? undefined)));
  const envelope = { from: config.from, to: [address] };
  let response = '';
  await step(line, (done) =>
    connection.send(envelope, text, (error, info) => {
      response = info?.response ?? '';
      done(error ?? undefined);
    }),
  );
  connection.quit();
  return response;
}

function step({ ended }: MailLine, run: (done: (error?: Error) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  run((error) => (error === undefined ? resolve() : reject(error)));
  return Promise.race([promise, ended]);
}

function compose({ from }: MailConfig, { id, class: severity, words }: Message, address: string): Promise<Buffer> {
  return new MailComposer({
    from: { name: words.campus, address: from },
    to: { name: '', address },
    subject: words.title,
    text: words.text,
    // The same at each try: servers and readers that look at it show one mail.
    messageId: `<${id}@${from.split('@')[1] ?? 'campus'}>`,
    // RFC 3834: nobody's holiday reply comes back.
    headers: { 'Auto-Submitted': 'auto-generated', ...(severity === 'critical' ? urgent : {}) },
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build();
}

function judge(error: unknown, hidden: readonly string[], isLate: boolean): Outcome {
  const detail = redact(messageOf(error), hidden);
  const status = numberOf(error, 'responseCode');
  const command = textOf(error, 'command');
  if (isLate) return { kind: 'broken', detail: 'the mail server did not come to an end in time' };
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
