import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { NotifyChannelOf } from '#edge/runtime/site-notify.ts';
import { checkCallUrl } from '#edge/runtime/site-notify.ts';
import type { Channel, Message, Outcome } from './channel.ts';
import { type Answer, callHttp, judgeStatus } from './http-call.ts';
import { partsOfSecretUrl, readAuthority, readSecret, redact } from './secrets.ts';
import { cutBytes } from './words.ts';

/*
 * Robots of group chats. Each answers HTTP 200 whatever happens: only its JSON says whether people see the message. Texts, not
 * Markdown: what an alarm says must not become markup, and 企业微信 shows Markdown in its own app only.
 */

export type RobotConfig = NotifyChannelOf<'wecom'> | NotifyChannelOf<'dingtalk'> | NotifyChannelOf<'feishu'>;

interface Protocol {
  readonly pace: Channel['pace'];
  /** The body, and what the signature adds to the address. */
  write(
    message: Message,
    secret: string | null,
    time: number,
  ): { readonly body: object; readonly query: Readonly<Record<string, string>> };
  /** What its JSON says; null: it is not an answer of this robot. */
  judge(answer: unknown): { readonly code: number; readonly said: string } | null;
  /** Codes that mean "slower", with the pause that follows, ms. */
  readonly slower: Readonly<Record<number, number>>;
  /** Codes that speak of this one message. */
  readonly refusals: readonly number[];
}

const minute = 60_000;
const errcode = z.looseObject({ errcode: z.number(), errmsg: z.string().default('') });

function judgeErrcode(answer: unknown): { code: number; said: string } | null {
  const parsed = errcode.safeParse(answer);
  return parsed.success ? { code: parsed.data.errcode, said: parsed.data.errmsg } : null;
}

/** 企业微信 "群机器人配置说明" (developer.work.weixin.qq.com/document/path/91770): text of 2,048 bytes, 20 messages a minute. */
const wecom: Protocol = {
  pace: [[20, minute]],
  write: ({ words }) => ({
    body: { msgtype: 'text', text: { content: cutBytes(harmless(words.text), 2_048) } },
    query: {},
  }),
  judge: judgeErrcode,
  // "api freq out of limit", "concurrent", "system busy"
  slower: { 45009: minute, 45033: 5_000, [-1]: 10_000 },
  // Content that is too long, empty or against the rules.
  refusals: [40058, 44004, 45002],
};

/**
 * 钉钉 "自定义机器人接入" and "自定义机器人安全设置" (open.dingtalk.com): `timestamp` (ms) and `sign` = base64 of HMAC-SHA256 with the
 * secret over "<timestamp>\n<secret>"; 20 messages a minute, who exceeds them is shut out for 10 minutes; content of 5,000 characters.
 */
const dingtalk: Protocol = {
  pace: [[20, minute]],
  write: ({ words }, secret, time) => ({
    body: { msgtype: 'text', text: { content: cutBytes(words.text, 5_000) }, at: { isAtAll: false } },
    query: secret === null ? {} : { timestamp: String(time), sign: signature(secret, `${time}\n${secret}`) },
  }),
  judge: judgeErrcode,
  // "send too fast, exceed 20 times per minute"; 90030 "webhook over limit"
  slower: { 130101: 10 * minute, 90030: 10 * minute, [-1]: 10_000 },
  refusals: [34014, 34016],
};

const feishuAnswer = z.looseObject({ code: z.number(), msg: z.string().default('') });

/**
 * 飞书 "自定义机器人使用指南" (open.feishu.cn): `timestamp` (s) and `sign` = base64 of HMAC-SHA256 with the KEY
 * "<timestamp>\n<secret>" over nothing, both in the body; 100 messages a minute and 5 a second; a body of 20 KB.
 */
const feishu: Protocol = {
  pace: [
    [100, minute],
    [5, 1_000],
  ],
  write: ({ words }, secret, time) => {
    const timestamp = String(Math.floor(time / 1_000));
    const signed = secret === null ? {} : { timestamp, sign: signature(`${timestamp}\n${secret}`, '') };
    return {
      body: { ...signed, msg_type: 'text', content: { text: cutBytes(harmless(words.text), 8_000) } },
      query: {},
    };
  },
  judge: (answer) => {
    const parsed = feishuAnswer.safeParse(answer);
    return parsed.success ? { code: parsed.data.code, said: parsed.data.msg } : null;
  },
  // 11232 comes also from everybody's load at full hours; 99991400 is the open platform's own.
  slower: { 11232: minute, 99991400: minute },
  // "Bad Request" of this body.
  refusals: [9499],
};

const protocols: Readonly<Record<RobotConfig['kind'], Protocol>> = { wecom, dingtalk, feishu };

export interface RobotOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Of one call, ms. */
  readonly timeout: number;
}

export function createRobot(config: RobotConfig, { folder, clock, timeout }: RobotOptions): Channel {
  const protocol = protocols[config.kind];
  const secretFile = config.kind === 'wecom' ? undefined : config.secretFile;
  const readFiles = async () => ({
    url: await readAddress(folder, config.urlFile),
    secret: secretFile === undefined ? null : await readSecret(folder, secretFile),
    ca: config.ca === undefined ? null : await readAuthority(folder, config.ca),
  });
  return {
    config,
    // What the file says stands beside what the robot allows.
    pace: [...protocol.pace, ...(config.perMinute === undefined ? [] : [[config.perMinute, minute] as const])],
    width: 1,
    async send(message, _to, signal) {
      const { url, secret, ca } = await readFiles();
      const hidden = [...partsOfSecretUrl(url), ...(secret === null ? [] : [secret])];
      const { body, query } = protocol.write(message, secret, clock.now());
      const signed = new URL(url);
      for (const [key, value] of Object.entries(query)) signed.searchParams.set(key, value);
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      const call = { url: signed, method: 'POST', headers, body: JSON.stringify(body), ca, timeout } as const;
      return judge(protocol, await callHttp(call, signal), hidden);
    },
    async check() {
      await readFiles();
      return null;
    },
  };
}

async function readAddress(folder: string, file: string): Promise<URL> {
  const text = await readSecret(folder, file);
  const wrong = checkCallUrl(text);
  if (wrong !== null) throw new CodedError('NOTIFY_SECRET', `${file}: the address ${wrong}`);
  return new URL(text);
}

function judge(protocol: Protocol, answer: Answer, hidden: readonly string[]): Outcome {
  const parsed = protocol.judge(parseJson(answer.text));
  if (parsed === null) {
    const said = redact(answer.text, hidden).slice(0, 100);
    const detail = `HTTP ${answer.status}, but not an answer of such a robot${said === '' ? '' : `: ${said}`}`;
    return judgeStatus(answer, said) ?? { kind: 'broken', detail };
  }
  const { code } = parsed;
  const detail = `code ${code}${parsed.said === '' ? '' : `: ${redact(parsed.said, hidden)}`}`;
  const pause = protocol.slower[code];
  if (pause !== undefined) return { kind: 'limited', detail, after: pause };
  if (code === 0 && answer.status === 200) return { kind: 'delivered', detail };
  return { kind: protocol.refusals.includes(code) ? 'refused' : 'broken', detail };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function signature(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64');
}

/** `<@name>` and `<at user_id="all">` call everybody of the group: what an alarm says must not. */
function harmless(text: string): string {
  return text.replaceAll('<', '＜');
}
