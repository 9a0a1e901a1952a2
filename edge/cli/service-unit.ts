import { resolve } from 'node:path';
import type { Site } from '#edge/runtime/site.ts';

/* The systemd unit of a campus: its own user, and no more of the machine than it needs. */

export interface UnitOptions {
  readonly site: Site;
  /** Absolute. */
  readonly siteFile: string;
  readonly data: string;
  /** Where this software is. */
  readonly root: string;
  readonly node: string;
  readonly user: string;
}

/** Serial ports of the site's devices: the only devices of the machine that the service may open. */
export function serialPorts(site: Site): string[] {
  const paths = site.devices.flatMap(({ address }) => {
    const { serial } = address;
    return typeof serial === 'object' && serial !== null && 'path' in serial ? [String(serial.path)] : [];
  });
  return [...new Set(paths)].sort();
}

/** Ports below 1024 need a capability; the ones of our defaults do not. */
export function needsLowPorts({ http, mqtt, https }: Site): boolean {
  const ports = [http.port, mqtt.port, mqtt.websocketPort, mqtt.tls?.port, https?.port];
  return ports.some((port) => typeof port === 'number' && port > 0 && port < 1024);
}

/** A path as systemd reads it: quoted, `%` doubled (systemd.unit(5)). */
function quoted(path: string): string {
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return `"${escaped}"`;
}

/** In ExecStart `$` is a variable besides (systemd.service(5)). */
const argument = (text: string): string => quoted(text.replaceAll('$', '$$$$'));

export function unitText(options: UnitOptions): string {
  const { site, siteFile, data, root, node, user } = options;
  const flows = resolve(site.folder, site.flows.folder);
  const serial = serialPorts(site);
  const isAtHome = [siteFile, data, root, node].some((path) => /^\/(home|root)\//.test(path));
  const capability = needsLowPorts(site) ? 'CAP_NET_BIND_SERVICE' : '';
  const command = [node, `${root}/edge/run.mjs`, `${root}/edge/main.ts`, '--site', siteFile, '--data', data];
  const devices =
    serial.length === 0
      ? ['PrivateDevices=yes']
      : [
          'DevicePolicy=closed',
          ...serial.map((path) => `DeviceAllow=${path.replaceAll('%', '%%')} rw`),
          'SupplementaryGroups=dialout',
        ];
  return `# Written by \`campus service install\`. Change the site file and install again, or use \`systemctl edit\`.
[Unit]
Description=Campus Edge (${site.campus.name.en.replace(/[^\x20-\x7e]|%/g, '')})
After=network-online.target time-sync.target
Wants=network-online.target
# It is started again for ever: nobody stands beside the box.
StartLimitIntervalSec=0

[Service]
Type=notify
# systemd-notify speaks for the supervisor.
NotifyAccess=all
ExecStart=${command.map(argument).join(' ')}
WorkingDirectory=${root.replaceAll('%', '%%')}
User=${user}
Group=${user}
Restart=always
RestartSec=2
WatchdogSec=60
TimeoutStartSec=150
# Children have 10 s to stop before they are killed.
TimeoutStopSec=30
KillMode=mixed
# One process that takes all memory must not take the others with it.
OOMPolicy=continue
MemoryMax=2560M
TasksMax=512
LimitNOFILE=16384
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=${capability}
AmbientCapabilities=${capability}
ProtectSystem=strict
ProtectHome=${isAtHome ? 'read-only' : 'yes'}
ReadWritePaths=${[...new Set([data, flows])].map(quoted).join(' ')}
PrivateTmp=yes
${devices.join('\n')}
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# Netlink: asking for the addresses of this machine.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: V8 compiles at run time.

[Install]
WantedBy=multi-user.target
`;
}
