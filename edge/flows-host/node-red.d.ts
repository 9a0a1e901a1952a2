/* What we use of Node-RED 5.0.7 and node-red-embedded-start 1.0.1, which ship no types. */

declare module 'node-red' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage, Server, ServerResponse } from 'node:http';

  interface NodeRed {
    init(server: Server, settings: object): void;
    /** Resolves before the flows run. */
    start(): Promise<void>;
    stop(): Promise<void>;
    readonly events: EventEmitter;
    /** The Express application of the editor and its API; its routes do not know `httpAdminRoot`. */
    readonly httpAdmin: (request: IncomingMessage, response: ServerResponse) => void;
    readonly nodes: { getFlows(): object | null };
  }
  const RED: NodeRed;
  export default RED;
}

declare module 'node-red-embedded-start' {
  import type RED from 'node-red';

  /** Resolves with `result` when flows are loaded. */
  const waitForFlows: <T>(red: typeof RED, timeout: number, result: T) => Promise<T>;
  export default waitForFlows;
}
