import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { caseCommands } from '#edge/cli/case.ts';
import { Given } from '#edge/cli/command.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, HappeningId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import { evidenceKeyFile, openEvidenceKey } from '#edge/media/case-key.ts';
import { timelineHtml } from '#edge/media/case-timeline.ts';
import { verifyCase } from '#edge/media/case-verify.ts';
import { writeCase } from '#edge/media/case-write.ts';
import { zipEnd } from '#edge/media/case-zip.ts';

const made = Date.UTC(2026, 10, 22, 10, 20, 30);
const hasPrograms = ['unzip', 'openssl'].every((name) => existsSync(`/usr/bin/${name}`));
if (!hasPrograms) console.warn('SKIPPED: unzip or openssl is not there (apt install unzip openssl)');

function folder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'case-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

const about = {
  id: '019f0000-0000-7000-8000-000000000001',
  incident: '019f0000-0000-7000-8000-000000000002',
  campus: { id: '2151009901', zh: '实验学校', en: 'Demo school' },
  made: { time: made, who: 'person:lin', name: 'Lin', why: 'the police asked' },
  footage: { from: made - 60_000, to: made, cameras: ['camera-gate'], masked: true },
  software: '0.0.0',
  missing: [],
};

async function makeCase(data: string, why = 'the police asked') {
  const key = await openEvidenceKey(data);
  const file = join(data, 'case.zip');
  const written = await writeCase(file, made, key, async (add) => {
    await add('footage/camera-gate.mp4', pieces('mo', 'ving ', 'pictures'));
    await add('pictures/1_camera-gate.jpg', Buffer.from('a picture'));
    await add('timeline.json', Buffer.from('{}\n'));
    return { ...about, made: { ...about.made, why } };
  });
  return { file, key, written };
}

describe('the key of evidence', () => {
  test('is made once, readable to its owner only, and the same from then on', async () => {
    using data = folder();
    const first = await openEvidenceKey(data.path);
    expect(await openEvidenceKey(data.path)).toMatchObject({
      publicKey: first.publicKey,
      fingerprint: first.fingerprint,
    });
    expect(statSync(evidenceKeyFile(data.path)).mode & 0o777).toBe(0o600);
    expect(first.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test('that is damaged is no reason to make another one', async () => {
    using data = folder();
    await openEvidenceKey(data.path);
    const file = evidenceKeyFile(data.path);
    chmodSync(file, 0o600);
    writeFileSync(file, 'not a key');
    await expect(openEvidenceKey(data.path)).rejects.toMatchObject({ code: 'CASE_KEY' });
    expect(readFileSync(file, 'utf8')).toBe('not a key');
  });
});

describe('a case', () => {
  test('is verified when it is as it was made, and says of what, by whom and why it is', async () => {
    using data = folder();
    const { file, key, written } = await makeCase(data.path);
    const verdict = await verifyCase(file, key.fingerprint);
    expect(verdict).toMatchObject({ ok: true, faults: [], sha256: written.sha256, bytes: written.bytes });
    expect(verdict.manifest).toMatchObject({
      made: { who: 'person:lin', why: 'the police asked' },
      files: [
        { path: 'footage/camera-gate.mp4', bytes: 15 },
        { path: 'pictures/1_camera-gate.jpg', bytes: 9 },
        { path: 'timeline.json', bytes: 3 },
      ],
    });
    const spelled = key.fingerprint.toUpperCase().match(/../g)?.join(':') ?? '';
    expect(await verifyCase(file, spelled)).toMatchObject({ ok: true });
  });

  test('altered in one byte, anywhere, is found out', async () => {
    using data = folder();
    const { file } = await makeCase(data.path);
    const whole = readFileSync(file);
    const altered = join(data.path, 'altered.zip');
    writeFileSync(altered, whole);
    for (let at = 0; at < whole.length; at++) {
      const copy = Buffer.from(whole);
      copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(altered, copy);
      const { ok, faults } = await verifyCase(altered);
      expect({ at, ok }).toEqual({ at, ok: false });
      expect(faults.length).toBeGreaterThan(0);
    }
    const spot = whole.indexOf('a picture');
    const copy = Buffer.from(whole);
    copy[spot] = 0x41;
    writeFileSync(altered, copy);
    expect((await verifyCase(altered)).faults).toEqual([
      { file: 'pictures/1_camera-gate.jpg', message: 'its content was altered' },
    ]);
  });

  test('with a byte or a file more or less is found out', async () => {
    using data = folder();
    const { file } = await makeCase(data.path);
    const whole = readFileSync(file);
    const changed = join(data.path, 'changed.zip');
    const middle = whole.indexOf('a picture');
    const variants: readonly (readonly [string, Buffer])[] = [
      ['a byte at the end', Buffer.concat([whole, Buffer.from([0])])],
      ['a byte before it', Buffer.concat([Buffer.from([0]), whole])],
      ['cut by one', whole.subarray(0, -1)],
      ['cut in the middle', whole.subarray(0, middle)],
      ['a byte in the middle', Buffer.concat([whole.subarray(0, middle), Buffer.from('x'), whole.subarray(middle)])],
      ['one byte out', Buffer.concat([whole.subarray(0, middle), whole.subarray(middle + 1)])],
      ['empty', Buffer.alloc(0)],
      ['no zip', Buffer.alloc(5_000, 0x20)],
    ];
    for (const [what, bytes] of variants) {
      writeFileSync(changed, bytes);
      expect(await verifyCase(changed), what).toMatchObject({ ok: false });
    }
    await expect(verifyCase(join(data.path, 'none.zip'))).rejects.toMatchObject({ code: 'CASE_UNREADABLE' });
  });

  test('whose entries all show the same bytes costs no more than those bytes', async () => {
    using data = folder();
    const key = await openEvidenceKey(data.path);
    const bytes = 4_000_000;
    const file = join(data.path, 'bomb.zip');
    await writeCase(file, made, key, async (add) => {
      await add('a.mp4', Buffer.alloc(bytes));
      return about;
    });
    // Nineteen thousand names for the same four megabytes: eighty gigabytes to whoever believes the directory.
    const whole = readFileSync(file);
    const name = (n: number) => `f${String(n).padStart(6, '0')}`;
    const entries = Array.from({ length: 19_000 }, (_, n) => ({ name: name(n), bytes: 0, crc: 0 }));
    const start = zipEnd([], 0, made);
    const old = zipEnd([{ name: 'a.mp4', bytes, crc: 0 }], 0, made).length - start.length;
    const directory = whole.subarray(whole.indexOf(Buffer.from([0x50, 0x4b, 1, 2])), whole.length - start.length);
    const forged = zipEnd(entries, 0, made).subarray(0, -start.length);
    for (let at = 0; at < forged.length; at += 46 + 7 + 28) {
      forged.writeBigUInt64LE(BigInt(bytes), at + 46 + 7 + 4);
      forged.writeBigUInt64LE(0n, at + 46 + 7 + 20);
    }
    const tail = Buffer.from(whole.subarray(whole.length - start.length));
    const both = Buffer.concat([directory.subarray(0, old), forged, directory.subarray(old)]);
    tail.writeBigUInt64LE(BigInt(4 + entries.length), 24);
    tail.writeBigUInt64LE(BigInt(4 + entries.length), 32);
    tail.writeBigUInt64LE(BigInt(both.length), 40);
    writeFileSync(file, Buffer.concat([whole.subarray(0, whole.indexOf(directory)), both, tail]));
    const begun = performance.now();
    const { ok, faults } = await verifyCase(file);
    expect(ok).toBe(false);
    expect(faults.map(({ message }) => message)).toContain('it was added: the manifest does not list it');
    expect(performance.now() - begun).toBeLessThan(15_000);
  });

  test('made by somebody else writes nothing of its own onto the terminal of whoever verifies it', async () => {
    using data = folder();
    const { file } = await makeCase(data.path, 'x\u001b[2J\u001b[H\nas it was made, and signed by that campus\u202e');
    const lines: string[] = [];
    const [verify] = caseCommands;
    const terminal = {
      out: (line: string) => void lines.push(line),
      err: () => {},
      language: 'en',
      stdin: process.stdin,
    } as const;
    const given = new Given([file], {}, terminal);
    expect(await verify?.run(given)).toBe(0);
    expect(lines.join('\n')).toContain('x\ufffd[2J');
    // Seven lines, all of them ours.
    expect(lines.filter((line) => /[^\P{Cc}\n]|\p{Cf}/u.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('as it was made'))).toHaveLength(1);
  });

  test('made again by somebody else is found out by the key', async () => {
    using data = folder();
    using other = folder();
    const { key } = await makeCase(data.path);
    const forged = await makeCase(other.path, 'something else');
    expect(await verifyCase(forged.file)).toMatchObject({ ok: true, fingerprint: forged.key.fingerprint });
    const { ok, faults } = await verifyCase(forged.file, key.fingerprint);
    expect({ ok, file: faults[0]?.file }).toEqual({ ok: false, file: 'evidence-key.pem' });
    // Too few digits prove nothing.
    expect(await verifyCase(forged.file, forged.key.fingerprint.slice(0, 12))).toMatchObject({ ok: false });
  });

  test('that could not be made leaves nothing behind', async () => {
    using data = folder();
    const key = await openEvidenceKey(data.path);
    const file = join(data.path, 'case.zip');
    const failing = writeCase(file, made, key, async (add) => {
      await add('a.txt', Buffer.from('a'));
      await add('a.txt', Buffer.from('b'));
      throw new Error('never reached');
    });
    await expect(failing).rejects.toMatchObject({ code: 'CASE_REPEATED' });
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
  });

  test.skipIf(!hasPrograms)('is a zip and a signature to other programs too', async () => {
    using data = folder();
    const { file, key } = await makeCase(data.path);
    expect(execFileSync('unzip', ['-t', file], { encoding: 'utf8' })).toContain('No errors detected');
    execFileSync('unzip', ['-q', file, '-d', join(data.path, 'out')]);
    const out = (name: string) => join(data.path, 'out', name);
    expect(readFileSync(out('footage/camera-gate.mp4'), 'utf8')).toBe('moving pictures');
    const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8' });
    const check = [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      out('evidence-key.pem'),
      '-rawin',
      '-in',
      out('manifest.json'),
    ];
    expect(openssl(...check, '-sigfile', out('manifest.sig'))).toContain('Signature Verified Successfully');
    expect(openssl('pkey', '-pubin', '-in', out('evidence-key.pem'), '-outform', 'PEM')).toBe(key.publicKey);
    const listed = openssl('dgst', '-sha256', '-r', out('pictures/1_camera-gate.jpg')).split(' ')[0];
    expect(readFileSync(out('manifest.json'), 'utf8')).toContain(listed);
    expect(statSync(out('manifest.json')).mode & 0o777).toBe(0o600);
  });
});

test('the page of a case says everything in both languages, and nothing that somebody wrote runs', () => {
  const evil = '<script>alert(1)</script>"\'&';
  const incident: Incident = {
    ...{
      id: 'i' as HappeningId,
      state: 'resolved',
      class: 'high',
      zone: null,
      types: ['person'],
      devices: [],
      from: made,
      to: made,
    },
    ...{ isClosed: true, events: [], count: 1, picture: null, claimedBy: null, seenBy: null, escalatesAt: null },
    ...{ outcome: 'police', note: evil, emergency: null, rev: 1 },
    course: [{ time: made, who: 'person:lin', name: evil, what: 'noted', text: evil }],
  };
  const event: CampusEvent = {
    id: 'e' as HappeningId,
    type: 'person',
    device: 'camera-gate' as DeviceId,
    time: made,
    data: {},
  };
  const html = timelineHtml({
    ...{ id: 'c', incident, events: [event], zone: null, campus: { id: '2151009901', zh: evil, en: 'School' } },
    made: { time: made, name: evil, why: evil },
    footage: [
      {
        camera: 'camera-gate',
        path: 'footage/a.mp4',
        from: made,
        to: made + 1,
        gaps: [{ from: made, to: made + 1 }],
        isMasked: true,
      },
    ],
    pictures: [{ event: 'e', path: 'pictures/1.jpg' }],
    missing: [{ what: evil, why: evil }],
    nameOf: () => ({ zh: '校门', en: evil }),
    iso: (time) => new Date(time).toISOString(),
  });
  expect(html).not.toContain('<script');
  expect(html.match(/src="[^"]*"/g)).toEqual(['src="pictures/1.jpg"', 'src="footage/a.mp4"']);
  expect(html).not.toMatch(/https?:/);
  for (const words of ['移交公安 police', '无录像 no footage', '已遮挡隐私区域 masked', '缺失'])
    expect(html).toContain(words);
});
