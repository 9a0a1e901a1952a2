import type { FastifyRequest } from 'fastify';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { StoredDocument } from '#edge/store/documents.ts';
import { putDocument } from '../documents.ts';
import type { PlanView } from '../place-schemas.ts';
import type { Scope } from '../scope.ts';
import type { CampusView } from '../server.ts';
import { type Picture, refusePicture } from './picture.ts';
import { checkPng } from './png.ts';
import { mostPlans, PlanShelf } from './shelf.ts';
import { checkSvg } from './svg.ts';

export type Plan = StoredDocument<'plan'>;
type Asking = Pick<FastifyRequest, 'principal' | 'ip'>;

/** Plans are documents of the store; their pictures are files. Both change here, in an order that leaves no plan without one. */
export class PlanDesk {
  readonly shelf: PlanShelf;
  readonly #campus: Pick<CampusView, 'site' | 'reader' | 'rpc'>;

  constructor(campus: Pick<CampusView, 'site' | 'reader' | 'rpc' | 'data'>) {
    this.#campus = campus;
    this.shelf = new PlanShelf(campus.data);
  }

  /** Throws PLAN_NOT_FOUND. */
  plan(id: string): Plan {
    const plan = this.#campus.reader.document('plan', id);
    if (plan === null) throw new CodedError('PLAN_NOT_FOUND', `there is no plan "${id}"`);
    return plan;
  }

  views(scope: Scope): PlanView[] {
    const places = Map.groupBy(this.#campus.reader.documents('placement'), ({ body }) => body.plan);
    return this.#campus.reader
      .documents('plan')
      .sort((a, b) => a.body.order - b.body.order || a.id.localeCompare(b.id))
      .map((plan) => describe(plan, places.get(plan.id) ?? [], scope));
  }

  view(id: string, scope: Scope): PlanView {
    const places = this.#campus.reader.documents('placement').filter(({ body }) => body.plan === id);
    return describe(this.plan(id), places, scope);
  }

  /** Throws BAD_FLOOR for a floor that the site file does not have. */
  requireFloor(floor: string | null | undefined): void {
    const floors = this.#campus.site.buildings.flatMap((building) => building.floors.map(({ id }) => id));
    if (floor === null || floor === undefined || floors.includes(floor)) return;
    throw new CodedError('BAD_FLOOR', `floor: the site file has no floor "${floor}"`);
  }

  /** Judges a picture, keeps it, and lets `name` put its name into a plan. Throws BAD_PICTURE, PLANS_FULL. */
  async keep(bytes: Buffer, type: string, name: (file: string, picture: Picture) => Promise<unknown>): Promise<void> {
    const picture = judge(bytes, type);
    await this.tidy();
    const file = await this.shelf.put(bytes, picture.format);
    try {
      await name(file, picture);
    } finally {
      this.shelf.settle(file);
    }
    await this.tidy();
  }

  /** Throws FORBIDDEN where things of other zones lie, which would vanish with it or come to lie elsewhere. */
  requireOwn(id: string, scope: Scope): void {
    const places = this.#campus.reader.documents('placement').filter(({ body }) => body.plan === id);
    if (places.every((place) => scope.seesDevice(place.id))) return;
    throw new CodedError('FORBIDDEN', 'devices of zones that are not yours lie on this plan');
  }

  requireRoom(): void {
    if (this.#campus.reader.documents('plan').length < mostPlans) return;
    throw new CodedError('PLANS_FULL', `there may be ${mostPlans} plans: remove one first`);
  }

  /** First what lies on it, then itself, then its picture: cut short, it can be done again. */
  async remove(request: Asking, { id, body }: Plan, rev: number): Promise<void> {
    const { reader, rpc } = this.#campus;
    for (const place of reader.documents('placement').filter((placed) => placed.body.plan === id)) {
      const what = `plan.remove ${id}: takes ${place.id} off`;
      await putDocument(rpc, request, { kind: 'placement', id: place.id, rev: place.rev, body: null, what });
    }
    await putDocument(rpc, request, { kind: 'plan', id, rev, body: null });
    await this.shelf.sweep(new Set(this.#files()), [body.file]);
  }

  /**
   * Removes pictures that no plan names. Where no plan is known at all, nothing: the database may have been lost, and
   * whoever brings it back from a back-up wants them.
   */
  async tidy(): Promise<void> {
    let files: readonly string[];
    try {
      files = this.#files();
    } catch (error) {
      if (codeOf(error).startsWith('STORE_')) return; // core has not made its database yet: another time
      throw error;
    }
    if (files.length > 0) await this.shelf.sweep(new Set(files));
  }

  #files(): string[] {
    return this.#campus.reader.documents('plan').map(({ body }) => body.file);
  }
}

function judge(bytes: Buffer, type: string): Picture {
  if (bytes.length === 0) throw refusePicture('the body is empty: send the picture as the body');
  return type.startsWith('image/png') ? checkPng(bytes) : checkSvg(bytes);
}

function describe({ id, rev, body }: Plan, places: readonly StoredDocument<'placement'>[], scope: Scope): PlanView {
  const { name, floor, file, width, height, order } = body;
  return {
    id,
    rev,
    name,
    floor,
    format: file.endsWith('.png') ? 'png' : 'svg',
    image: `/api/v1/plans/${id}/image?v=${file.slice(0, 16)}`,
    width,
    height,
    order,
    places: places
      .filter((place) => scope.seesDevice(place.id))
      .map(({ id: device, body: { x, y, view } }) => ({
        device,
        x,
        y,
        // Where a camera looks is also where it does not.
        ...(view === undefined || !scope.seesViews ? {} : { view }),
      })),
  };
}
