import { domainText, domainWords } from './domain-words.ts';
import { energyChinese, energyWords } from './energy-sentences.ts';
import { qualityText } from './kit/state-text.ts';
import { valueText } from './kit/values.ts';
import type { Language } from './kit/words.ts';
import { type Retelling, retell } from './retell.ts';
import { soundChinese } from './sound-sentences.ts';

/*
 * What processes and drivers say is English and names things by their ids. Here it becomes what a gatehouse reads: ids become
 * names in both languages, and the sentences that occur in practice become Chinese. What is left in English says of itself
 * that it is technical.
 */

export interface Names {
  readonly language: Language;
  deviceName(id: string): string;
  /** `<device>/<point>` -> device and label. */
  pointName(ref: string): string;
  /** Of any rule. */
  interlockName(id: string): string;
  /** Where a rule that stands for each place does so: a space, a zone, a device. */
  placeName?(id: string): string;
  /** Of the meter tree. */
  meterName?(id: string): string;
}

const refPattern = '[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*';

function isQuality(text: string): text is 'good' | 'uncertain' | 'bad' {
  return text === 'good' || text === 'uncertain' || text === 'bad';
}

/** Evidence of rules: `meter-main/current_l1 is 112.5 A (good)`. */
function evidence(text: string, names: Names): string {
  const { language } = names;
  return text.replace(new RegExp(`(${refPattern}) is ([^()]*?) \\(([^)]*)\\)`, 'g'), (_, ref, value, quality) => {
    const point = String(ref).split('/')[1] ?? '';
    const [number = '', unit = ''] = String(value).split(' ');
    const isNumber = number !== '' && Number.isFinite(Number(number));
    const parsed = value === 'true' ? true : value === 'false' ? false : isNumber ? Number(number) : String(value);
    const shown = value === 'unknown' ? '—' : valueText(parsed, unit, point, language);
    const [grade = 'bad', reason] = String(quality).split(', ');
    const words = isQuality(grade) ? qualityText(grade, reason, language) : grade;
    const doubt = grade === 'good' ? '' : ` (${words})`;
    const name = names.pointName(String(ref));
    return language === 'zh' ? `${name} 为“${shown}”${doubt}` : `${name} is ${shown}${doubt}`;
  });
}

const held = /^(local|[a-z]+:[a-z0-9_@-]+) at \d+: /;

/** `request:web at 8: lamps are repaired`: what core says of the hold that won, by its owner. */
function holdWords(text: string, names: Names): string {
  return text.replace(held, (_, owner) => `${ownerText(String(owner), names)}${names.language === 'zh' ? '：' : ': '}`);
}

const forbids = /\b(local|[a-z]+:[a-z0-9_@-]+) forbids ("[^"]*"|\S+) below priority \d+: /g;

/** `interlock:gas forbids true below priority 1: gas-kitchen/gas is ...`: what must not be now, by whose word. */
function forbidWords(text: string, names: Names): string {
  const { language } = names;
  return text.replace(forbids, (_, owner, value) => {
    const plain = String(value).replace(/^"|"$/g, '');
    const shown = plain === 'true' ? domainWords[language].on : plain === 'false' ? domainWords[language].off : plain;
    const who = ownerText(String(owner), names);
    return language === 'zh' ? `${who}不允许设为“${shown}”：` : `${who} forbids “${shown}”: `;
  });
}

/** Why an output is held, where its owner is named already. */
export function reasonAlone(text: string): string {
  return text.replace(held, '');
}

function processWords(text: string, { language }: Names): string {
  const known = (name: string) => domainText('process', name, language);
  if (language === 'zh') return text.replace(/进程 ([a-z]+) /g, (_, name) => `进程“${known(name)}”`);
  return text.replace(/\bProcess ([a-z]+) /g, (_, name) => `Process “${known(name)}” `);
}

function eventWords(text: string, names: Names): string {
  const { language } = names;
  return text.replace(/\bevent ([a-z0-9_]+) from ([a-z0-9_-]+)/g, (_, type, device) => {
    const word = domainText('event', type, language);
    return language === 'zh'
      ? `${names.deviceName(device)}：${word}`
      : `${names.deviceName(device)}: ${word.toLowerCase()}`;
  });
}

/* Long because it is a table: the English of our processes, as their code says it. */
const chinese: readonly Retelling<Names>[] = [
  [
    /\bthe alarm of ([a-z0-9_-]+) stood unacknowledged for ([\d.]+) s/g,
    (names, [id = '', s = '']) => `“${names.interlockName(id)}”报警 ${s} 秒无人确认`,
  ],
  [
    /\bthe cause of interlock "([^"]+)" still stands: ?/g,
    (names, [id = '']) => `“${names.interlockName(id)}”的原因仍然存在：`,
  ],
  [/\binterlock "([^"]+)" is not tripped/g, (names, [id = '']) => `“${names.interlockName(id)}”没有触发`],
  [/\binterlock "([^"]+)" is reset/g, (names, [id = '']) => `“${names.interlockName(id)}”已复位`],
  [/\bsilent for (\d+) s/g, '$1 秒没有响应，被强制重启'],
  [/ for ([\d.]+) s\b/g, '，已持续 $1 秒'],
  [/ \(tier (\d+) of (\d+)\)/g, '（第 $1 级，共 $2 级）'],
  [
    /\bthe process ([a-z]+) is not running/g,
    ({ language }, [name = '']) => `进程“${domainText('process', name, language)}”没有运行`,
  ],
  [/; held, next try in (\d+) s\b/g, '；已暂停，$1 秒后再试'],
  [/; held, next try in (\d+) min\b/g, '；已暂停，$1 分钟后再试'],
  [/; next try in (\d+) s\b/g, '；$1 秒后重试'],
  [/; next try in (\d+) min\b/g, '；$1 分钟后重试'],
  [/; tried again after at most (\d+) s\b/g, '；最多 $1 秒后重试'],
  [/\bcamera (\S+) refuses the connection/g, '摄像机 $1 拒绝连接'],
  [/\bcamera (\S+) has no route to it/g, '网络无法到达摄像机 $1'],
  [/\bcamera (\S+) has a name that cannot be resolved( now)?/g, '摄像机的域名 $1 无法解析'],
  [/\bcamera (\S+) does not answer/g, '摄像机 $1 没有应答'],
  [/\bcamera (\S+) did not answer (.+?) within ([\d.]+) s/g, '摄像机 $1 在 $3 秒内没有应答（$2）'],
  [/\bcamera (\S+) hung up in the middle of an answer/g, '摄像机 $1 应答到一半断开'],
  [/\bcamera (\S+) refuses the user name or password( and counts tries)?/g, '摄像机 $1 拒绝用户名或密码'],
  [/\bcamera (\S+) has no free event subscription/g, '摄像机 $1 的事件订阅已满'],
  [/\bcamera (\S+) answers HTTP (\d+)/g, '摄像机 $1 返回 HTTP $2'],
  [/\bcamera (\S+) answers (\S+) instead of ONVIF \(HTTP (\d+)\)/g, '摄像机 $1 返回的不是 ONVIF（$2，HTTP $3）'],
  [/\bcamera (\S+) answers something that is not HTTP/g, '摄像机 $1 返回的不是 HTTP'],
  [/\bcamera (\S+) sends broken XML/g, '摄像机 $1 返回的 XML 已损坏'],
  [/\bcamera (\S+) sent an answer that cannot be understood/g, '摄像机 $1 的应答无法识别'],
  [/\bcamera is being contacted/g, '正在连接摄像机'],
  [/\bevents are flowing/g, '事件正常'],
  [/; no pictures: /g, '；取不到画面：'],
  [/\bcamera answers HTTP (\d+) instead of a picture/g, '摄像机返回 HTTP $1，没有画面'],
  [/\bunit (\d+) did not answer within (\d+) ms(?: \([^)]*\))?/g, '$1 号从站在 $2 毫秒内没有应答'],
  [/\bunit (\d+) refuses to .*?: exception (\d+) \([^)]*\)/g, '$1 号从站拒绝请求（异常码 $2）'],
  [/\bunit (\d+) on \S+ is silent; other devices go first/g, '$1 号从站没有应答，先询问其他设备'],
  [/\bunit (\d+): \d+ bytes came, no valid answer among them/g, '$1 号从站的应答校验错误'],
  [/\bthe connection ended: (\S+)/g, '连接中断（$1）'],
  [/\bthe connection is closed/g, '连接已断开'],
  [/\bconnect ECONNREFUSED ([^\s;；]+)/g, '$1 拒绝连接'],
  [/\bout of step, connecting anew: /g, '应答错位，正在重新连接：'],
  [/\bnobody listens at (\S+?); what is played is sent all the same/g, '$1 没有设备收听；播放内容照常发送'],
  [/\bcannot send to (\S+): /g, '无法向 $1 发送：'],
  [/\bthe sound card (\S+) does not play: /g, '声卡 $1 无法播放：'],
  [
    /\bneither aplay \(alsa-utils\) nor ffmpeg is installed on this machine/g,
    '本机未安装 aplay（alsa-utils）或 ffmpeg',
  ],
  [/\bthe sound card (\S+) can be opened; what hangs on it says nothing back/g, '声卡 $1 可以打开；其后的设备没有回执'],
  [/\bgiven to the sound card (\S+); nothing comes back/g, '已送到声卡 $1，没有回执'],
  [/^plays on the sound card (\S+)$/g, '声卡 $1 正在播放'],
  [/\bnothing was heard from it for too long/g, '太久没有收到它的数据'],
  [
    /\b(\d+) of (\d+) values are bad: ([a-z-]+)/g,
    ({ language }, [n = '', all = '', reason = '']) =>
      `${all} 个值中有 ${n} 个不可用（${qualityText('bad', reason, language)}）`,
  ],
  [/\bexit (\d+)\b/g, '退出码 $1'],
  [/\bSIG(KILL|TERM|SEGV|ABRT)\b/g, '被终止（SIG$1）'],
  [/^the flows run$/g, '流程运行正常'],
  [/^sends to (\S+); no error for (\d+) s$/g, '正在发往 $1，$2 秒内没有错误'],
  [/\bit is not on the broker\b/g, '没有连接消息总线'],
  [/\bdoes not answer\b/g, '没有应答'],
  [/\bits time was over when its turn came/g, '轮到时已过期'],
  [/^answers$/g, '应答正常'],
  [/^nobody holds it: it keeps what it has$/g, '没有人控制，保持原状'],
  [/^what is asked for is forbidden \(/g, '所要求的被禁止（'],
  [/\): it keeps what it has$/g, '），保持原状'],
  [/\): its fail-safe value(?: is .*)?$/g, '），回到安全值'],
  [/^nobody holds it: its fail-safe value(?: is .*)?$/g, '没有人控制，回到安全值'],
];

/** `空教室无人 / the room is empty`: a flow says why in both languages. */
const both = /^([^/]*[\u3400-\u9fff][^/]*) \/ ([\x20-\x7e]+)$/;

function inOneLanguage(text: string, { language }: Names): string {
  return text.replace(both, (_, zh, en) => String(language === 'zh' ? zh : en));
}

/** A sentence of a machine for people. */
export function sentence(said: string | null | undefined, names: Names): string {
  if (said === null || said === undefined || said === '') return '';
  const text = inOneLanguage(said, names);
  const facts = energyWords(evidence(forbidWords(holdWords(text, names), names), names), names);
  const named = processWords(eventWords(facts, names), names);
  if (names.language !== 'zh') return named;
  const told = [energyChinese, soundChinese, chinese].reduce((text, table) => retell(text, table, names), named);
  // Three words of English in a row are a sentence that nobody has put into Chinese yet; what has Chinese in it a person wrote.
  const isTechnical = /[A-Za-z]{2,}( [A-Za-z]{2,}){2}/.test(told) && !/[\u3400-\u9fff]/.test(text);
  return isTechnical ? domainWords.zh.technical(told) : told;
}

/** Who holds an output: `interlock:fire` -> `联锁“火灾疏散”`. */
export function ownerText(owner: string, names: Names): string {
  const cut = owner.indexOf(':');
  if (cut < 0) return domainText('owner', owner, names.language);
  const [kind, id] = [owner.slice(0, cut), owner.slice(cut + 1)];
  if (kind === 'request' && (id === 'web' || id === 'flows')) return domainText('owner', id, names.language);
  return domainWords[names.language].quoted(domainText('owner', kind, names.language), ownName(kind, id, names));
}

/** Of a rule that stands for each place: `照明@r101`. */
function ownName(kind: string, id: string, names: Names): string {
  if (kind === 'repair') return names.deviceName(id);
  if (kind === 'demand') return names.meterName?.(id) ?? id;
  if (kind === 'sound') return domainText('sound', id, names.language);
  if (kind !== 'interlock' && kind !== 'rule') return id;
  const [rule = id, place] = id.split('@');
  const name = names.interlockName(rule);
  return place === undefined ? name : `${name} · ${names.placeName?.(place) ?? place}`;
}
