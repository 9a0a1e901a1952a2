import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { readWarningCertificates } from '#edge/runtime/warning-certificates.ts';
import type { Command } from './command.ts';
import { profileFolder } from './profile.ts';
import { failuresOf } from './rule.ts';
import { benchOf, lookAtFolder } from './rule-bench.ts';

export const siteCommands: readonly Command[] = [
  {
    name: 'site check',
    usage: 'FILE',
    about: {
      zh: '校验站点文件、其引用的设备档案和规则目录',
      en: 'check a site file, every profile it names and its rules',
    },
    run: async (given) => {
      const site = await loadSite(given.one('FILE'));
      const { devices, broken } = devicesOf(site, await loadProfiles(profileFolder));
      const wrong = broken.map(({ device, message }) => `device ${device}: ${message}`);
      wrong.push(...readWarningCertificates(site, systemClock.now()).problems);
      const rules = await lookAtFolder(await benchOf(site, devices), null);
      wrong.push(...rules.flatMap((rule) => failuresOf(rule, given)));
      if (wrong.length > 0) throw new CodedError('SITE_WRONG', wrong.join('\n'));
      const points = devices.reduce((n, device) => n + device.points.length, 0);
      given.print(`${devices.length} devices, ${points} points, ${rules.length} rules: well formed`);
    },
  },
];
