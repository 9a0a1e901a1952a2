import type { Clock } from '#edge/runtime/clock.ts';
import type { NotifyChannel } from '#edge/runtime/site-notify.ts';
import type { Channel } from './channel.ts';
import { createEmail } from './email.ts';
import { createGateway } from './gateway.ts';
import { createRobot } from './robots.ts';

/** A chat robot answers in a second, a mail server looks at its lists first, ms. */
const callTimeout = 10_000;
const mailTimeout = 30_000;

export interface ChannelOptions {
  /** Of the site file: where the names of secret files start. */
  readonly folder: string;
  readonly clock: Clock;
  /** Instead of the usual ones, ms. */
  readonly timeout?: number;
}

export function createChannel(config: NotifyChannel, { folder, clock, timeout }: ChannelOptions): Channel {
  switch (config.kind) {
    case 'email':
      return createEmail(config, { folder, timeout: timeout ?? mailTimeout });
    case 'wecom':
    case 'dingtalk':
    case 'feishu':
      return createRobot(config, { folder, clock, timeout: timeout ?? callTimeout });
    case 'webhook':
    case 'sms':
      return createGateway(config, { folder, timeout: timeout ?? callTimeout });
  }
}
