/** The part of net-snmp that we use; the package has no types of its own. */
declare module 'net-snmp' {
  import type { EventEmitter } from 'node:events';

  export interface Varbind {
    readonly oid: string;
    readonly type: number;
    /** Counter64 and OCTET STRING are Buffers; INTEGER, Counter32, Gauge32 and TimeTicks numbers; an OID is text. */
    readonly value: unknown;
  }
  type Answer<T> = (error: Error | null, varbinds?: readonly T[]) => void;

  export interface Session extends EventEmitter {
    get(oids: readonly string[], answer: Answer<Varbind>): void;
    getBulk(
      oids: readonly string[],
      nonRepeaters: number,
      repetitions: number,
      answer: Answer<readonly Varbind[]>,
    ): void;
    set(varbinds: readonly Varbind[], answer: Answer<Varbind>): void;
    close(): void;
  }

  export interface User {
    readonly name: string;
    readonly level: number;
    readonly authProtocol: number;
    readonly authKey: string;
    readonly privProtocol: number;
    readonly privKey: string;
  }

  interface SessionOptions {
    readonly port: number;
    readonly retries: number;
    readonly timeout: number;
    readonly version?: number;
    readonly transport?: 'udp4' | 'udp6';
    readonly reportOidMismatchErrors?: boolean;
    readonly backwardsGetNexts?: boolean;
    /** Stands in for node:dgram. */
    readonly dgramModule?: { createSocket(transport: string): object };
  }

  // --- the agent, for simulators ---

  export interface MibRequest {
    /** Of the whole instance, as an array of numbers or dotted text. */
    readonly operation: number;
    readonly instanceNode?: { readonly value: unknown; readonly oid: string };
    readonly setValue?: unknown;
    readonly setType?: number;
    done(error?: object): void;
  }
  export interface Provider {
    readonly name: string;
    readonly type: number;
    readonly oid: string;
    readonly scalarType?: number;
    readonly maxAccess?: number;
    readonly tableColumns?: readonly {
      readonly number: number;
      readonly name: string;
      readonly type: number;
      readonly maxAccess: number;
    }[];
    readonly tableIndex?: readonly { readonly columnNumber?: number; readonly columnName?: string }[];
    readonly handler?: (request: MibRequest) => void;
  }
  export interface Mib {
    setScalarValue(name: string, value: unknown): void;
    addTableRow(table: string, row: readonly unknown[]): void;
    getTableSingleCell(table: string, column: number, index: readonly number[]): unknown;
    setTableSingleCell(table: string, column: number, index: readonly number[], value: unknown): void;
  }
  export interface Agent {
    getMib(): Mib;
    getAuthorizer(): { addCommunity(community: string): void; addUser(user: User): void };
    registerProvider(provider: Provider): void;
    close(done?: () => void): void;
  }

  const snmp: {
    readonly Version2c: number;
    readonly SecurityLevel: { readonly authPriv: number };
    readonly ObjectType: Readonly<
      Record<
        | 'Integer'
        | 'OctetString'
        | 'OID'
        | 'Counter'
        | 'Gauge'
        | 'TimeTicks'
        | 'Counter64'
        | 'NoSuchObject'
        | 'NoSuchInstance'
        | 'EndOfMibView',
        number
      >
    >;
    readonly AuthProtocols: Readonly<Record<'sha' | 'sha256' | 'sha512', number>>;
    readonly PrivProtocols: Readonly<Record<'aes' | 'aes256b' | 'aes256r', number>>;
    readonly MibProviderType: { readonly Scalar: number; readonly Table: number };
    readonly MaxAccess: Readonly<Record<'not-accessible' | 'read-only' | 'read-write', number>>;
    createSession(host: string, community: string, options: SessionOptions): Session;
    createV3Session(host: string, user: User, options: SessionOptions): Session;
    createAgent(
      options: {
        readonly port: number;
        readonly address: string;
        readonly transport: 'udp4' | 'udp6';
        readonly dgramModule: { createSocket(transport: 'udp4' | 'udp6'): object };
      },
      heard: (error: Error | null, data?: unknown) => void,
    ): Agent;
  };
  export default snmp;
}
