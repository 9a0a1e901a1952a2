/* What we use of Node-RED 5.0.7 and node-red-embedded-start 1.0.1, which ship no types. */

declare module 'node-red' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage, Server, ServerResponse } from 'node:http';

  interface FlowConfig {
    readonly rev: string;
    readonly flows: readonly object[];
  }
  interface NodeRed {
    init(server: Server, settings: object): void;
    /** Resolves before the flows run. */
    start(): Promise<void>;
    stop(): Promise<void>;
    readonly events: EventEmitter;
    readonly hooks: {
      add(name: string, handler: (event: never) => undefined): void;
    };
    /** The Express application of the editor and its API; its routes do not know `httpAdminRoot`. */
    readonly httpAdmin: (request: IncomingMessage, response: ServerResponse) => void;
    readonly nodes: { getFlows(): FlowConfig | null };
    readonly runtime: {
      readonly flows: {
        /** Throws what storage throws, and `version_mismatch` (status 409) for another `rev` than the present one. */
        setFlows(options: {
          readonly flows?: FlowConfig;
          /** `flows` starts changed tabs anew, `reload` everything as it is on disk. */
          readonly deploymentType: 'full' | 'flows' | 'reload';
          readonly user?: object;
        }): Promise<{ readonly rev: string }>;
        getFlows(options: object): Promise<FlowConfig>;
      };
    };
  }
  const RED: NodeRed;
  export default RED;
}

declare module '@node-red/runtime/lib/flows/util.js' {
  /** A tab as it runs; of an instance of a subflow `TYPE` is `subflow`. */
  export interface RunningFlow {
    readonly TYPE: string;
    readonly id: string;
    readonly path: string;
    readonly isGlobalFlow?: boolean;
    readonly parent: RunningFlow;
    stop(): Promise<unknown>;
    start(): Promise<unknown>;
  }
  const util: {
    createNode(flow: RunningFlow, config: { id: string; type: string; name?: string }): Promise<object | null>;
  };
  export default util;
}

declare module 'node-red-embedded-start' {
  import type RED from 'node-red';

  /** Resolves with `result` when flows are loaded. */
  const waitForFlows: <T>(red: typeof RED, timeout: number, result: T) => Promise<T>;
  export default waitForFlows;
}
