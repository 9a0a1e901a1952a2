import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTokenPa } from '#edge/simulators/http-pa-token.ts';
import { patience, speaker, tokenAddress } from './speaker.ts';

/** A bell and a siren that the site names for the device, an emergency clip that it does not, and music that is none of its. */
async function siteClips(size = 4_000) {
  const folder = await mkdtemp(join(tmpdir(), 'campus-clips-'));
  const bytes = (fill: number) => Buffer.alloc(size, fill);
  await writeFile(join(folder, 'b.wav'), bytes(1));
  await writeFile(join(folder, 's.wav'), bytes(2));
  await writeFile(join(folder, 'fire.mp3'), bytes(3));
  await writeFile(join(folder, 'music.mp3'), bytes(4));
  const clips = {
    bell: { file: 'b.wav', loop: false },
    music: { file: 'music.mp3', loop: true },
    siren: { file: 's.wav', loop: false },
    'fire-zh': { file: 'fire.mp3', loop: false, emergency: true },
  };
  return { clips, folder, bytes, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const names = ['bell.wav', 'fire-zh.mp3', 'siren.wav'];

describe('clips that are put on a device ahead', () => {
  it('are the emergency clips first, then those of the site, and only what is missing', async () => {
    await using site = await siteClips();
    await using server = await startTokenPa({ media: 'needed' });
    server.media.set('bell.wav', site.bytes(1));
    await using one = await speaker(tokenAddress(server.url), site);
    await expect.poll(() => server.media.size, patience).toBe(3);
    expect(server.uploads).toEqual(['fire-zh.mp3', 'siren.wav']);
    expect([...server.media.keys()].toSorted()).toEqual(names);
    expect(await one.tell('fire-zh loop')).toMatchObject({ outcome: 'sent' });
    expect(server.begun).toEqual(['hall 1 fire-zh.mp3']);
  });

  it('are put there once for all loudspeakers of a server', async () => {
    await using site = await siteClips();
    await using server = await startTokenPa({ media: 'needed' });
    await using one = await speaker(tokenAddress(server.url), site);
    await expect.poll(() => server.uploads.length, patience).toBe(3);
    await expect.poll(() => one.counts.get('uploaded'), patience).toBe(3);
    await using other = await speaker(tokenAddress(server.url, { zone: 'hall 2' }), site);
    expect(await other.tell('bell')).toMatchObject({ outcome: 'sent' });
    expect(server.uploads.length).toBe(3);
  });

  it('replace what has the same size and another content', async () => {
    await using site = await siteClips();
    await using server = await startTokenPa({ media: 'needed' });
    for (const name of names) server.media.set(name, Buffer.alloc(4_000, 9));
    await using one = await speaker(tokenAddress(server.url), site);
    await expect.poll(() => one.counts.get('uploaded'), patience).toBe(3);
    expect(server.media.get('siren.wav')).toEqual(site.bytes(2));
  });

  it('come back to a device that was reset, and what was wanted meanwhile is played', async () => {
    await using site = await siteClips();
    await using server = await startTokenPa({ media: 'needed' });
    await using one = await speaker(tokenAddress(server.url), site);
    await expect.poll(() => one.counts.get('uploaded'), patience).toBe(3);
    server.media.clear();
    expect(await one.tell('siren loop')).toMatchObject({ outcome: 'failed', message: expect.stringContaining('404') });
    await expect.poll(() => one.last('proof'), patience).toBe('heard');
    expect([server.begun, server.media.size]).toEqual([['hall 1 siren.wav'], 3]);
  });

  it('come back to a device that went away and came back empty', async () => {
    await using site = await siteClips();
    await using stack = new AsyncDisposableStack();
    const before = await startTokenPa({ media: 'needed' });
    await using one = await speaker(tokenAddress(before.url), site);
    await expect.poll(() => one.counts.get('uploaded'), patience).toBe(3);
    await before[Symbol.asyncDispose]();
    await expect.poll(() => one.words.at(-1), patience).toContain('offline');
    const after = stack.use(await startTokenPa({ media: 'needed', port: before.port }));
    await expect.poll(() => [...after.media.keys()].toSorted(), patience).toEqual(names);
  });

  it('are looked at when they are there: a store that spoils them is named', async () => {
    await using site = await siteClips();
    await using server = await startTokenPa({ media: 'needed' });
    server.spoils = true;
    await using one = await speaker(tokenAddress(server.url), site);
    await expect.poll(() => one.last('evidence'), patience).toContain('clip "fire-zh.mp3" is not on it');
    expect(one.counts.get('uploaded')).toBeUndefined();
  });

  it('keep to their share of the line, and no sound waits for them', async () => {
    await using site = await siteClips(60_000);
    await using server = await startTokenPa();
    server.media.set('bell.wav', site.bytes(1));
    const calls = {
      play: { method: 'POST', path: '/api/tasks', body: '{"id":"{job}","terminal":"{zone}","media":"{clip}"}' },
      probe: { path: '/api/terminals/{zone}' },
      upload: {
        ...{ list: { path: '/api/media' }, at: '/data', size: '/size', digest: '/sha256', rate: 60 },
        put: { method: 'PUT', path: '/api/media/{clip}' },
      },
    };
    const begun = performance.now();
    await using one = await speaker(tokenAddress(server.url, { preset: undefined, calls }, { atOnce: 1 }), site);
    await expect.poll(() => one.words.at(-1), patience).toContain('online');
    expect(await one.tell('bell')).toMatchObject({ outcome: 'sent' });
    expect([server.begun.length, server.uploads.length]).toEqual([1, 0]);
    await expect.poll(() => server.uploads.length, patience).toBe(2);
    // 120 kB at 60 kB/s.
    expect(performance.now() - begun).toBeGreaterThan(1_500);
  });
});
