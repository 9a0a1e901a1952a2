import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { siteCommands } from '#edge/cli/site.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import { readWarningCertificates } from '#edge/runtime/warning-certificates.ts';
import { readWarning } from '#edge/warnings/read-warning.ts';
import { createWarningDesk } from '#edge/warnings/warning-desk.ts';
import { storm } from './messages.ts';

/* A certificate of a sender that is of no use is said, by name, and nothing of this sender is believed. */

const centre = '51041141600000';
const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
const now = Date.now() + 60_000;
const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('skipped: there is no openssl, which makes the keys of these tests');
    return false;
  }
})();

function make(name: string, key: readonly string[], days = '30'): void {
  const output = ['-nodes', '-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)];
  const subject = ['-days', days, '-subj', `/CN=${name}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', ...key, ...output, ...subject], { stdio: 'ignore' });
}

beforeAll(() => {
  writeFileSync(join(folder, 'text.pem'), 'the certificate comes tomorrow');
  writeFileSync(join(folder, 'cut.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
  if (!hasOpenssl) return;
  make('good', ['rsa:2048']);
  make('curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']);
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(certificates: readonly string[], mustSign = true, at = now) {
  const emergency = emergencySection.parse({ warnings: { senders: [{ sender: centre, certificates, mustSign }] } });
  return readWarningCertificates({ emergency, folder }, at);
}

test.each([
  ['that is not there', 'none.pem', /certificates\[0\]: none\.pem of 51041141600000: cannot be read: .*ENOENT/],
  ['that is none', 'text.pem', /text\.pem of 51041141600000: is no certificate/],
  ['that was cut', 'cut.pem', /cut\.pem of 51041141600000: cannot be read/],
])('a file %s is said with its sender, and nothing of him counts', (_, file, says) => {
  const found = read([file], false);
  expect(found.problems).toHaveLength(1);
  expect(found.problems[0]).toMatch(says);
  expect(found.of(centre)).toBeNull();
  const sent = new Date(now).toISOString().replace(/\.\d+Z$/, '+00:00');
  const text = storm({ sent, expires: new Date(now + 3_600_000).toISOString().replace(/\.\d+Z$/, '+00:00') });
  const read_ = readWarning(new TextEncoder().encode(text), (sender) => found.of(sender), now);
  expect(read_).toMatchObject({ envelope: { signature: 'bad' }, why: /no certificate/ });
  const desk = createWarningDesk({
    senders: [{ sender: centre, mustSign: false }],
    ...{ place: { point: null, codes: [] }, soundFrom: 'Severe', language: 'zh' },
  });
  expect(desk.judge(read_.warning, read_.envelope, now)).toMatchObject({ act: 'none', reason: 'not-signed' });
});

test('whoever has no certificate has no problem, and a stranger is none of ours', () => {
  expect(read([], false).problems).toEqual([]);
  expect(read([], false).of(centre)).toEqual([]);
  expect(read([], false).of('evil')).toEqual([]);
});

test.runIf(hasOpenssl)('one that can be used goes on being used beside one that cannot', () => {
  const found = read(['none.pem', 'good.pem']);
  expect(found.problems).toHaveLength(1);
  expect(found.of(centre)).toHaveLength(1);
});

test.runIf(hasOpenssl)('a key that no signature is checked by, and one that is out of date, are said', () => {
  expect(read(['curve.pem']).problems).toEqual([expect.stringMatching(/its key is of the kind ec/)]);
  expect(read(['curve.pem']).of(centre)).toBeNull();
  const late = read(['good.pem'], true, now + 60 * 86_400_000);
  expect(late.problems).toEqual([expect.stringMatching(/was valid until/)]);
  expect(late.of(centre)).toHaveLength(1);
  expect(read(['good.pem'], true, now - 86_400_000).problems).toEqual([expect.stringMatching(/not valid before/)]);
});

test('campus site check says it', async () => {
  const own = join(import.meta.dirname, '../../../edge/simulators');
  for (const name of ['rules', 'clips', 'demo-plan.svg']) symlinkSync(join(own, name), join(folder, name));
  const file = join(folder, 'site.yaml');
  const senders = `\n  warnings: {senders: [{sender: '${centre}', certificates: [text.pem]}]}`;
  const text = readFileSync(join(own, 'demo-site.yaml'), 'utf8').replace(/\nemergency:/, `$&${senders}`);
  writeFileSync(file, text);
  const check = siteCommands.find(({ name }) => name === 'site check');
  const given = { one: () => file, print: () => {}, flag: () => false, language: 'en' };
  await expect(check?.run(given as never)).rejects.toThrow(/text\.pem of 51041141600000: is no certificate/);
}, 30_000);
