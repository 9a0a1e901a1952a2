import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import snmp, { type Agent, type Mib } from 'net-snmp';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';

export interface SwitchOptions {
  readonly host: string;
  /** UDP; 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly ports: number;
  /** SNMPv2c. */
  readonly community: string;
  /** SNMPv3, authPriv with SHA and AES-128. */
  readonly v3?: { readonly user: string; readonly authPassword: string; readonly privacyPassword: string };
  /** What hangs on which port; told when its power goes or comes back. */
  readonly powered?: Readonly<Record<number, (on: boolean) => void>>;
}

/** A running switch. It speaks only through its socket; this is the hand that holds it. */
export interface PoeSwitch extends AsyncDisposable {
  readonly port: number;
  /** Whether each port gives power, first = port 1. */
  power(): readonly boolean[];
  /** It hears nothing any more, as after its plug was pulled; or it does again. */
  deaf(on: boolean): void;
  /** It starts again: its clock and counters begin at 0. */
  reboot(): void;
  /** How often each port was switched off since the start, first = port 1. */
  readonly cuts: readonly number[];
}

const { ObjectType, MibProviderType, MaxAccess } = snmp;
const readOnly = MaxAccess['read-only'] ?? 2;
const readWrite = MaxAccess['read-write'] ?? 3;
const hidden = MaxAccess['not-accessible'] ?? 0;
/** Bytes a second of a camera that sends, and of what is told to it. */
const stream = 500_000;
const control = 4_000;

/** A managed PoE switch with the standard tables: IF-MIB (RFC 2863) and POWER-ETHERNET-MIB (RFC 3621). */
export async function startSwitch(options: SwitchOptions): Promise<PoeSwitch> {
  const { host, clock, community, v3 } = options;
  const transport = isIPv6(host) ? 'udp6' : 'udp4';
  const socket = createSocket(transport);
  let isDeaf = false;
  let began = clock.monotonic();
  const listening = new Promise<void>((resolve, reject) => {
    socket.once('listening', resolve);
    socket.once('error', (error) =>
      reject(new CodedError('SWITCH_PORT', `the switch cannot listen: ${error.message}`)),
    );
  });
  const agent = snmp.createAgent(
    {
      port: options.port,
      address: host,
      transport,
      dgramModule: { createSocket: () => muffled(socket, options.port, () => isDeaf) },
    },
    // Whoever asks wrongly is told so by the agent.
    () => {},
  );
  const ports = Array.from({ length: options.ports }, (_, i) => ({ number: i + 1, on: true, cuts: 0 }));
  const seconds = () => (clock.monotonic() - began) / 1_000;
  const mib = describe(agent, ports.length, {
    refresh: () => show(mib, ports, options.powered ?? {}, seconds()),
    wrote: () => obey(mib, ports, options.powered ?? {}),
  });
  agent.getAuthorizer().addCommunity(community);
  if (v3 !== undefined) {
    agent.getAuthorizer().addUser({
      name: v3.user,
      level: snmp.SecurityLevel.authPriv,
      authProtocol: snmp.AuthProtocols.sha,
      authKey: v3.authPassword,
      privProtocol: snmp.PrivProtocols.aes,
      privKey: v3.privacyPassword,
    });
  }
  show(mib, ports, options.powered ?? {}, 0);
  await listening;
  return {
    port: socket.address().port,
    power: () => ports.map(({ on }) => on),
    deaf: (on) => {
      isDeaf = on;
    },
    reboot: () => {
      began = clock.monotonic();
    },
    get cuts() {
      return ports.map(({ cuts }) => cuts);
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => agent.close(() => resolve())),
  };
}

interface PoePort {
  readonly number: number;
  on: boolean;
  cuts: number;
}

/** The socket, but for what it must not hear; on the port that was asked for, where the library takes 0 for 161. */
function muffled(socket: Socket, port: number, isDeaf: () => boolean): Socket {
  return new Proxy(socket, {
    get: (target, key) => {
      if (key === 'bind') return (_: number, address: string) => target.bind(port, address);
      if (key !== 'on') {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (event: string, listener: (...what: unknown[]) => void) =>
        target.on(event, (...what: unknown[]) => {
          if (event !== 'message' || !isDeaf()) listener(...what);
        });
    },
  });
}

const column = (number: number, name: string, type: number, maxAccess = readOnly) => ({
  number,
  name,
  type,
  maxAccess,
});

function describe(agent: Agent, ports: number, hear: { refresh: () => void; wrote: () => void }): Mib {
  const fresh = {
    handler: (request: { done(): void }) => {
      hear.refresh();
      request.done();
    },
  };
  agent.registerProvider({
    name: 'sysDescr',
    type: MibProviderType.Scalar,
    oid: '1.3.6.1.2.1.1.1',
    scalarType: ObjectType.OctetString,
    maxAccess: readOnly,
  });
  agent.registerProvider({
    name: 'sysUpTime',
    type: MibProviderType.Scalar,
    oid: '1.3.6.1.2.1.1.3',
    scalarType: ObjectType.TimeTicks,
    maxAccess: readOnly,
    ...fresh,
  });
  agent.registerProvider({
    name: 'ifTable',
    type: MibProviderType.Table,
    oid: '1.3.6.1.2.1.2.2.1',
    maxAccess: hidden,
    tableColumns: [
      column(1, 'ifIndex', ObjectType.Integer),
      column(2, 'ifDescr', ObjectType.OctetString),
      column(8, 'ifOperStatus', ObjectType.Integer),
    ],
    tableIndex: [{ columnName: 'ifIndex' }],
    ...fresh,
  });
  agent.registerProvider({
    name: 'ifXTable',
    type: MibProviderType.Table,
    oid: '1.3.6.1.2.1.31.1.1.1',
    maxAccess: hidden,
    // The index of ifXTable is ifTable's; the library wants a column of its own for it.
    tableColumns: [
      column(6, 'ifHCInOctets', ObjectType.Counter64),
      column(10, 'ifHCOutOctets', ObjectType.Counter64),
      column(99, 'row', ObjectType.Integer, hidden),
    ],
    tableIndex: [{ columnName: 'row' }],
    ...fresh,
  });
  agent.registerProvider({
    name: 'pethPsePortTable',
    type: MibProviderType.Table,
    oid: '1.3.6.1.2.1.105.1.1.1',
    maxAccess: hidden,
    tableColumns: [
      column(1, 'pethPsePortGroupIndex', ObjectType.Integer, hidden),
      column(2, 'pethPsePortIndex', ObjectType.Integer, hidden),
      column(3, 'pethPsePortAdminEnable', ObjectType.Integer, readWrite),
      column(6, 'pethPsePortDetectionStatus', ObjectType.Integer),
      column(10, 'pethPsePortPowerClassifications', ObjectType.Integer),
    ],
    tableIndex: [{ columnName: 'pethPsePortGroupIndex' }, { columnName: 'pethPsePortIndex' }],
    handler: (request) => {
      request.done();
      // The new value is in its cell when `done` returns, at the latest in the next turn (a SET is tried first).
      setImmediate(() => setImmediate(hear.wrote));
    },
  });
  agent.registerProvider({
    name: 'pethMainPseTable',
    type: MibProviderType.Table,
    oid: '1.3.6.1.2.1.105.1.3.1.1',
    maxAccess: hidden,
    tableColumns: [
      column(1, 'pethMainPseGroupIndex', ObjectType.Integer, hidden),
      column(2, 'pethMainPsePower', ObjectType.Gauge),
      column(3, 'pethMainPseOperStatus', ObjectType.Integer),
      column(4, 'pethMainPseConsumptionPower', ObjectType.Gauge),
    ],
    tableIndex: [{ columnName: 'pethMainPseGroupIndex' }],
    ...fresh,
  });
  const mib = agent.getMib();
  mib.setScalarValue('sysDescr', 'Virtual campus PoE switch');
  mib.setScalarValue('sysUpTime', 0);
  for (let port = 1; port <= ports; port++) {
    mib.addTableRow('ifTable', [port, `port ${port}`, 2]);
    mib.addTableRow('ifXTable', [bytes(0), bytes(0), port]);
    mib.addTableRow('pethPsePortTable', [1, port, 1, 2, 1]);
  }
  mib.addTableRow('pethMainPseTable', [1, 15 * ports, 1, 0]);
  return mib;
}

/** What stands in the tables now. */
function show(
  mib: Mib,
  ports: readonly PoePort[],
  powered: NonNullable<SwitchOptions['powered']>,
  seconds: number,
): void {
  const used = (port: PoePort) => port.on && powered[port.number] !== undefined;
  mib.setScalarValue('sysUpTime', Math.floor(seconds * 100));
  for (const port of ports) {
    const isUsed = used(port);
    mib.setTableSingleCell('ifTable', 8, [port.number], isUsed ? 1 : 2);
    mib.setTableSingleCell('ifXTable', 6, [port.number], bytes(isUsed ? stream * seconds : 0));
    mib.setTableSingleCell('ifXTable', 10, [port.number], bytes(isUsed ? control * seconds : 0));
    mib.setTableSingleCell('pethPsePortTable', 6, [1, port.number], port.on ? (isUsed ? 3 : 2) : 1);
    mib.setTableSingleCell('pethPsePortTable', 10, [1, port.number], isUsed ? 4 : 1);
  }
  mib.setTableSingleCell('pethMainPseTable', 4, [1], 6 * ports.filter(used).length);
}

/** Somebody wrote pethPsePortAdminEnable: what hangs there loses its power or has it again. */
function obey(mib: Mib, ports: readonly PoePort[], powered: NonNullable<SwitchOptions['powered']>): void {
  for (const port of ports) {
    const on = mib.getTableSingleCell('pethPsePortTable', 3, [1, port.number]) !== 2;
    if (on === port.on) continue;
    port.on = on;
    if (!on) port.cuts++;
    mib.setTableSingleCell('pethPsePortTable', 6, [1, port.number], on ? 2 : 1);
    powered[port.number]?.(on);
  }
}

function bytes(count: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(Math.floor(count)));
  return buffer;
}
