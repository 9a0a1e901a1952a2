import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from './clock.ts';
import { writeDurably } from './durable-file.ts';
import { type CodedError, codeOf, messageOf } from './errors.ts';
import { Ticker } from './lifecycle.ts';
import type { Log } from './log.ts';
import { type Authority, backdate, day, loadAuthority, type Pair, pairText, splitPair } from './pki-authority.ts';
import { newKeyPair, privateKeyPem, writeCertificate } from './pki-der.ts';
import { pkiPaths, readIfThere, withLock } from './pki-files.ts';
import { wantedNames } from './pki-names.ts';
import { loadOwnCertificate, type OwnFiles, versionOfOwn } from './pki-own.ts';

/*
 * What the servers of this campus show. The campus has an authority of its own, whose certificate people and devices
 * may install; a site may bring a certificate for its pages. Both are watched, and taken over without a restart.
 */

/** A certificate as people are told of it. */
export interface CertificateInfo {
  readonly subject: string;
  /** SHA-256, `AA:BB:...`. */
  readonly fingerprint: string;
  /** ms since epoch. */
  readonly expires: number;
  /** Made here: nobody outside knows its authority. */
  readonly selfSigned: boolean;
}

export interface ShownCertificate extends Pair, CertificateInfo {}

/** Without the key. */
export function certificateInfo({ subject, fingerprint, expires, selfSigned }: ShownCertificate): CertificateInfo {
  return { subject, fingerprint, expires, selfSigned };
}

export interface Pki extends Disposable {
  /** The authority's certificate, PEM. */
  readonly authority: string;
  /** Signed by the campus's authority: what devices are shown, because they trust what we gave them. */
  readonly server: ShownCertificate;
  /** What pages are served with: the site's own certificate while it is good, `server` otherwise. */
  readonly pages: ShownCertificate;
  /** Told after `server` or `pages` became another one. */
  onChange(listener: () => void): Disposable;
  /** Looks now instead of at the next tick. */
  look(): Promise<void>;
}

export interface PkiOptions {
  readonly data: string;
  /** Names and addresses beyond those of this machine; wildcard addresses are left out. */
  readonly names: readonly string[];
  readonly own: OwnFiles | null;
  readonly clock: Clock;
  readonly log: Log;
  /** How often files, names and dates are looked at, ms. */
  readonly lookEvery?: number;
}

/** Apple's platforms take nothing longer, for a server (HT210176: 398 days). */
const serverLifetime = 397 * day;
export const renewBefore = 30 * day;
const mostNames = 100;

/** Opens `<data>/pki`, making what is missing. Throws PKI_BROKEN, or what the disk says. */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const pki = new WatchedPki(options, await loadAuthority(options.data, options.clock));
  await pki.begin();
  return pki;
}

class WatchedPki implements Pki {
  readonly authority: string;
  readonly #options: PkiOptions;
  readonly #authority: Authority;
  readonly #listeners = new Set<() => void>();
  #ticker: Ticker | null = null;
  #server: ShownCertificate | null = null;
  #own: ShownCertificate | null = null;
  #ownVersion = '';
  #fault = '';
  #ownFault = '';

  constructor(options: PkiOptions, authority: Authority) {
    this.#options = options;
    this.#authority = authority;
    this.authority = authority.pem;
  }

  get server(): ShownCertificate {
    if (this.#server === null) throw new Error('used before it was opened');
    return this.#server;
  }

  get pages(): ShownCertificate {
    return this.#own ?? this.server;
  }

  async begin(): Promise<void> {
    this.#server = await currentServer(this.#options, this.#authority);
    await this.#lookAtOwn();
    this.#ticker = new Ticker(this.#options.lookEvery ?? 30_000, () => this.look());
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async look(): Promise<void> {
    const before = [this.server.fingerprint, this.pages.fingerprint].join();
    await this.#lookAtServer();
    await this.#lookAtOwn();
    if (before === [this.server.fingerprint, this.pages.fingerprint].join()) return;
    const { fingerprint, expires } = this.pages;
    this.#options.log.info({ fingerprint, expires }, 'another certificate is shown from now on');
    for (const listener of this.#listeners) listener();
  }

  /** A full disk must not take away what is good: the old one is shown until a new one can be kept. */
  async #lookAtServer(): Promise<void> {
    try {
      this.#server = await currentServer(this.#options, this.#authority);
      this.#fault = '';
    } catch (error) {
      if (this.#fault !== messageOf(error))
        this.#options.log.error({ error }, 'the server certificate cannot be renewed');
      this.#fault = messageOf(error);
    }
  }

  async #lookAtOwn(): Promise<void> {
    const { own, clock, log } = this.#options;
    if (own === null) return;
    const version = await versionOfOwn(own);
    const isLapsed = this.#own !== null && this.#own.expires <= clock.now();
    // A pair that was bad is tried again each time: its dates may be good by now.
    if (version === this.#ownVersion && !isLapsed && this.#ownFault === '') return;
    try {
      const pair = await loadOwnCertificate(own, clock.now());
      this.#own = shown(pair, false);
      if (this.#ownFault !== '') log.info({ subject: this.#own.subject }, "the site's own certificate is good again");
      this.#ownFault = '';
    } catch (error) {
      if (codeOf(error) === '') throw error;
      this.#ownFailed(error as CodedError, isLapsed);
    }
    this.#ownVersion = version;
  }

  /** The pages stay reachable: with the last good pair, or with the campus's own certificate. */
  #ownFailed(error: CodedError, isLapsed: boolean): void {
    if (isLapsed) this.#own = null;
    if (this.#ownFault === error.message) return;
    this.#ownFault = error.message;
    const instead = this.#own === null ? "the campus's own" : 'the one before';
    this.#options.log.error({ problem: error.message, instead }, "the site's own certificate is not used");
  }

  [Symbol.dispose](): void {
    this.#ticker?.[Symbol.dispose]();
    this.#listeners.clear();
  }
}

function shown(pair: Pair, selfSigned: boolean): ShownCertificate {
  const { subject, fingerprint256: fingerprint, validToDate } = new X509Certificate(pair.cert);
  const name = /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
  return { ...pair, subject: name, fingerprint, expires: validToDate.getTime(), selfSigned };
}

/** The certificate of `<data>/pki/server.pem` while it is good enough; else a new one, made by whoever comes first. */
async function currentServer(options: PkiOptions, authority: Authority): Promise<ShownCertificate> {
  const { data, clock } = options;
  const { server, lock } = pkiPaths(data);
  const names = wantedNames(options.names);
  const found = await usableServer(server, authority, names.needed, clock);
  if (found !== null) return found;
  return withLock(lock, async () => {
    const made = await usableServer(server, authority, names.needed, clock);
    if (made !== null) return made;
    const pair = newServer(authority, [...names.needed, ...names.welcome].slice(0, mostNames), clock);
    await writeDurably(server, pairText(pair));
    return shown(pair, true);
  });
}

async function usableServer(
  file: string,
  authority: Authority,
  needed: readonly string[],
  clock: Clock,
): Promise<ShownCertificate | null> {
  const text = await readIfThere(file);
  if (text === null) return null;
  try {
    const pair = splitPair(text);
    const certificate = new X509Certificate(pair.cert);
    const now = clock.now();
    const until = certificate.validToDate.getTime();
    // One that ends with its authority cannot be had any longer.
    const isFresh = until - renewBefore > now || until >= authority.certificate.validToDate.getTime();
    const isTimely = isFresh && certificate.validFromDate.getTime() <= now;
    const isOurs = certificate.verify(authority.certificate.publicKey);
    const covers = (name: string) =>
      (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;
    return isTimely && isOurs && needed.slice(0, mostNames).every(covers) ? shown(pair, true) : null;
  } catch {
    return null; // damaged: a new one is made in its place
  }
}

function newServer(authority: Authority, names: readonly string[], clock: Clock): Pair {
  const { publicKey, privateKey } = newKeyPair();
  const now = clock.now();
  const cert = writeCertificate({
    name: (names[0] ?? 'localhost').slice(0, 64),
    publicKey,
    issuer: { name: authority.name, key: authority.key },
    use: 'server',
    names,
    from: now - backdate,
    until: Math.min(now + serverLifetime, authority.certificate.validToDate.getTime()),
  });
  return { cert, key: privateKeyPem(privateKey) };
}
