import type { FastifyRequest } from 'fastify';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { StoredDocument } from '#edge/store/documents.ts';
import { principalOf } from '../access.ts';
import { createLocalTime } from '../local-time.ts';
import type { AssetView } from '../place-schemas.ts';
import { createScopes } from '../scope.ts';
import type { CampusView } from '../server.ts';
import { describeAsset } from './register.ts';

/** Assets as somebody sees them: those of the devices in his zones. */
export class Register {
  readonly #campus: CampusView;
  readonly #scopes: ReturnType<typeof createScopes>;
  readonly #profiles: ReadonlyMap<string, CampusView['profiles'][number]>;
  readonly #localDate: (time: number) => string;

  constructor(campus: CampusView) {
    this.#campus = campus;
    this.#scopes = createScopes(campus.site.devices);
    this.#profiles = new Map(campus.profiles.map((profile) => [profile.id, profile]));
    const localTime = createLocalTime(campus.site.campus.timeZone);
    this.#localDate = (time) => localTime.date(time).date;
  }

  devices(request: FastifyRequest): CampusView['site']['devices'] {
    const scope = this.#scopes(principalOf(request));
    return this.#campus.site.devices.filter(({ id }) => scope.seesDevice(id));
  }

  all(request: FastifyRequest): AssetView[] {
    const stored = new Map(this.#campus.reader.documents('asset').map((asset) => [asset.id, asset]));
    return this.devices(request).map((device) => this.#describe(device, stored.get(device.id) ?? null));
  }

  /** Throws DEVICE_NOT_FOUND, also for one elsewhere. */
  one(
    request: FastifyRequest,
    id: string,
  ): { readonly view: AssetView; readonly stored: StoredDocument<'asset'> | null } {
    const device = this.devices(request).find((one) => one.id === id);
    if (device === undefined) throw new CodedError('DEVICE_NOT_FOUND', `there is no device "${id}"`);
    const stored = this.#campus.reader.document('asset', id);
    return { view: this.#describe(device, stored), stored };
  }

  today(clock: Clock): string {
    return this.#localDate(clock.now());
  }

  #describe(device: CampusView['site']['devices'][number], stored: StoredDocument<'asset'> | null): AssetView {
    return describeAsset(device, stored, this.#profiles.get(device.profile), this.#localDate);
  }
}
