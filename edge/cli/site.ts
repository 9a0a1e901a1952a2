import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { loadSite } from '#edge/runtime/site.ts';
import type { Command } from './command.ts';
import { profileFolder } from './profile.ts';

export const siteCommands: readonly Command[] = [
  {
    name: 'site check',
    usage: 'FILE',
    about: { zh: '校验站点文件及其引用的设备档案', en: 'check a site file and every profile it names' },
    run: async (given) => {
      const site = await loadSite(given.one('FILE'));
      const { devices, broken } = devicesOf(site, await loadProfiles(profileFolder));
      const wrong = broken.map(({ device, message }) => `device ${device}: ${message}`);
      if (wrong.length > 0) throw new CodedError('SITE_WRONG', wrong.join('\n'));
      const points = devices.reduce((n, device) => n + device.points.length, 0);
      given.print(`${devices.length} devices, ${points} points: well formed`);
    },
  },
];
