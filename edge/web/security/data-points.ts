import { both, day, days, type Group } from './point.ts';

/*
 * What is kept, and of whom. GB/T 22239-2019, 8.1.4.7 to 8.1.4.11; Personal Information Protection Law, articles 28 and 31
 * (minors under 14); State Council 799 (video of public places).
 */

export const data: Group = {
  name: both('数据安全与个人信息', 'Data and personal information'),
  points: [
    {
      id: 'data-confidential',
      level: 2,
      title: both('存储保密', 'Kept confidential'),
      judge: ({ box }) => {
        const mode = box.folderMode.toString(8).padStart(3, '0');
        const evidence = both(
          `数据目录权限 ${mode}；口令为 scrypt，第二因素密钥加封；数据库和备份本身未加密`,
          `The data folder has mode ${mode}; passwords are scrypt, second factors are sealed; database and back-ups are not encrypted`,
        );
        if ((box.folderMode & 0o077) !== 0) {
          return { state: 'not-met', evidence, next: both('chmod 700 数据目录', 'chmod 700 the data folder') };
        }
        return {
          state: 'partly',
          evidence,
          next: both('启用操作系统的磁盘加密（LUKS）', 'Use disk encryption of the system (LUKS)'),
        };
      },
    },
    {
      id: 'data-backup',
      level: 2,
      title: both('本地备份与恢复', 'Back-ups, and bringing them back'),
      judge: ({ backups, now }) => {
        const next = both(
          '在“系统”页立即备份，或定时运行 campus backup',
          'Make one on the system page, or run campus backup regularly',
        );
        if (backups.newest === null)
          return {
            state: 'not-met',
            evidence: both(
              '数据目录中没有备份（命令行存到别处的这里看不到）',
              'There is none in the data folder (what the command line put elsewhere is not seen here)',
            ),
            next,
          };
        const age = days(now - backups.newest);
        const evidence = both(`最近一次备份在 ${age} 天前`, `The newest back-up is ${age} days old`);
        if (age <= 7) return { state: 'met', evidence };
        return { state: age <= 31 ? 'partly' : 'not-met', evidence, next };
      },
    },
    {
      id: 'data-offsite',
      level: 3,
      title: both('异地备份', 'A back-up elsewhere'),
      judge: ({ backups, now }) => {
        const isRecent = backups.fetched !== null && now - backups.fetched <= 31 * day;
        const evidence =
          backups.fetched === null
            ? both('没有人取走过备份', 'Nobody has fetched a back-up')
            : both(
                `最近一次取走在 ${days(now - backups.fetched)} 天前；放在哪里本软件无从得知`,
                `One was last fetched ${days(now - backups.fetched)} days ago; where it lies cannot be known here`,
              );
        return {
          state: isRecent ? 'partly' : 'not-met',
          evidence,
          next: both(
            '每月取走一份，加密存放在校外，并试恢复一次',
            'Fetch one each month, keep it encrypted elsewhere, and try to restore it',
          ),
        };
      },
    },
    {
      id: 'data-personal',
      level: 2,
      title: both('个人信息只采集必需的，留在校内', 'Only the personal data that are needed, kept on the campus'),
      judge: ({ privacy }) => ({
        state: 'met',
        evidence: both(
          `不做人脸识别，不存学生姓名；事件画面保留 ${days(privacy.pictures)} 天后删除，${privacy.city ? '上报市级平台的是汇总、事件和告警，不含画面' : '不向校外发送任何数据'}`,
          `No faces are recognised, no names of pupils are kept; pictures of events are deleted after ${days(privacy.pictures)} days, ${privacy.city ? 'the city gets summaries, events and alarms without pictures' : 'nothing leaves the campus'}`,
        ),
      }),
    },
    {
      id: 'data-minors',
      level: 2,
      title: both('未成年人信息：告知与监护人同意', 'Minors: information and consent of guardians'),
      judge: ({ nodes }) => ({
        state: 'outside',
        evidence: both(
          `${nodes.cameras} 台摄像机可能拍到不满 14 周岁的学生；告知与监护人同意不由本软件办理`,
          `${nodes.cameras} cameras may show pupils under 14; telling and asking guardians is not done here`,
        ),
        next: both(
          '公示摄像区域，制定未成年人个人信息处理规则，取得监护人同意',
          'Say publicly where cameras are, make rules for data of minors, and ask their guardians',
        ),
      }),
    },
    {
      id: 'data-video-log',
      level: 2,
      title: both('查看与导出画面留有记录', 'Who looked at pictures is recorded'),
      judge: ({ privacy }) => ({
        state: 'partly',
        evidence: both(
          `画面只对有“画面”权限的角色开放，导出数据有审计；本版本不录像，事件画面保留 ${days(privacy.pictures)} 天`,
          `Pictures need a right of their own and exports are audited; this version records no video, pictures of events are kept ${days(privacy.pictures)} days`,
        ),
        next: both('录像保存 30 天以上仍由录像机负责', 'Keeping video for 30 days or more is still up to the recorder'),
      }),
    },
  ],
};
