import { isSlug } from '#edge/domain/ids.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Ask } from './guest.ts';
import {
  type FlowMessage,
  type FlowNode,
  type NodeApi,
  onInput,
  readList,
  readWords,
  registerCampusNode,
} from './node-api.ts';
import type { Door } from './registry.ts';

interface AlarmConfig {
  /** Its source is `flow:<key>`: nodes with the same key speak of the same alarm. */
  readonly key: string;
  readonly class: 'medium' | 'low';
  /** `中文 | English`; '' takes `msg.message`. */
  readonly message: string;
  readonly next: string;
  /** `raise`, `clear`, or `msg`: as `msg.payload` says, true or false. */
  readonly act: string;
}

type AlarmAsk = Extract<Ask, { ask: 'alarm' }>;

/** An alarm that no flow confirms for a day ends (core's guest-asks.ts). */
const sayAgain = 3_600_000;
const memory = 'raised';

/**
 * `campus alarm`: raises or clears the alarm `flow:<key>`. While it stands the node says so again every hour, also after a
 * restart. The message goes on with `msg.payload` = {accepted, outcome, message}.
 */
export function registerAlarm(RED: NodeApi): void {
  registerCampusNode<AlarmConfig>(RED, 'campus alarm', (node, config, door) => {
    let standing: AlarmAsk | null = null;
    const remember = (ask: AlarmAsk | null) => {
      standing = ask;
      node.context().set(memory, ask, 'disk', (error) => {
        if (error) node.error(messageOf(error));
      });
    };
    const confirm = () => {
      if (standing === null) return;
      door.guest.ask(standing, door.askerOf(node)).catch((error: unknown) => node.error(messageOf(error)));
    };
    node.context().get(memory, 'disk', (error, kept) => {
      if (error || standing !== null || !isAlarmAsk(kept) || kept.key !== config.key) return;
      standing = kept;
      show(node, kept);
      confirm();
    });
    const timer = setInterval(confirm, sayAgain);
    node.on('close', (_removed, done) => {
      clearInterval(timer);
      done();
    });
    onInput(node, async (message) => {
      const ask = readAlarm(config, message);
      const { accepted, outcome, message: sentence } = await door.guest.ask(ask, door.askerOf(node));
      if (accepted) remember(ask.active ? ask : null);
      if (accepted) show(node, ask);
      else node.status({ fill: 'red', shape: 'ring', text: outcome });
      return { ...message, payload: { accepted, outcome, message: sentence } };
    });
  });
}

function show(node: FlowNode, { active, key }: AlarmAsk): void {
  node.status({ fill: active ? 'yellow' : 'grey', shape: active ? 'dot' : 'ring', text: `flow:${key}` });
}

function readAlarm(config: AlarmConfig, message: FlowMessage): AlarmAsk {
  const { key, class: kind } = config;
  if (!isSlug(key)) throw new CodedError('FLOWS_BAD_REQUEST', `key: "${key}" is not a slug (a-z, 0-9, _ and -)`);
  if (kind !== 'medium' && kind !== 'low') throw new CodedError('FLOWS_BAD_REQUEST', 'class: must be medium or low');
  const active = config.act === 'msg' ? message.payload : config.act === 'raise';
  if (typeof active !== 'boolean') throw new CodedError('FLOWS_BAD_REQUEST', 'payload: must be true or false');
  const words = readWords(config.message === '' ? message.message : config.message, 'message');
  return { ask: 'alarm', key, class: kind, message: words, next: readWords(config.next, 'next'), active };
}

/** What the disk gave back. */
function isAlarmAsk(kept: unknown): kept is AlarmAsk {
  return typeof kept === 'object' && kept !== null && Reflect.get(kept, 'ask') === 'alarm';
}

interface NotifyConfig {
  /** Recipients, groups and channels of the site file, parted by commas. */
  readonly to: string;
  /** `中文 | English`; '' takes `msg.payload`. */
  readonly message: string;
}

/** `campus notify`: tells people outside the console. The message goes on with `msg.payload` = {accepted, outcome, message}. */
export function registerNotify(RED: NodeApi): void {
  registerCampusNode<NotifyConfig>(RED, 'campus notify', (node, config, door: Door) => {
    onInput(node, async (message) => {
      const to = readList(config.to).slice(0, 16);
      if (to.length === 0) throw new CodedError('FLOWS_BAD_REQUEST', 'to: name recipients, groups or channels');
      const words = readWords(config.message === '' ? message.payload : config.message, 'message');
      const {
        accepted,
        outcome,
        message: sentence,
      } = await door.guest.ask({ ask: 'notify', to, message: words }, door.askerOf(node));
      node.status({ fill: accepted ? 'green' : 'red', shape: 'dot', text: outcome });
      return { ...message, payload: { accepted, outcome, message: sentence } };
    });
  });
}
