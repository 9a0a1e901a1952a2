import type { AuditLine } from '#edge/domain/audit.ts';
import type { Case } from '#edge/domain/case.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageRange } from '#edge/domain/recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { IncidentDesk, IncidentPerson } from './incident-desk.ts';

export interface CaseDeskOptions {
  readonly incidents: Pick<IncidentDesk, 'find' | 'act'>;
  readonly reader: Pick<Reader, 'case'>;
  readonly isCamera: (device: DeviceId) => boolean;
  readonly commit: (batch: Batch) => Promise<void>;
  /** A case is as it now is. */
  readonly onChange: (one: Case) => void;
  readonly clock: Clock;
}

export interface CaseWish {
  readonly incident: string;
  readonly cameras: readonly DeviceId[];
  readonly footage: FootageRange;
  readonly masked: boolean;
  readonly reason: string;
}

/** What came of making its file. */
export type CaseResult =
  | {
      readonly ok: true;
      readonly sha256: string;
      readonly manifest: string;
      readonly bytes: number;
      readonly message: string;
    }
  | { readonly ok: false; readonly message: string };

const longest = 24 * 3_600_000;

/** What was taken out, by whom, when and why. The file itself is made where people are known, by web. */
export class CaseDesk {
  readonly #options: CaseDeskOptions;
  /** Newer than what is on disk, perhaps; those that are being made are few. */
  readonly #recent = new Map<string, Case>();

  constructor(options: CaseDeskOptions) {
    this.#options = options;
  }

  /** Its footage is kept from now on. Throws INCIDENT_NOT_FOUND, CASE_REFUSED, what the store throws. */
  async begin({ incident, cameras, footage, masked, reason }: CaseWish, person: IncidentPerson): Promise<Case> {
    const { incidents, isCamera, clock } = this.#options;
    const about = incidents.find(incident);
    const { from, to } = footage;
    if (to <= from || to - from > longest)
      throw new CodedError('CASE_REFUSED', 'footage of a case is between 1 ms and 24 h long');
    const stranger = cameras.find((camera) => !isCamera(camera));
    if (stranger !== undefined) throw new CodedError('CASE_REFUSED', `"${stranger}" is no camera`);
    const { who, name } = person;
    const one: Case = {
      id: newHappeningId(clock),
      incident: about.id,
      state: 'building',
      zone: about.zone,
      cameras: [...new Set(cameras)],
      from,
      to,
      masked,
      time: clock.now(),
      ...{ who, name, why: reason, sha256: '', manifest: '', bytes: 0, message: '', released: null },
    };
    this.#take(one);
    const line = this.#line(`case.export ${one.id} of incident ${about.id}`, reason, person, 'being made');
    await incidents.act(about.id, { act: 'export', text: `${one.id}: ${reason}` }, person, {
      cases: [one],
      audit: [line],
    });
    return one;
  }

  /** Throws CASE_NOT_FOUND, CASE_REFUSED when it is not being made, what the store throws. */
  async end(id: string, result: CaseResult): Promise<Case> {
    const before = this.#find(id);
    if (before.state !== 'building') throw new CodedError('CASE_REFUSED', `it is ${before.state} already`);
    const { ok, ...rest } = result;
    const made: Case = { ...before, ...rest, state: ok ? 'ready' : 'failed' };
    this.#take(made);
    const said = ok
      ? `ready, SHA-256 ${made.sha256}, ${made.bytes} bytes${made.message === '' ? '' : `; ${made.message}`}`
      : `failed: ${made.message}`;
    const line = this.#line(`case.made ${id}`, before.why, { who: before.who, from: 'web' }, said);
    await this.#options.commit({ cases: [made], audit: [line] });
    return made;
  }

  /** Its footage is kept for it no longer. Throws CASE_NOT_FOUND, CASE_REFUSED. */
  async release(id: string, reason: string, person: IncidentPerson): Promise<Case> {
    const before = this.#find(id);
    if (before.state === 'released') throw new CodedError('CASE_REFUSED', 'it was let go already');
    if (before.state === 'building') throw new CodedError('CASE_REFUSED', 'it is being made');
    const { who, name } = person;
    const released = { who, name, time: this.#options.clock.now(), why: reason };
    const gone: Case = { ...before, state: 'released', released };
    this.#take(gone);
    await this.#options.commit({ cases: [gone], audit: [this.#line(`case.release ${id}`, reason, person, 'let go')] });
    return gone;
  }

  #find(id: string): Case {
    const found = this.#recent.get(id) ?? this.#options.reader.case(id);
    if (found === null) throw new CodedError('CASE_NOT_FOUND', `there is no case ${id}`);
    return found;
  }

  #take(one: Case): void {
    this.#recent.delete(one.id);
    this.#recent.set(one.id, one);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > 200 && oldest !== undefined) this.#recent.delete(oldest);
    this.#options.onChange(one);
  }

  #line(what: string, why: string, { who, from }: Pick<IncidentPerson, 'who' | 'from'>, result: string): AuditLine {
    return { time: this.#options.clock.now(), who, from, what, why: why.slice(0, 300), result: result.slice(0, 300) };
  }
}
