/** What our nodes use of the API that Node-RED 5.0.7 gives to a node. */
export interface NodeApi {
  readonly nodes: {
    createNode(node: FlowNode, config: object): void;
    registerType<Config extends object>(type: string, start: (this: FlowNode, config: Config) => void): void;
  };
  readonly settings: Readonly<Record<string, unknown>>;
  readonly util: {
    evaluateNodeProperty(value: string, type: string, node: FlowNode, message: FlowMessage): unknown;
  };
  /** A text of the node's own locale file. */
  _(key: string, parameters?: Record<string, string>): string;
}

export type FlowMessage = Record<string, unknown>;

export interface FlowNode {
  status(status: { fill?: 'red' | 'green' | 'yellow' | 'grey' | 'blue'; shape?: 'ring' | 'dot'; text?: string }): void;
  send(message: FlowMessage): void;
  error(message: string): void;
  on(event: 'input', handler: InputHandler): void;
  on(event: 'close', handler: (removed: boolean, done: () => void) => void): void;
}

export type InputHandler = (
  message: FlowMessage,
  send: (message: FlowMessage) => void,
  done: (error?: Error) => void,
) => void;
