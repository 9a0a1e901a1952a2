import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import type { Case, CaseManifest } from '#edge/domain/case.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { Incident } from '#edge/domain/incident.ts';
import { type TimelineFootage, type TimelinePicture, timelineHtml } from '#edge/media/case-timeline.ts';
import type { AddToCase } from '#edge/media/case-write.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { AuditEntry } from '#edge/store/reader.ts';
import type { MediaClient } from './footage-media.ts';
import { exportSchema } from './footage-schemas.ts';
import { incidentFor } from './incident-views.ts';
import type { LocalTime } from './local-time.ts';
import type { Scope } from './scope.ts';
import type { CampusView } from './server.ts';

/* What goes into a case. What cannot be had is said in it, with the reason: a case with a hole that is named is worth more than none. */

/** What whoever takes it out may see: a case holds nothing else, whatever was merged into its incident. */
export type CaseScope = Pick<Scope, 'isWhole' | 'seesDevice' | 'seesEvent' | 'words'>;

export interface CaseContent {
  readonly one: Case;
  readonly scope: CaseScope;
  readonly incident: Incident;
  /** Media knows which parts of a camera's picture only few may see. */
  readonly hasMasks: (camera: string) => boolean;
  readonly campus: Pick<CampusView, 'site' | 'reader' | 'snapshotFolder'>;
  readonly media: Pick<MediaClient, 'ask' | 'json' | 'bytes'>;
  readonly local: Pick<LocalTime, 'iso'>;
  readonly software: string;
  readonly signal: AbortSignal;
  /** There is room for so many bytes. Throws CASE_NO_ROOM. */
  readonly requireRoom: (bytes: number) => Promise<void>;
}

type Missing = { readonly what: string; readonly why: string };
type ExportView = z.infer<typeof exportSchema>;

const mostEvents = 2_000;
const mostPictures = 300;
const mostAudit = 1_000;
const largestPicture = 20_000_000;
/** Media forgets an export that nobody asks after for a minute. */
const askEvery = 1_000;
const longestExport = 6 * 3_600_000;
const around = 600_000;

/** Puts everything into the case, and answers what its manifest says besides the files. */
export async function fillCase(
  content: CaseContent,
  add: AddToCase,
): Promise<Omit<CaseManifest, 'files' | 'key' | 'case'>> {
  const { one, campus, scope } = content;
  const missing: Missing[] = [];
  const { picture } = content.incident;
  const incident = { ...incidentFor(scope, content.incident), picture };
  const known = eventsOf(content);
  const events = known.filter(scope.seesEvent);
  if (events.length < known.length)
    missing.push({
      what: 'events',
      why: `${known.length - events.length} happened where whoever took it out may not look`,
    });
  if (incident.count > incident.events.length)
    missing.push({
      what: 'events',
      why: `${incident.count} happened, and the newest ${incident.events.length} are listed`,
    });
  const footage = await addFootage(content, add, missing);
  const pictures = await addPictures(content, events, add, missing);
  const { site, reader } = campus;
  const { id, name: school } = site.campus;
  const made = { time: one.time, who: one.who, name: one.name, why: one.why };
  const clips = reader.clips({ incident: incident.id, limit: 500 }).filter(({ camera }) => scope.seesDevice(camera));
  await addText(add, 'timeline.json', { incident, events, clips, footage, pictures });
  await addText(add, 'audit.json', auditOf(content));
  const nameOf = (device: string) =>
    site.devices.find((known) => known.id === device)?.name ?? { zh: device, en: device };
  const zone = site.zones.find((known) => known.id === incident.zone)?.name ?? null;
  const page = {
    id: one.id,
    campus: { id, ...school },
    made,
    incident,
    events,
    footage,
    pictures,
    missing,
    nameOf,
    zone,
  };
  await add('timeline.html', Buffer.from(timelineHtml({ ...page, iso: content.local.iso })));
  await add('README.txt', Buffer.from(readme));
  return {
    id: one.id,
    incident: incident.id,
    campus: { id, zh: school.zh.slice(0, 200), en: school.en.slice(0, 200) },
    made,
    footage: { from: one.from, to: one.to, cameras: one.cameras, masked: one.masked },
    software: content.software,
    missing,
  };
}

function addText(add: AddToCase, path: string, body: unknown) {
  return add(path, Buffer.from(`${JSON.stringify(body, null, 2)}\n`));
}

/** Oldest first. */
function eventsOf({ incident, campus }: CaseContent): readonly CampusEvent[] {
  return incident.events
    .slice(0, mostEvents)
    .flatMap((id) => campus.reader.event(id) ?? [])
    .toSorted((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
}

/** Lines about the incident, its cameras' footage and the one-key alarm, from a little before it on. */
function auditOf({ incident, campus, one, scope }: CaseContent): readonly AuditEntry[] {
  const from = incident.from - around;
  const about = [
    incident.id,
    one.id,
    ...(incident.emergency === null
      ? []
      : [`emergency ${incident.emergency}`, `emergency.reset ${incident.emergency}`]),
  ];
  const lines = about.flatMap((what) => campus.reader.auditPage({ what, from, limit: mostAudit }).lines);
  const looks = incident.devices
    .filter(scope.seesDevice)
    .flatMap((device) => campus.reader.auditPage({ what: `footage ${device}`, from, limit: mostAudit }).lines);
  // Which camera was marked, core writes before the words of whoever did it.
  const whyOf = ({ what, why }: AuditEntry) => (what.startsWith('incident.bookmark ') ? scope.words(why) : why);
  const unique = new Map([...lines, ...looks].map((line) => [line.seq, line]));
  return [...unique.values()]
    .toSorted((a, b) => a.seq - b.seq)
    .map((line) => ({ ...line, what: scope.words(line.what), why: whyOf(line), result: scope.words(line.result) }));
}

async function addFootage(
  content: CaseContent,
  add: AddToCase,
  missing: Missing[],
): Promise<readonly TimelineFootage[]> {
  const { one, media } = content;
  if (one.cameras.length === 0) return [];
  const found: TimelineFootage[] = [];
  let job = '';
  try {
    const body = JSON.stringify({ cameras: one.cameras, from: one.from, to: one.to, masked: one.masked });
    const headers = { 'content-type': 'application/json' };
    const begun = exportSchema.parse(await media.json({ method: 'POST', path: '/exports', headers, body }));
    job = begun.id;
    const done = await exported(content, begun);
    await content.requireRoom(done.files.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const [i, { camera, from, to, gaps, isMasked }] of done.files.entries()) {
      const path = `footage/${camera}_${stamp(from)}.mp4`;
      await add(path, await media.ask({ path: `/exports/${job}/files/${i}`, signal: content.signal }));
      found.push({ camera, path, from, to, gaps, isMasked });
    }
  } catch (error) {
    // The rest of the case is worth having without it; a disk that is full is another matter.
    if (error instanceof CodedError && !['CASE_NO_ROOM', 'CASE_REPEATED'].includes(error.code))
      missing.push({ what: 'footage', why: withoutPaths(messageOf(error)).slice(0, 500) });
    else throw error;
  } finally {
    if (job !== '') await media.json({ method: 'DELETE', path: `/exports/${job}` }).catch(() => {}); // media forgets it by itself
  }
  missing.push(...gapsOf(content, found));
  return found;
}

async function exported({ media, signal }: CaseContent, begun: ExportView): Promise<ExportView> {
  for (let waited = 0; waited < longestExport; waited += askEvery) {
    await delay(askEvery, undefined, { signal });
    const job = exportSchema.parse(await media.json({ path: `/exports/${begun.id}` }));
    if (job.state === 'failed') throw new CodedError('CASE_FOOTAGE', job.message);
    if (job.state === 'ready') return job;
  }
  throw new CodedError('CASE_FOOTAGE', 'it took too long');
}

function gapsOf({ one, local }: CaseContent, found: readonly TimelineFootage[]): readonly Missing[] {
  return one.cameras.flatMap((camera): Missing[] => {
    const of = found.filter((file) => file.camera === camera);
    if (of.length === 0 && found.length > 0)
      return [{ what: `footage of ${camera}`, why: 'there is none of that time' }];
    return of.flatMap(({ gaps, path }) =>
      gaps.map(({ from, to }) => ({ what: path, why: `no footage from ${local.iso(from)} to ${local.iso(to)}` })),
    );
  });
}

async function addPictures(
  content: CaseContent,
  events: readonly CampusEvent[],
  add: AddToCase,
  missing: Missing[],
): Promise<readonly TimelinePicture[]> {
  const found: TimelinePicture[] = [];
  const shown = events.filter(({ snapshot }) => snapshot !== undefined);
  if (shown.length > mostPictures)
    missing.push({ what: 'pictures', why: `${shown.length} are there, and ${mostPictures} in it` });
  for (const event of shown.slice(0, mostPictures)) {
    const path = `pictures/${stamp(event.time)}_${event.device ?? 'campus'}_${event.id.slice(-12)}.jpg`;
    try {
      const picture = await pictureOf(content, event);
      await add(path, picture);
      found.push({ event: event.id, path });
    } catch (error) {
      if (error instanceof CodedError && error.code === 'CASE_REPEATED') throw error;
      missing.push({
        what: `picture of event ${event.id}`,
        why: withoutPaths(messageOf(error)).slice(0, 500),
      });
    }
  }
  return found;
}

/** With what is masked covered, unless the case is without masks. */
async function pictureOf({ campus, media, hasMasks, one }: CaseContent, event: CampusEvent): Promise<Buffer> {
  const { snapshot = '', device } = event;
  if (!/^\d{4}-\d{2}-\d{2}\/[0-9a-f-]+\.jpg$/.test(snapshot))
    throw new CodedError('SNAPSHOT_NOT_FOUND', 'it has no picture');
  const bytes = await readPicture(join(campus.snapshotFolder, snapshot));
  if (!one.masked || device === undefined || !hasMasks(device)) return bytes;
  const headers = { 'content-type': 'image/jpeg' };
  return media.bytes({ method: 'POST', path: `/pictures/${device}/mask`, headers, body: bytes });
}

async function readPicture(path: string): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path);
  } catch {
    throw new CodedError('SNAPSHOT_NOT_FOUND', 'its picture is not there any more');
  }
  await using handle = file;
  const { size } = await handle.stat();
  if (size > largestPicture) throw new CodedError('SNAPSHOT_NOT_FOUND', `its picture has ${size} bytes`);
  return await handle.readFile();
}

/** Of this box nobody elsewhere needs to know where its files lie. */
export function withoutPaths(message: string): string {
  return message.replaceAll(/'?\/\S+/g, '');
}

function stamp(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:.]/g, '');
}

const readme = `打开 timeline.html 查看。manifest.json 列出每个文件的 SHA-256，manifest.sig 是对它的 Ed25519 签名。
校验: campus case verify <zip> --key <学校公布的公钥指纹>

Open timeline.html. manifest.json lists every file with its SHA-256, manifest.sig is its Ed25519 signature.
Verify: campus case verify <zip> --key <the fingerprint that the school has made known>

Without our software:
  unzip -t <zip>
  openssl pkeyutl -verify -pubin -inkey evidence-key.pem -rawin -in manifest.json -sigfile manifest.sig
  openssl pkey -pubin -in evidence-key.pem -outform DER | openssl dgst -sha256      (the fingerprint)
  openssl dgst -sha256 <file>                                                       (as the manifest has it)
`;
