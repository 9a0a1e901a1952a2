import { defineWords } from '../../kit/words.ts';

/* What the audit's verbs mean, for people. The line as it was written is always shown beside it. */

export const deedWords = defineWords({
  zh: {
    'sign-in': '登录',
    'sign-out': '退出登录',
    setup: '创建首位管理员',
    'person.create': '新建账号',
    'person.change': '修改账号',
    'person.remove': '删除账号',
    'person.unlock': '解除账号锁定',
    'person.change-password': '修改密码',
    'person.second-factor-on': '开启两步验证',
    'person.second-factor-off': '关闭两步验证',
    'person.use-recovery-code': '使用恢复码',
    'session.revoke': '结束登录',
    'token.create': '新建接口令牌',
    'token.change': '修改接口令牌',
    'token.remove': '删除接口令牌',
    request: '请求控制输出',
    relinquish: '放弃控制输出',
    hold: '联锁控制输出',
    command: '向设备下达命令',
    result: '设备执行结果',
    'interlock.reset': '复位联锁',
    'alarm.acknowledge': '确认报警',
    'alarm.shelve': '搁置报警',
    'alarm.unshelve': '取消搁置报警',
    'device.adopt': '接入设备',
    'device.give-up': '移除设备',
    'device.try': '试读设备',
    'inbox.ignore': '忽略待接入设备',
    'inbox.show': '恢复待接入设备',
    'inbox.forget': '清除待接入记录',
    'ignored.create': '忽略待接入设备',
    'ignored.remove': '恢复待接入设备',
    'plan.create': '上传平面图',
    'plan.change': '修改平面图',
    'plan.remove': '删除平面图',
    'placement.create': '在图上放置设备',
    'placement.change': '在图上移动设备',
    'placement.remove': '从图上取下设备',
    'asset.create': '登记资产',
    'asset.change': '修改资产',
    'asset.remove': '删除资产登记',
    'asset.maintain': '记录维护',
    'flows.deploy': '部署流程',
    export: '导出数据',
    'backup.make': '制作备份',
    'backup.fetch': '下载备份',
    'backup.restored': '恢复备份',
    'audit.break': '审计链中断',
    retention: '按期限清理数据',
    http: '被拒绝的访问',
  },
  en: {
    'sign-in': 'Sign-in',
    'sign-out': 'Sign-out',
    setup: 'First administrator',
    'person.create': 'Account made',
    'person.change': 'Account changed',
    'person.remove': 'Account deleted',
    'person.unlock': 'Account unlocked',
    'person.change-password': 'Password changed',
    'person.second-factor-on': 'Second factor on',
    'person.second-factor-off': 'Second factor off',
    'person.use-recovery-code': 'Recovery code used',
    'session.revoke': 'Session ended',
    'token.create': 'API token made',
    'token.change': 'API token changed',
    'token.remove': 'API token deleted',
    request: 'Output requested',
    relinquish: 'Output let go',
    hold: 'Output held by an interlock',
    command: 'Command to a device',
    result: 'What the device answered',
    'interlock.reset': 'Interlock reset',
    'alarm.acknowledge': 'Alarm acknowledged',
    'alarm.shelve': 'Alarm shelved',
    'alarm.unshelve': 'Alarm taken off the shelf',
    'device.adopt': 'Device adopted',
    'device.give-up': 'Device given up',
    'device.try': 'Device tried',
    'inbox.ignore': 'Inbox entry ignored',
    'inbox.show': 'Inbox entry shown again',
    'inbox.forget': 'Inbox entry forgotten',
    'ignored.create': 'Inbox entry ignored',
    'ignored.remove': 'Inbox entry shown again',
    'plan.create': 'Plan uploaded',
    'plan.change': 'Plan changed',
    'plan.remove': 'Plan deleted',
    'placement.create': 'Device placed on a plan',
    'placement.change': 'Device moved on a plan',
    'placement.remove': 'Device taken off a plan',
    'asset.create': 'Asset registered',
    'asset.change': 'Asset changed',
    'asset.remove': 'Asset entry removed',
    'asset.maintain': 'Maintenance noted',
    'flows.deploy': 'Flows deployed',
    export: 'Data exported',
    'backup.make': 'Back-up made',
    'backup.fetch': 'Back-up fetched',
    'backup.restored': 'Back-up restored',
    'audit.break': 'Break in the chain',
    retention: 'Old data dropped',
    http: 'Access refused',
  },
});

type Verb = keyof typeof deedWords.zh;

/** What people look for, in groups as they think of them. `http` is no verb: refusals begin with GET, POST and so on. */
export const searchable: readonly Verb[] = (Object.keys(deedWords.zh) as Verb[]).filter((verb) => verb !== 'http');

const method = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|[A-Z]{3,10})$/;

/** The verb of a line in people's words, and what it was about: `person.change li` -> 修改账号, `li`. */
export function deedOf(what: string, language: 'zh' | 'en'): { readonly deed: string; readonly about: string } {
  const [first = '', ...rest] = what.split(' ');
  const verb = first.replace(/:$/, '');
  const words = deedWords[language];
  if (method.test(verb)) return { deed: words.http, about: what };
  const deed = Object.hasOwn(words, verb) ? words[verb as Verb] : verb;
  return { deed, about: rest.join(' ') };
}
