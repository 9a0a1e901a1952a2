import type { SecurityFacts } from './facts.ts';
import { both, type Group, type Judgement } from './point.ts';

/*
 * The network and what hangs on it. GB/T 22239-2019, 8.1.3 and 8.1.4.4, and the IoT extension 8.4: sensing nodes (the
 * devices) and the gateway node (this box).
 */

export const intrusion: Group = {
  name: both('入侵防范', 'Intrusion prevention'),
  points: [
    {
      id: 'intrusion-ports',
      level: 2,
      title: both('只开放必要的端口，不明文传输', 'Only ports that are needed, nothing in the clear'),
      judge: ({ network }) => judgePorts(network),
    },
    {
      id: 'intrusion-input',
      level: 2,
      title: both('输入有效性检验', 'Every input is checked'),
      judge: () => ({
        state: 'met',
        evidence: both(
          '接口、总线、配置文件的每个输入按严格格式检验，多余字段即拒；上传的图片按白名单判定',
          'Every input of the API, the bus and the files is checked against a strict shape; uploaded pictures against a list of what draws',
        ),
      }),
    },
    {
      id: 'intrusion-own-user',
      level: 2,
      title: both('以专用低权限用户运行', 'It runs as a user of its own'),
      judge: ({ box }) =>
        box.isRoot
          ? {
              state: 'not-met',
              evidence: both('正以 root 运行', 'It runs as root'),
              next: both(
                '用 campus service install 安装：专用用户加 systemd 加固',
                'Use campus service install: a user of its own, hardened by systemd',
              ),
            }
          : {
              state: 'met',
              evidence: both(
                '以普通用户运行；流程（Node-RED）另在受限进程中',
                'It runs as an ordinary user; flows (Node-RED) in a process that is confined further',
              ),
            },
    },
    {
      id: 'intrusion-updates',
      level: 2,
      title: both('漏洞修补与恶意代码防范', 'Updates, and protection from malware'),
      judge: ({ box }) => ({
        state: 'outside',
        evidence: both(
          `本软件 ${box.version}，Node ${box.node}；本软件不会自行更新，操作系统的补丁由系统负责`,
          `This software ${box.version}, Node ${box.node}; it does not update itself, and patches of the system are the system's`,
        ),
        next: both(
          '定期查看新版本；启用操作系统自动安全更新',
          'Look for new versions regularly; enable the security updates of the system',
        ),
      }),
    },
    {
      id: 'network-ipv6',
      level: 2,
      title: both('支持 IPv6', 'IPv6'),
      judge: ({ network }) =>
        network.ipv6
          ? {
              state: 'met',
              evidence: both('已在 IPv6 地址监听；限速按 /64 计算', 'It listens on IPv6; limits count a /64 as one'),
            }
          : {
              state: 'partly',
              evidence: both('软件支持，但没有监听任何 IPv6 地址', 'The software can, but listens on no IPv6 address'),
              next: both('在 mqtt.hosts 与 https.hosts 加入 "::"', 'Add "::" to mqtt.hosts and https.hosts'),
            },
    },
  ],
};

function judgePorts({ mqtt, websocket, mqttTls, https }: SecurityFacts['network']): Judgement {
  const open = [
    ...https.map((host) => `HTTPS ${host}`),
    ...mqttTls.map((host) => `MQTT TLS ${host}`),
    ...mqtt.map((host) => `MQTT ${host}`),
    ...websocket.map((host) => `WebSocket ${host}`),
  ];
  const list = open.length === 0 ? both('无', 'nothing') : both(open.join('、'), open.join(', '));
  const evidence = both(
    `对本机以外开放：${list.zh}；明文 HTTP 只在本机`,
    `Open beyond this machine: ${list.en}; plain HTTP on this machine only`,
  );
  if (mqtt.length === 0) return { state: 'met', evidence };
  const next = both(
    '让设备改用 8883（TLS），再把 mqtt.hosts 收回到 127.0.0.1；不需要的 websocketPort 设为 null',
    'Move devices to 8883 (TLS), then take mqtt.hosts back to 127.0.0.1; set websocketPort to null where nobody needs it',
  );
  return { state: mqttTls.length > 0 ? 'partly' : 'not-met', evidence, next };
}

export const sensing: Group = {
  name: both('物联网扩展：感知节点', 'IoT extension: sensing nodes'),
  points: [
    {
      id: 'iot-physical',
      level: 1,
      title: both('感知节点物理防护', 'Physical protection of nodes'),
      judge: ({ nodes }) => ({
        state: 'outside',
        evidence: both(
          `${nodes.total} 台设备的安装环境、供电和防拆本软件无从得知`,
          `How ${nodes.total} devices are mounted, powered and guarded cannot be known here`,
        ),
        next: both(
          '现场检查并记入资产的维护记录',
          'Inspect them on site and write it into the maintenance lines of the register',
        ),
      }),
    },
    {
      id: 'iot-access',
      level: 1,
      title: both('只有授权的节点可以接入', 'Only authorised nodes may join'),
      judge: ({ clients, nodes }) => {
        const unable = Math.max(0, clients.declared - Math.max(clients.withPassword, clients.withCertificate));
        const evidence = both(
          `匿名连接一律拒绝；站点声明 ${clients.declared} 个 MQTT 客户端，有口令 ${clients.withPassword} 个、证书 ${clients.withCertificate} 个，${unable} 个尚不能接入。Modbus 设备 ${nodes.modbus} 台、扬声器 ${nodes.speakers} 个按地址通信，协议本身无身份`,
          `Nobody connects anonymously; of ${clients.declared} declared MQTT clients ${clients.withPassword} have a password and ${clients.withCertificate} a certificate, ${unable} cannot join yet. ${nodes.modbus} Modbus devices and ${nodes.speakers} loudspeakers are spoken to by address: their protocols know no identity`,
        );
        if (nodes.modbus + nodes.speakers === 0) return { state: 'met', evidence };
        return {
          state: 'partly',
          evidence,
          next: both(
            '把无身份的设备放进独立网段（VLAN），只允许本机访问',
            'Put devices without identity into a network of their own that only this box reaches',
          ),
        };
      },
    },
    {
      id: 'iot-peers',
      level: 2,
      title: both('限制节点可通信的对象', 'Nodes talk to whom they must only'),
      judge: ({ clients }) => ({
        state: 'partly',
        evidence: both(
          `${clients.declared} 个客户端各只能发布和订阅站点文件授予的主题，越权即断开；节点在网络层还能连到哪里本软件管不到`,
          `${clients.declared} clients may publish and subscribe only below what the site file grants, and are cut off otherwise; where else a node can connect to is not in our hands`,
        ),
        next: both(
          '在交换机或防火墙上限制感知网段的出口',
          'Limit at the switch or firewall where the network of the nodes leads',
        ),
      }),
    },
    {
      id: 'iot-node-device',
      level: 3,
      title: both('感知节点设备安全', 'Security of the nodes themselves'),
      judge: ({ nodes }) => ({
        state: 'outside',
        evidence: both(
          `节点固件与自身口令不由本软件管理；摄像机 ${nodes.cameras} 台中 ${nodes.camerasPlain} 台未用 TLS`,
          `Firmware and passwords of nodes are not managed here; ${nodes.camerasPlain} of ${nodes.cameras} cameras are spoken to without TLS`,
        ),
        next: both(
          '逐台改掉出厂口令、关闭不用的服务；摄像机启用 HTTPS 后在地址中设置 tls',
          'Change factory passwords, switch off services that are not used; enable HTTPS on cameras and set tls in their addresses',
        ),
      }),
    },
    {
      id: 'iot-management',
      level: 2,
      title: both('感知节点管理：台账与定期巡视', 'Nodes are registered and looked after'),
      judge: ({ nodes }) => {
        const evidence = both(
          `${nodes.total} 台设备中 ${nodes.registered} 台登记了编号或地点，${nodes.planned} 台排了定期维护`,
          `Of ${nodes.total} devices ${nodes.registered} have a number or place in the register, ${nodes.planned} a planned maintenance`,
        );
        const share = nodes.total === 0 ? 1 : Math.min(nodes.registered, nodes.planned) / nodes.total;
        if (share >= 0.9) return { state: 'met', evidence };
        return {
          state: nodes.registered > 0 ? 'partly' : 'not-met',
          evidence,
          next: both(
            '导出资产表，补全编号、地点和维护周期后导入',
            'Export the register, fill in number, place and maintenance, and import it',
          ),
        };
      },
    },
  ],
};

export const gateway: Group = {
  name: both('物联网扩展：网关节点与数据', 'IoT extension: gateway node and data'),
  points: [
    {
      id: 'iot-connections',
      level: 3,
      title: both('设置最大并发连接数', 'A largest number of connections'),
      judge: ({ broker }) => ({
        state: 'met',
        evidence: both(
          `最多 ${broker.connections} 个连接，每地址 ${broker.perAddress} 个，每客户端每秒 ${broker.packetsPerSecond} 条`,
          `At most ${broker.connections} connections, ${broker.perAddress} from one address, ${broker.packetsPerSecond} messages a second from a client`,
        ),
      }),
    },
    {
      id: 'iot-node-identity',
      level: 3,
      title: both('对接入设备标识和鉴别', 'Nodes are identified and authenticated'),
      judge: ({ network, clients }) => {
        const evidence = both(
          `每台设备独立口令（scrypt 存储）${clients.withPassword} 个，证书 ${clients.withCertificate} 个；加密端口客户端证书：${network.clientCertificates}`,
          `${clients.withPassword} passwords of their own (kept as scrypt), ${clients.withCertificate} certificates; certificates on the encrypted line: ${network.clientCertificates}`,
        );
        if (network.mqtt.length === 0) return { state: 'met', evidence };
        const next = both(
          '明文端口对网络开放，口令可被窃听：改用 TLS 或证书',
          'The plain line is open to the network and passwords can be overheard: use TLS or certificates',
        );
        return { state: 'partly', evidence, next };
      },
    },
    {
      id: 'iot-filter',
      level: 3,
      title: both('过滤非法节点和伪造数据', 'Unlawful nodes and forged data are filtered'),
      judge: ({ nodes }) => ({
        state: 'met',
        evidence: both(
          `不在声明中的设备不产生数据，进入待认领（现有 ${nodes.strangers} 个）；超量程、乱序、格式错误的值被标记或拒收`,
          `What nobody declared makes no data and waits in the inbox (${nodes.strangers} now); values out of range, out of order or malformed are marked or refused`,
        ),
      }),
    },
    {
      id: 'iot-keys',
      level: 3,
      title: both('授权用户在线更新密钥和配置', 'Keys and configuration are changed by those who may, while it runs'),
      judge: ({ clients }) => ({
        state: 'met',
        evidence: both(
          `口令、证书即改即生效（已吊销 ${clients.revoked} 张）；认领设备有权限检查和审计`,
          `Passwords and certificates change without a restart (${clients.revoked} revoked); adopting devices needs a right and is audited`,
        ),
      }),
    },
    {
      id: 'iot-replay',
      level: 3,
      title: both('抗数据重放', 'Against replay'),
      judge: ({ network, nodes }) => {
        const evidence = both(
          `命令 5 秒失效、同一编号只执行一次；传感数据带时间并判新旧。Modbus ${nodes.modbus} 台、RTP ${nodes.speakers} 路没有防重放，明文 MQTT 对外 ${network.mqtt.length} 个地址`,
          `A command is void after 5 s and done once by its id; samples carry times and old ones are told from new. ${nodes.modbus} Modbus devices and ${nodes.speakers} RTP streams have no protection, plain MQTT is open on ${network.mqtt.length} addresses`,
        );
        if (nodes.modbus + nodes.speakers + network.mqtt.length === 0) return { state: 'met', evidence };
        return {
          state: 'partly',
          evidence,
          next: both(
            'MQTT 改用 TLS；无保护的协议隔离在独立网段',
            'Use TLS for MQTT; keep unprotected protocols in a network of their own',
          ),
        };
      },
    },
    {
      id: 'iot-altered-history',
      level: 3,
      title: both('鉴别历史数据的非法修改', 'Altered history is detected'),
      judge: () => ({
        state: 'partly',
        evidence: both(
          '审计以带密钥的哈希成链，改动可查；历史读数没有签名，有数据库写权限者可以改动',
          'The audit is chained with a keyed hash; history of readings is not signed, and whoever may write the database can alter it',
        ),
        next: both(
          '限制能登录本机的人；汇总数据同时留在市级平台，可供比对',
          'Limit who may log in to this machine; the city keeps summaries that can be compared',
        ),
      }),
    },
    {
      id: 'iot-fusion',
      level: 3,
      title: both('数据融合处理', 'Data of many kinds are brought together'),
      judge: ({ nodes }) => ({
        state: 'met',
        evidence: both(
          `${nodes.total} 台不同协议设备的数据统一为带单位、质量和来源时间的读数`,
          `Data of ${nodes.total} devices of different protocols become readings with unit, quality and source time`,
        ),
      }),
    },
  ],
};
