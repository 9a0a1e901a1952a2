import { z } from 'zod';
import { TokenBucket } from '#edge/bus/admission.ts';
import { uuidPattern } from '#edge/domain/ids.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import { isOneAddress, type NotifyChannel, type NotifySite, reaches } from '#edge/runtime/site-notify.ts';
import type { Batch } from '#edge/store/batch.ts';

/* What core does about notices that are on their way: writes down what became of them, and raises the alarm when nobody was told. */

export interface NoticeMethodsOptions {
  readonly notify: NotifySite;
  /** The store's reader. */
  readonly reader: {
    notices(filter: { readonly about?: string; readonly before?: string; readonly limit: number }): readonly Notice[];
  };
  /** Resolves when it is on disk. */
  readonly commit: (batch: Batch) => Promise<void>;
  /** Applies alarm decisions in this turn. */
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  /** Whether an alarm of this source is open and its cause stands. */
  readonly isActive: (source: string) => boolean;
  readonly clock: Clock;
}

const asked = {
  who: z.string().regex(/^(person|token):[a-z0-9_-]{1,63}$/, 'must be person:<id> or token:<id>'),
  from: z.string().max(100),
};
const settleParams = z.strictObject({
  id: z.string().regex(uuidPattern, 'must be the id of a notice'),
  /** What the notice is about: by it the notice is found. */
  about: z.string().min(1).max(200),
  /** `queued`: it was tried, and is tried again at `at`. */
  state: z.enum(['queued', 'delivered', 'failed', 'expired', 'merged']),
  attempts: z.int().min(0).max(10_000),
  at: z.int().min(0),
  detail: z.string().max(500),
});
const channelParams = z.strictObject({ id: z.string().max(63), problem: z.string().max(500).nullable() });
const testParams = z.strictObject({ channel: z.string().max(63), recipient: z.string().max(63).nullable(), ...asked });

/** A test that has not gone out by then tells nothing any more, ms. */
const testLasts = 600_000;
/** Tests at once, and then a second: each may cost money, and robots shut out who writes too often. */
const tests = { burst: 5, perSecond: 0.1 };
const pageSize = 200;
const mostPages = 50;

/** `notice.settle` and `notice.channel` for the process that sends, `notice.test` for people. */
export function createNoticeMethods(options: NoticeMethodsOptions): Readonly<Record<string, RpcMethod>> {
  const { notify, reader, commit, decide, isActive, clock } = options;
  const bucket = new TokenBucket(tests.perSecond, tests.burst, clock);

  const returnAlarm = (channel: string, reason: string): void => {
    const source = sourceOf(channel);
    if (isActive(source)) decide([{ kind: 'return', source, reason }]);
  };

  return {
    'notice.settle': checked(settleParams, async ({ about, ...news }) => {
      const notice = find(reader, about, news.id);
      if (notice === null) throw new CodedError('NOTICE_NOT_FOUND', `there is no notice ${news.id} about ${about}`);
      // Whoever settled it first is right, unless it did get through.
      if (notice.state !== 'queued' && (notice.state === 'delivered' || news.state !== 'delivered')) return {};
      const settled: Notice = {
        ...notice,
        state: news.state,
        attempts: news.attempts,
        at: news.at,
        detail: news.detail,
      };
      await commit({ notices: [settled] });
      if (settled.state === 'delivered') returnAlarm(settled.channel, 'a notice was delivered');
      const wasTold = () => toldAnybody(reader, settled);
      if ((settled.state === 'failed' || settled.state === 'expired') && settled.class === 'critical' && !wasTold()) {
        decide([undelivered(settled, channelOf(notify, settled.channel))]);
      }
      return {};
    }),

    'notice.channel': checked(channelParams, async ({ id, problem }) => {
      const channel = channelOf(notify, id);
      if (channel === undefined) throw new CodedError('CHANNEL_NOT_FOUND', `the site file has no channel "${id}"`);
      if (problem === null) returnAlarm(id, 'the channel works again');
      else if (!isActive(sourceOf(id))) decide([dead(channel, problem)]);
      return {};
    }),

    'notice.test': checked(testParams, async ({ channel: id, recipient, who, from }) => {
      const channel = channelOf(notify, id);
      if (channel === undefined) throw new CodedError('CHANNEL_NOT_FOUND', `the site file has no channel "${id}"`);
      checkRecipient(notify, channel, recipient);
      if (bucket.available() < 1) throw new CodedError('TOO_MANY_REQUESTS', 'wait some seconds between two tests');
      bucket.spend(1);
      const notice = testNotice(id, recipient, clock);
      const to = recipient === null ? '' : ` to ${recipient}`;
      const line = { time: clock.now(), who, from, what: `notify.test ${id}${to}`, why: '', result: 'queued' };
      await commit({ notices: [notice], audit: [line] });
      return { id: notice.id };
    }),
  };
}

function checkRecipient(notify: NotifySite, channel: NotifyChannel, recipient: string | null): void {
  if (isOneAddress(channel)) {
    if (recipient !== null)
      throw new CodedError('BAD_RECIPIENT', `channel "${channel.id}" is one address itself: it takes no recipient`);
    return;
  }
  const person = notify.recipients.find(({ id }) => id === recipient);
  if (person === undefined) throw new CodedError('BAD_RECIPIENT', `there is no recipient "${recipient ?? ''}"`);
  if (!reaches(channel, person))
    throw new CodedError('BAD_RECIPIENT', `channel "${channel.id}" has no address of "${person.id}"`);
}

function testNotice(channel: string, recipient: string | null, clock: Clock): Notice {
  const now = clock.now();
  return {
    id: newHappeningId(clock),
    about: 'test',
    class: 'low',
    title: { zh: '这是一条测试通知', en: 'This is a test' },
    text: { zh: '收到此消息说明该通知渠道可用，无需处理。', en: 'You need do nothing: this channel works.' },
    channel,
    recipient,
    step: 0,
    created: now,
    notBefore: now,
    expires: now + testLasts,
    state: 'queued',
    attempts: 0,
    at: now,
    detail: '',
  };
}

type Reader = NoticeMethodsOptions['reader'];

/** Newest first, so one that is on its way is on the first page. */
function find(reader: Reader, about: string, id: string): Notice | null {
  let before: string | undefined;
  for (let i = 0; i < mostPages; i++) {
    const page = reader.notices({ about, limit: pageSize, ...(before === undefined ? {} : { before }) });
    const found = page.find((notice) => notice.id === id);
    if (found !== undefined) return found;
    before = page.at(-1)?.id;
    if (before === undefined || page.length < pageSize) return null;
  }
  return null;
}

/** Somebody was told of the same, at this step or a later one, or still may be. */
function toldAnybody(reader: Reader, { about, id, step }: Notice): boolean {
  return reader
    .notices({ about, limit: pageSize })
    .some((other) => other.id !== id && other.step >= step && ['queued', 'delivered', 'merged'].includes(other.state));
}

function channelOf(notify: NotifySite, id: string): NotifyChannel | undefined {
  return notify.channels.find((channel) => channel.id === id);
}

function sourceOf(channel: string): string {
  return `notify:${channel}`;
}

function dead({ id, name }: NotifyChannel, problem: string): AlarmDecision {
  return {
    kind: 'raise',
    source: sourceOf(id),
    class: 'high',
    message: { zh: `通知渠道“${name.zh}”不可用`, en: `Notices cannot be sent by "${name.en}"` },
    next: {
      zh: `检查网络、账号与该渠道的密钥文件；期间请留意控制台：${problem}`,
      en: `Check the network, the account and the channel's secret files, and watch the console meanwhile: ${problem}`,
    },
    reason: problem,
  };
}

function undelivered(notice: Notice, channel: NotifyChannel | undefined): AlarmDecision {
  const name = channel?.name ?? { zh: notice.channel, en: notice.channel };
  return {
    kind: 'raise',
    source: sourceOf(notice.channel),
    class: 'high',
    message: {
      zh: `紧急通知未能送达任何人：${notice.title.zh}`,
      en: `Nobody could be told of a critical alarm: ${notice.title.en}`,
    },
    next: {
      zh: `立即电话通知值班人员，并检查通知渠道“${name.zh}”：${notice.detail}`,
      en: `Call those on duty now, and check "${name.en}": ${notice.detail}`,
    },
    reason: notice.detail,
  };
}

function checked<T>(schema: z.ZodType<T>, method: (params: T) => Promise<unknown>): RpcMethod {
  return async (params) => {
    const parsed = schema.safeParse(params);
    if (!parsed.success) throw new CodedError('RPC_PARAMS', describeIssues(parsed.error));
    return method(parsed.data);
  };
}
