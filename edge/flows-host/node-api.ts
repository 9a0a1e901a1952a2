import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { type Door, doorOf } from './registry.ts';

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
export type Fill = 'red' | 'green' | 'yellow' | 'grey' | 'blue';

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly z?: string;
  readonly _path?: string;
  status(status: { fill?: Fill; shape?: 'ring' | 'dot'; text?: string }): void;
  send(message: FlowMessage): void;
  error(message: string): void;
  on(event: 'input', handler: InputHandler): void;
  on(event: 'close', handler: (removed: boolean, done: () => void) => void): void;
  context(): {
    get(key: string, store: string, done: (error: unknown, value: unknown) => void): void;
    set(key: string, value: unknown, store: string, done: (error: unknown) => void): void;
  };
}

export type InputHandler = (
  message: FlowMessage,
  send: (message: FlowMessage) => void,
  done: (error?: Error) => void,
) => void;

/** Registers a type whose nodes need the campus; in another Node-RED they say that they have none. */
export function registerCampusNode<Config extends object>(
  RED: NodeApi,
  type: string,
  start: (node: FlowNode, config: Config, door: Door) => void,
): void {
  RED.nodes.registerType<Config>(type, function begin(config) {
    RED.nodes.createNode(this, config);
    const door = doorOf(RED.settings);
    if (door === undefined) this.status({ fill: 'red', shape: 'ring', text: RED._('campus.status.noCampus') });
    else start(this, config, door);
  });
}

/** Answers each message by `act`; what it throws is the node's error, for a catch node. */
export function onInput(node: FlowNode, act: (message: FlowMessage) => Promise<FlowMessage | null>): void {
  node.on('input', (message, send, done) => {
    act(message).then(
      (answer) => {
        if (answer !== null) send(answer);
        done();
      },
      (error: unknown) => {
        node.status({ fill: 'red', shape: 'ring', text: messageOf(error).slice(0, 200) });
        done(error instanceof Error ? error : new Error(messageOf(error)));
      },
    );
  });
}

/** Keeps a subscription for the life of the node; that there is none is its status. */
export function keepWatching(node: FlowNode, watching: Promise<AsyncDisposable>): void {
  const kept = watching.catch((error: unknown) => {
    node.status({ fill: 'red', shape: 'ring', text: messageOf(error).slice(0, 200) });
    node.error(messageOf(error));
    return null;
  });
  node.on('close', (_removed, done) => {
    kept
      .then((subscription) => subscription?.[Symbol.asyncDispose]())
      .catch((error: unknown) => node.error(messageOf(error)))
      .finally(done);
  });
}

/** A number of a node's form. Throws FLOWS_BAD_REQUEST. */
export function readNumber(value: unknown, what: string, least: number, most: number): number {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isFinite(number) && number >= least && number <= most) return number;
  throw new CodedError('FLOWS_BAD_REQUEST', `${what}: "${String(value)}" is not between ${least} and ${most}`);
}

/** Ids parted by commas. */
export function readList(text: unknown): readonly string[] {
  return String(text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The words of a form (or of a message), the same in both languages where only one was given: `中文 | English`. */
export function readWords(value: unknown, what: string): { readonly zh: string; readonly en: string } {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
  const [zh = '', en = zh] = text.split(/\s*\|\s*/, 2).map((part) => part.slice(0, 256));
  if (zh === '' || en === '')
    throw new CodedError('FLOWS_BAD_REQUEST', `${what}: must be text, "中文 | English" for both`);
  return { zh, en };
}
