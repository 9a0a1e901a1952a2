import { domainText } from '../../domain-words.ts';
import type { Language } from '../../kit/words.ts';

/*
 * Reasons and results of the audit are the English of our processes. The usual ones become Chinese here; what is not known
 * stays as it was written, and the drawer shows the writing of every line.
 */

type Rule = readonly [RegExp, string];

const chinese: readonly Rule[] = [
  [/^password$/, '凭密码'],
  [/^totp$/, '凭密码和验证码'],
  [/^oidc$/, '经身份认证平台'],
  [/^setup$/, '凭初始化验证码'],
  [/^signed in$/, '已登录'],
  [/^signed out$/, '已退出'],
  [/^accepted$/, '已接受'],
  [/^accepted; (\S+) counted in between$/, '已接受，跳变期间计 $1'],
  [/^(\S+) counted in between, (\S+) before$/, '跳变期间改计 $1，原为 $2'],
  [/^rejected$/, '已拒绝'],
  [/^begun$/, '已开始'],
  [/^saved$/, '已保存'],
  [/^forgotten$/, '已清除'],
  [/^done$/, '已完成'],
  [/^sent to ([a-z]+)$/, '已发往 $1'],
  [/^sent$/, '已发出'],
  [/^locked: too many wrong tries$/, '错误次数过多，已锁定'],
  [/^refused: wrong password\b/, '被拒：密码错误'],
  [/^refused: wrong code\b/, '被拒：验证码错误'],
  [/^refused: disabled\b/, '被拒：账号已停用'],
  [/^refused: locked\b/, '被拒：账号锁定中'],
  [/^refused: unknown account\b/, '被拒：没有这个账号'],
  [/^refused: unauthorized\b/, '被拒：未登录'],
  [/^refused: forbidden\b/, '被拒：没有权限'],
  [/^refused: password-expired\b/, '被拒：须先修改密码'],
  [/^refused: csrf\S*/, '被拒：不是从本控制台发出'],
  [/^refused: /, '被拒：'],
  [/ \((\d+) times\)$/, '（$1 次）'],
  [/^the session from (\S+) ended$/, '来自 $1 的登录已结束'],
  [/^(\d+) bytes$/, '$1 字节'],
  [/^(\d+) files, (\d+) bytes$/, '$1 个文件，$2 字节'],
  [/^(\d+) lines$/, '$1 行'],
  [/^(\d+) rows$/, '$1 行'],
  [/^(\d+) left$/, '还剩 $1 个'],
  [/^lines up to (\d+)$/, '至第 $1 条'],
  [/^line (\d+) of an imported table$/, '导入表格第 $1 行'],
  [/^nobody holds it: its fail-safe value$/, '无人控制，取故障安全值'],
  [/^command [0-9a-f-]{36}$/, '对应命令'],
  [/^was (.+)$/, '原值 $1'],
  [/^holding: .+ for (\d+) s at priority (\d+)$/, '已生效，$1 秒，优先级 $2'],
  [/^the alarm ended$/, '报警已结束'],
  [/^it was not shelved$/, '并未搁置'],
  [/^nothing changed$/, '没有变化'],
];

const fields: Readonly<Record<string, string>> = {
  name: '姓名或名称',
  role: '角色',
  zones: '范围',
  password: '密码',
  totp: '两步验证',
  recovery: '恢复码',
  disabled: '停用',
  expired: '须改密码',
  passwordTime: '密码时间',
  created: '建立时间',
  digest: '密钥',
  scopes: '权限',
  expires: '到期',
  number: '资产编号',
  make: '厂家',
  model: '型号',
  serial: '序列号',
  place: '地点',
  bought: '购置日期',
  warranty: '质保到期',
  every: '维护周期',
  responsible: '负责角色',
  notes: '备注',
  maintenance: '维护记录',
};

/** `role "viewer" -> "security"; password changed` -> `角色 "viewer" → "security"；密码 已修改`. */
function changes(text: string): string {
  const parts = text.split('; ').map((part) => {
    const [, field = '', rest = ''] = /^([a-zA-Z]+) (.*)$/s.exec(part) ?? [];
    const word = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (word === undefined) return null;
    const said = { changed: '已修改', set: '已设置', removed: '已删除' }[rest];
    return `${word} ${said ?? rest.replace(' -> ', ' → ')}`;
  });
  return parts.every((part) => part !== null) ? parts.join('；') : text;
}

/** A reason or a result for people. */
export function outcomeText(text: string, language: Language): string {
  if (language === 'en' || text === '') return text;
  let said = text;
  for (const [pattern, words] of chinese) said = said.replace(pattern, words);
  said = said.replace(/^已发往 ([a-z]+)$/, (_, process) => `已发往“${domainText('process', String(process), 'zh')}”`);
  return said === text ? changes(text) : said;
}
