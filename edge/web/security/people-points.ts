import type { SecurityFacts } from './facts.ts';
import { both, day, days, type Group, type Judgement } from './point.ts';

/* Who may sign in, what each may do, and what is written down of it. GB/T 22239-2019, 8.1.4.1 to 8.1.4.3 and 8.1.5.2. */

const active = ({ people }: SecurityFacts) => people.filter(({ disabled }) => !disabled);
const rotation = 180 * day;
const auditMonths = 180 * day;

export const identity: Group = {
  name: both('身份鉴别', 'Identity'),
  points: [
    {
      id: 'identity-accounts',
      level: 2,
      title: both('每人一个账号，没有默认账号', 'An account for each person, none by default'),
      judge: (facts) => {
        const count = active(facts).length;
        const evidence = both(
          `启用的账号 ${count} 个；出厂没有任何账号`,
          `${count} accounts in use; none comes with the software`,
        );
        if (count === 0)
          return { state: 'not-met', evidence, next: both('建立第一个管理员', 'Make the first administrator') };
        if (count > 1) return { state: 'met', evidence };
        const next = both(
          '只有一个账号，难免多人共用：给每个人建立自己的账号',
          'One account is soon shared: give each person one of his own',
        );
        return { state: 'partly', evidence, next };
      },
    },
    {
      id: 'identity-passwords',
      level: 2,
      title: both('口令复杂度与定期更换', 'Strong passwords, changed from time to time'),
      judge: (facts) => {
        const { shortest } = facts.signIn;
        const old = active(facts).filter(
          ({ hasPassword, passwordTime }) => hasPassword && facts.now - passwordTime > rotation,
        );
        const evidence = both(
          `至少 ${shortest} 个字符，须三类字符或长句，拒绝常见口令；${old.length} 个账号的口令超过 ${days(rotation)} 天未换`,
          `At least ${shortest} characters of three kinds or a sentence, common ones refused; ${old.length} are older than ${days(rotation)} days`,
        );
        if (old.length === 0) return { state: 'met', evidence };
        const names = old
          .slice(0, 5)
          .map(({ id }) => id)
          .join(', ');
        return { state: 'partly', evidence, next: both(`请更换：${names}`, `Have these changed: ${names}`) };
      },
    },
    {
      id: 'identity-lockout',
      level: 2,
      title: both('登录失败处理与会话超时', 'Lock-out after wrong passwords, sessions that end'),
      judge: ({ signIn }) => ({
        state: 'met',
        evidence: both(
          `连续输错即锁定，逐次加长至 ${signIn.longestPause / 60_000} 分钟；会话最长 ${Math.round(signIn.session / 3_600_000)} 小时，空闲自动结束`,
          `Wrong tries lock an account and an address, up to ${signIn.longestPause / 60_000} min; a session ends after ${Math.round(signIn.session / 3_600_000)} h, or idle`,
        ),
      }),
    },
    {
      id: 'identity-two-factor',
      level: 3,
      title: both('两种以上鉴别方式组合', 'Two factors'),
      judge: (facts) => judgeTwoFactors(facts),
    },
    {
      id: 'identity-transport',
      level: 2,
      title: both('鉴别信息加密传输', 'Passwords travel encrypted'),
      judge: ({ network, now }) => judgeTransport(network, now),
    },
  ],
};

/** Whoever signs in through an identity provider only: his second factor is the provider's matter. */
function judgeTwoFactors(facts: SecurityFacts): Judgement {
  const own = active(facts).filter(({ hasPassword }) => hasPassword);
  const provided = active(facts).length - own.length;
  const without = own.filter(({ totp }) => !totp);
  const evidence = both(
    `用口令登录的 ${own.length} 人中 ${own.length - without.length} 人启用了动态口令；${provided} 人只经统一身份平台登录（其双因素由平台负责）`,
    `${own.length - without.length} of ${own.length} people with a password have a one-time code too; ${provided} sign in by the identity provider only, which has to see to theirs`,
  );
  if (own.length > 0 && without.length === 0) return { state: 'met', evidence };
  const names = without
    .slice(0, 5)
    .map(({ id }) => id)
    .join(', ');
  const next = both(`请在“我的账号”中启用动态口令：${names}`, `Have one-time codes set up: ${names}`);
  const arePowerful = without.some(({ role }) => role === 'administrator' || role === 'auditor');
  return { state: own.length === 0 || arePowerful ? 'not-met' : 'partly', evidence, next };
}

function judgeTransport({ https, certificate }: SecurityFacts['network'], now: number): Judgement {
  if (https.length === 0) {
    return {
      state: 'met',
      evidence: both(
        '网页只在本机可达；明文 HTTP 不能对外监听',
        'Pages are reached from this machine only; plain HTTP cannot listen on a network',
      ),
    };
  }
  if (certificate === null) {
    return {
      state: 'not-met',
      evidence: both(
        `HTTPS 在 ${https.join('、')} 监听，但没有可用证书`,
        `HTTPS listens on ${https.join(', ')} without a usable certificate`,
      ),
      next: both('运行 campus doctor 查看证书', 'Run campus doctor and look at the certificate'),
    };
  }
  const left = days(certificate.expires - now);
  const evidence = both(
    `HTTPS 在 ${https.join('、')}；证书 ${certificate.selfSigned ? '由本校签发' : '由外部机构签发'}，还有 ${left} 天到期`,
    `HTTPS on ${https.join(', ')}; the certificate is ${certificate.selfSigned ? 'of the campus itself' : 'of an outside authority'} and ends in ${left} days`,
  );
  if (left < 14)
    return {
      state: 'partly',
      evidence,
      next: both('证书即将到期：更换或检查自动续签', 'It ends soon: replace it, or see why it is not renewed'),
    };
  if (!certificate.selfSigned) return { state: 'met', evidence };
  const next = both(
    '让用户核对指纹并安装本校根证书，或在 https.certificate 配置受信任的证书',
    'Have people compare the fingerprint and install the authority, or set https.certificate to one that browsers trust',
  );
  return { state: 'partly', evidence, next };
}

export const access: Group = {
  name: both('访问控制', 'Access control'),
  points: [
    {
      id: 'access-least',
      level: 2,
      title: both('最小权限：按角色和分区授权', 'Least privilege, by role and zone'),
      judge: (facts) => {
        const all = active(facts);
        const administrators = all.filter(({ role }) => role === 'administrator').length;
        const limited = all.filter(({ isLimited }) => isLimited).length;
        const evidence = both(
          `${all.length} 个账号中管理员 ${administrators} 个，限定分区的 ${limited} 个；每条接口都声明所需权限，未声明的无法注册`,
          `${administrators} of ${all.length} accounts are administrators, ${limited} are limited to zones; no route exists without a stated right`,
        );
        if (all.length > administrators && administrators <= 3) return { state: 'met', evidence };
        return {
          state: 'partly',
          evidence,
          next: both(
            '日常工作用安保、后勤等角色，管理员不超过三人',
            'Use the roles of daily work; have at most three administrators',
          ),
        };
      },
    },
    {
      id: 'access-three-powers',
      level: 3,
      title: both('系统、审计、安全管理员分立', 'System, audit and security administrators apart'),
      judge: (facts) => {
        const auditors = active(facts).filter(({ role }) => role === 'auditor').length;
        const evidence = both(
          `审计员 ${auditors} 个：只读审计，不能操作；管理员看不到也改不了审计。安全管理员与系统管理员是同一角色；本机 admin-token 持有者拥有全部权限`,
          `${auditors} auditors, who read the audit and can do nothing else; administrators can neither read nor alter it. Security and system administration are one role; whoever reads admin-token on this machine may do all`,
        );
        if (auditors === 0)
          return {
            state: 'not-met',
            evidence,
            next: both('指定一名不兼任其他工作的审计员', 'Make somebody auditor who has no other role'),
          };
        return {
          state: 'partly',
          evidence,
          next: both(
            '以制度指定安全管理员，并限制能登录本机的人',
            'Name a security officer by rule, and limit who may log in to this machine',
          ),
        };
      },
    },
    {
      id: 'access-tokens',
      level: 2,
      title: both('多余、过期的凭证及时清除', 'No credentials that nobody needs'),
      judge: (facts) => {
        const disabled = facts.people.length - active(facts).length;
        const { count, endless } = facts.tokens;
        const evidence = both(
          `停用账号 ${disabled} 个；接口令牌 ${count} 个，其中 ${endless} 个永不过期`,
          `${disabled} accounts are disabled; ${count} API tokens, ${endless} of which never expire`,
        );
        if (endless === 0) return { state: 'met', evidence };
        return {
          state: 'partly',
          evidence,
          next: both('给令牌设定期限，不用的撤销', 'Give tokens an end, revoke those that are not used'),
        };
      },
    },
  ],
};

export const auditing: Group = {
  name: both('安全审计', 'Audit'),
  points: [
    {
      id: 'audit-kept',
      level: 2,
      title: both('审计覆盖每个用户，留存六个月以上', 'Everybody is audited, for at least six months'),
      judge: ({ audit }) => {
        const oldest = audit.verdict?.oldest ?? null;
        const since = oldest === null ? '-' : new Date(oldest).toISOString().slice(0, 10);
        const evidence = both(
          `登录、确认、操作、导出、配置变更均记录；留存 ${days(audit.kept)} 天，最早一条 ${since}`,
          `Sign-ins, acknowledgements, requests, exports and changes are recorded for ${days(audit.kept)} days; the oldest line is of ${since}`,
        );
        if (audit.kept >= auditMonths) return { state: 'met', evidence };
        return {
          state: 'not-met',
          evidence,
          next: both(
            '把站点文件的 retention.audit 设为 180d 以上',
            'Set retention.audit of the site file to 180d or more',
          ),
        };
      },
    },
    {
      id: 'audit-integrity',
      level: 2,
      title: both('审计记录防删改', 'The audit cannot be altered unnoticed'),
      judge: ({ audit: { verdict } }) => {
        if (verdict === null) {
          return {
            state: 'partly',
            evidence: both(
              '审计逐条以哈希成链；这次未能核验',
              'Lines are chained by hashes; they could not be proved just now',
            ),
            next: both('运行 campus audit verify', 'Run campus audit verify'),
          };
        }
        const evidence = both(
          verdict.ok
            ? `刚核验 ${verdict.lines} 条，全部相符`
            : `核验 ${verdict.lines} 条，发现 ${verdict.faults.length} 处不符：${verdict.faults[0]?.message ?? ''}`,
          verdict.ok
            ? `${verdict.lines} lines were proved just now, all fit`
            : `${verdict.lines} lines were looked at, ${verdict.faults.length} faults: ${verdict.faults[0]?.message ?? ''}`,
        );
        if (verdict.ok) return { state: 'met', evidence };
        return {
          state: 'not-met',
          evidence,
          next: both(
            '按事件处理：保全数据目录，与异地留存的审计比对',
            'Treat it as an incident: keep the data folder, compare with the copy kept elsewhere',
          ),
        };
      },
    },
    {
      id: 'audit-elsewhere',
      level: 3,
      title: both('审计集中收集到别处', 'The audit is collected elsewhere'),
      judge: ({ audit: { forward } }) => {
        if (forward === null) {
          return {
            state: 'not-met',
            evidence: both('没有配置日志服务器', 'No syslog server is set'),
            next: both('在站点文件设置 syslog（RFC 5424，TLS）', 'Set syslog in the site file (RFC 5424 over TLS)'),
          };
        }
        const evidence = both(
          `转发到日志服务器（${forward.encrypted ? '加密' : '未加密'}），待发 ${forward.waiting} 条${forward.error === null ? '' : `；故障：${forward.error}`}`,
          `Forwarded to a syslog server (${forward.encrypted ? 'encrypted' : 'not encrypted'}), ${forward.waiting} lines wait${forward.error === null ? '' : `; trouble: ${forward.error}`}`,
        );
        if (forward.encrypted && forward.error === null) return { state: 'met', evidence };
        return {
          state: 'partly',
          evidence,
          next: both('启用 TLS 并排除转发故障', 'Use TLS, and see why it does not go through'),
        };
      },
    },
    {
      id: 'audit-clock',
      level: 3,
      title: both('时钟同步', 'A clock that is set'),
      judge: ({ clock }) => {
        const evidence = both(`时间来源：${clock.source}`, `Who sets the clock: ${clock.source}`);
        if (clock.synchronised === true) return { state: 'met', evidence };
        const next = both('安装并启用 chrony 或 systemd-timesyncd', 'Install and enable chrony or systemd-timesyncd');
        return { state: clock.synchronised === null ? 'partly' : 'not-met', evidence, next };
      },
    },
  ],
};
