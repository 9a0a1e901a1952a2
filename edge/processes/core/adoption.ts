import { z } from 'zod';
import type { Device } from '#edge/domain/device.ts';
import { parseSpeakerConfig } from '#edge/drivers/broadcast/config.ts';
import { parseModbusConfig } from '#edge/drivers/modbus/config.ts';
import { parseOnvifConfig } from '#edge/drivers/onvif/config.ts';
import { parsePingConfig } from '#edge/drivers/ping/config.ts';
import { parseSipConfig } from '#edge/drivers/sip/config.ts';
import { parseSnmpConfig } from '#edge/drivers/snmp/config.ts';
import { parseSensorAddress } from '#edge/ingest/addresses.ts';
import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import { misfitOf, mostAdopted, readAdopted, sealAdopted, writeAdopted } from '#edge/runtime/adopted.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { describeIssues, type Site, type SiteDevice, siteDeviceSchema } from '#edge/runtime/site.ts';
import type { Batch } from '#edge/store/batch.ts';
import { processOfProtocol } from '../campus.ts';
import { profileFolder } from '../context.ts';

/*
 * Devices that people adopt and give up while the campus runs. Core checks, writes and audits; then the processes that
 * must know of it start again with the new configuration, core among them (decision 14).
 */

const who = z.string().regex(/^(person|token):[a-z0-9_-]{1,63}$/, 'must be person:<id> or token:<id>');
const from = z.string().max(100);
const id = z.string().max(63);
const adoptParams = z.strictObject({ device: z.unknown(), inboxKey: z.string().max(300).optional(), who, from });
const giveUpParams = z.strictObject({ id, who, from });

export interface AdoptionOptions {
  /** As this core was started with. */
  readonly site: Site;
  readonly data: string;
  readonly commit: (batch: Batch) => Promise<void>;
  /** A rule that protects lives and is fired now; null: none. */
  readonly urgent: () => string | null;
  /** Asks the supervisor; undefined where there is none. */
  readonly reload: ((processes: readonly string[]) => void) | undefined;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
}

export interface Adoption extends Disposable {
  readonly methods: Readonly<Record<string, RpcMethod>>;
}

/** The answer to the caller leaves before the processes end, ms. */
const answerFirst = 200;

/**
 * `device.adopt` and `device.give-up` -> `{id, restarts}`. Both throw ADOPT_REFUSED with a sentence (what is wrong with
 * the device), ADOPT_NOT_NOW while a life-safety interlock is tripped, ADOPTED_BROKEN when the file was damaged,
 * ADOPTED_WRITE when the disk refuses.
 */
export function createAdoption(options: AdoptionOptions): Adoption {
  const { site, data, commit, clock } = options;
  const declared = site.devices.filter((device) => !site.adopted.includes(device.id));
  const restarter = createRestarter(options.reload);
  const audit = (params: { who: string; from: string }, what: string, result: string): Batch => ({
    audit: [{ time: clock.now(), who: params.who, from: params.from, what, why: '', result }],
  });

  sealOldPasswords(options);

  /** Nothing changes without a line of the audit before it; a change that then fails has a second one. */
  const change = async (
    params: { who: string; from: string },
    what: string,
    devices: readonly SiteDevice[],
  ): Promise<void> => {
    await commit(audit(params, what, 'accepted'));
    try {
      writeAdopted(data, devices);
    } catch (error) {
      await commit(audit(params, what, messageOf(error).slice(0, 300)));
      throw error;
    }
  };

  const adopt = async (params: z.infer<typeof adoptParams>): Promise<unknown> => {
    requireCalm(options.urgent());
    const adopted = wholeList(data);
    const device = parseDevice(params.device);
    const protocol = await requireFit(site, [...declared, ...adopted], device);
    if (adopted.length >= mostAdopted) throw refused(`at most ${mostAdopted} devices can be adopted`);
    await change(params, `device.adopt ${device.id} (${device.profile})`, [...adopted, device]);
    if (params.inboxKey !== undefined) await commit({ forgetInbox: [params.inboxKey] });
    return { id: device.id, restarts: restarter.ask(restartsFor(protocol)) };
  };

  const giveUp = async (params: z.infer<typeof giveUpParams>): Promise<unknown> => {
    requireCalm(options.urgent());
    const adopted = wholeList(data);
    const device = adopted.find((entry) => entry.id === params.id);
    if (device === undefined) {
      const where = declared.some((entry) => entry.id === params.id);
      throw new CodedError(
        where ? 'ADOPT_REFUSED' : 'DEVICE_NOT_FOUND',
        where
          ? `device "${params.id}" is in the site file: take it out there`
          : `there is no adopted device "${params.id}"`,
      );
    }
    const { profiles } = await loadProfiles(profileFolder);
    const rest = adopted.filter((entry) => entry !== device);
    await change(params, `device.give-up ${device.id} (${device.profile})`, rest);
    return { id: device.id, restarts: restarter.ask(restartsFor(profiles.get(device.profile)?.protocol ?? '')) };
  };

  const oneAtATime = createTurns();
  return {
    methods: {
      'device.adopt': checked(adoptParams, (params) => oneAtATime(() => adopt(params))),
      'device.give-up': checked(giveUpParams, (params) => oneAtATime(() => giveUp(params))),
    },
    [Symbol.dispose]: () => restarter[Symbol.dispose](),
  };
}

/** Whoever adopted devices before passwords were sealed has them sealed now. A disk that refuses is asked at the next start. */
function sealOldPasswords({ data, commit, clock, log }: AdoptionOptions): void {
  try {
    if (!sealAdopted(data)) return;
    const what = 'device.seal passwords of devices.json';
    const line = { time: clock.now(), who: 'process:core', from: 'core', what, why: '', result: 'sealed' };
    commit({ audit: [line] }).catch(() => {}); // owed to the disk, and an alarm
  } catch (error) {
    log.warn({ error }, 'passwords of adopted devices are not sealed yet');
  }
}

function refused(message: string): CodedError {
  return new CodedError('ADOPT_REFUSED', message);
}

/** Core is away for a second or two: not while people are being led out. */
function requireCalm(urgent: string | null): void {
  if (urgent === null) return;
  throw new CodedError(
    'ADOPT_NOT_NOW',
    `the interlock "${urgent}" is tripped: devices can be adopted and given up when it is reset`,
  );
}

function wholeList(data: string): readonly SiteDevice[] {
  const { devices, problems, isWhole } = readAdopted(data);
  if (!isWhole) {
    throw new CodedError('ADOPTED_BROKEN', `${problems.join('; ')}: mend or move that file first`);
  }
  return devices;
}

function parseDevice(input: unknown): SiteDevice {
  const result = siteDeviceSchema.safeParse(input);
  if (!result.success) throw refused(describeIssues(result.error));
  return result.data;
}

/** The protocol of a device that can be had at this campus; throws ADOPT_REFUSED saying why it cannot. */
async function requireFit(site: Site, others: readonly SiteDevice[], device: SiteDevice): Promise<string> {
  const misfit = misfitOf(site, device, new Set(others.map((other) => other.id)));
  if (misfit !== null) throw refused(misfit);
  const shelf = await loadProfiles(profileFolder);
  const described = devicesOf({ devices: [device], poll: site.poll }, shelf);
  const [wrong] = described.broken;
  if (wrong !== undefined) throw refused(wrong.message);
  const protocol = shelf.profiles.get(device.profile)?.protocol ?? '';
  const address = readAddress(protocol, device);
  const twin = others.find((other) => {
    if (shelf.profiles.get(other.profile)?.protocol !== protocol) return false;
    // Two profiles may read one Modbus unit; a sensor on MQTT belongs to one device.
    return (protocol === 'mqtt' || other.profile === device.profile) && isSameAddress(protocol, other, address);
  });
  if (twin !== undefined && device.address.json !== true) throw refused(`device "${twin.id}" has this address already`);
  return protocol;
}

const readers: Readonly<Record<string, (device: Pick<Device, 'id' | 'address'>) => unknown>> = {
  modbus: ({ address }) => parseModbusConfig(address),
  onvif: ({ address }) => parseOnvifConfig(address),
  broadcast: ({ address }) => parseSpeakerConfig(address),
  sip: ({ address }) => parseSipConfig(address),
  snmp: ({ address }) => parseSnmpConfig(address),
  ping: ({ address }) => parsePingConfig(address),
  mqtt: parseSensorAddress,
};

/** The address as its driver understands it, as text; what the driver finds wrong is the refusal. */
function readAddress(protocol: string, device: Pick<Device, 'id' | 'address'>): string {
  const read = readers[protocol];
  if (read === undefined) throw refused(`nothing here speaks ${protocol}`);
  try {
    return JSON.stringify(read(device));
  } catch (error) {
    throw refused(messageOf(error));
  }
}

function isSameAddress(protocol: string, other: SiteDevice, address: string): boolean {
  try {
    return readAddress(protocol, other) === address;
  } catch {
    return false; // that one has its own alarm
  }
}

/** core first, for it must know a device before its driver speaks of it; web last, so that its answer is out. */
function restartsFor(protocol: string): string[] {
  const driver = processOfProtocol(protocol);
  return ['core', ...(driver === undefined ? [] : [driver]), 'web'];
}

/** Adopted devices that the campus does not have: a person must see to it. */
export function adoptionMistakes(problems: readonly string[]): RaiseDecision {
  const first = problems.slice(0, 4).join('; ');
  return {
    kind: 'raise',
    source: 'site:adopted',
    class: 'medium',
    message: {
      zh: `${problems.length} 个已接纳的设备无法使用`,
      en: `${problems.length} adopted device${problems.length === 1 ? '' : 's'} cannot be had`,
    },
    next: { zh: `在控制台放弃该设备或修正站点文件：${first}`, en: `Give it up, or correct the site file: ${first}` },
    reason: problems.join('; ').slice(0, 500),
  };
}

function createRestarter(reload: AdoptionOptions['reload']) {
  const wanted = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  return {
    ask(processes: string[]): string[] {
      if (reload === undefined) return [];
      for (const name of processes) wanted.add(name);
      timer ??= setTimeout(() => {
        timer = undefined;
        // web after every driver, whatever was asked first.
        const drivers = [...wanted].filter((name) => name !== 'core' && name !== 'web');
        wanted.clear();
        reload(['core', ...drivers, 'web']);
      }, answerFirst);
      return processes;
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** Each looks at the list that the one before it has written. */
function createTurns() {
  let last: Promise<unknown> = Promise.resolve();
  return (work: () => Promise<unknown>): Promise<unknown> => {
    const done = last.then(work, work);
    last = done.catch(() => {});
    return done;
  };
}

function checked<T>(schema: z.ZodType<T>, method: (params: T) => Promise<unknown>): RpcMethod {
  return async (params) => {
    const parsed = schema.safeParse(params);
    if (!parsed.success) throw new CodedError('RPC_PARAMS', describeIssues(parsed.error));
    return method(parsed.data);
  };
}
