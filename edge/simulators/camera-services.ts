import { xmlText } from './camera-soap.ts';

/** What the device service says that does not depend on time or state. */
export interface DeviceAbout {
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  /** What the camera says of its own address, e.g. `http://127.0.0.1:8081`; it may lie, or be '' for relative ones. */
  readonly base: string;
  /** uuid of WS-Discovery. */
  readonly endpoint: string;
  readonly has: { readonly media2: boolean; readonly ptz: boolean; readonly deviceIo: boolean };
  /** `capabilities`: without GetServices, as cameras before 2011. */
  readonly lists: 'services' | 'capabilities';
}

const paths = {
  device: '/onvif/device_service',
  media: '/onvif/media_service',
  media2: '/onvif/media2_service',
  events: '/onvif/event_service',
  ptz: '/onvif/ptz_service',
  deviceIo: '/onvif/deviceio_service',
} as const;

type ServiceName = keyof typeof paths;
const namespaces: Readonly<Record<ServiceName, string>> = {
  device: 'http://www.onvif.org/ver10/device/wsdl',
  media: 'http://www.onvif.org/ver10/media/wsdl',
  media2: 'http://www.onvif.org/ver20/media/wsdl',
  events: 'http://www.onvif.org/ver10/events/wsdl',
  ptz: 'http://www.onvif.org/ver20/ptz/wsdl',
  deviceIo: 'http://www.onvif.org/ver10/deviceIO/wsdl',
};

/** Which service a request went to, by its path; what is at no known one goes to the device service. */
export function serviceAt(path: string): ServiceName {
  const found = Object.entries(paths).find(([, at]) => at === path.split('?')[0]);
  return (found?.[0] as ServiceName | undefined) ?? 'device';
}

function servicesOf({ has }: DeviceAbout): ServiceName[] {
  const all: ServiceName[] = ['device', 'media', 'media2', 'events', 'ptz', 'deviceIo'];
  return all.filter((name) => !(name in has) || has[name as keyof typeof has]);
}

function capabilities(about: DeviceAbout): string {
  const { base, has } = about;
  const io = `<tt:Extension><tt:DeviceIO><tt:XAddr>${base}${paths.deviceIo}</tt:XAddr></tt:DeviceIO></tt:Extension>`;
  return (
    '<tds:GetCapabilitiesResponse><tds:Capabilities>' +
    `<tt:Device><tt:XAddr>${base}${paths.device}</tt:XAddr></tt:Device>` +
    `<tt:Events><tt:XAddr>${base}${paths.events}</tt:XAddr><tt:WSSubscriptionPolicySupport>true` +
    '</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport></tt:Events>' +
    `<tt:Media><tt:XAddr>${base}${paths.media}</tt:XAddr></tt:Media>` +
    (has.ptz ? `<tt:PTZ><tt:XAddr>${base}${paths.ptz}</tt:XAddr></tt:PTZ>` : '') +
    `${has.deviceIo ? io : ''}</tds:Capabilities></tds:GetCapabilitiesResponse>`
  );
}

/** A hardware address of our own making, the same for ever: locally administered, and told by the uuid. */
function macOf({ endpoint }: DeviceAbout): string {
  const hex = endpoint.replace(/-/g, '').slice(0, 10);
  return `02:${hex.match(/../g)?.join(':') ?? ''}`;
}

function networkInterfaces(about: DeviceAbout): string {
  const address = /^https?:\/\/([^:/[\]]+)/.exec(about.base)?.[1] ?? '192.0.2.64';
  return (
    '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info>' +
    `<tt:Name>eth0</tt:Name><tt:HwAddress>${macOf(about)}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info><tt:IPv4>` +
    `<tt:Enabled>true</tt:Enabled><tt:Config><tt:Manual><tt:Address>${address}</tt:Address>` +
    '<tt:PrefixLength>24</tt:PrefixLength></tt:Manual><tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4>' +
    '</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>'
  );
}

/** The body of the answer; null for an operation that the device service does not have. */
export function deviceAnswer(operation: string, about: DeviceAbout): string | null {
  const { base, manufacturer, model, serial, firmware, lists, endpoint } = about;
  switch (operation) {
    case 'GetDeviceInformation':
      return (
        `<tds:GetDeviceInformationResponse><tds:Manufacturer>${xmlText(manufacturer)}</tds:Manufacturer>` +
        `<tds:Model>${xmlText(model)}</tds:Model><tds:FirmwareVersion>${firmware}</tds:FirmwareVersion>` +
        `<tds:SerialNumber>${xmlText(serial)}</tds:SerialNumber><tds:HardwareId>1.0</tds:HardwareId>` +
        '</tds:GetDeviceInformationResponse>'
      );
    case 'GetServices': {
      if (lists === 'capabilities') return null;
      const version = '<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version>';
      const list = servicesOf(about).map(
        (name) =>
          `<tds:Service><tds:Namespace>${namespaces[name]}</tds:Namespace><tds:XAddr>${base}${paths[name]}</tds:XAddr>${version}</tds:Service>`,
      );
      return `<tds:GetServicesResponse>${list.join('')}</tds:GetServicesResponse>`;
    }
    case 'GetCapabilities':
      return capabilities(about);
    case 'GetEndpointReference':
      return `<tds:GetEndpointReferenceResponse><tds:GUID>urn:uuid:${endpoint}</tds:GUID></tds:GetEndpointReferenceResponse>`;
    case 'GetHostname':
      return `<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>${xmlText(model)}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>`;
    case 'GetNetworkInterfaces':
      return networkInterfaces(about);
    case 'GetNetworkDefaultGateway':
      return '<tds:GetNetworkDefaultGatewayResponse><tds:NetworkGateway><tt:IPv4Address>192.0.2.1</tt:IPv4Address></tds:NetworkGateway></tds:GetNetworkDefaultGatewayResponse>';
    case 'GetDNS':
      return (
        '<tds:GetDNSResponse><tds:DNSInformation><tt:FromDHCP>false</tt:FromDHCP><tt:DNSManual><tt:Type>IPv4</tt:Type>' +
        '<tt:IPv4Address>192.0.2.1</tt:IPv4Address></tt:DNSManual></tds:DNSInformation></tds:GetDNSResponse>'
      );
    case 'GetScopes': {
      const scopes = ['type/video_encoder', 'Profile/Streaming', `hardware/${model}`, `name/${manufacturer}`];
      const list = scopes.map(
        (scope) =>
          '<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef>' +
          `<tt:ScopeItem>onvif://www.onvif.org/${encodeURI(scope)}</tt:ScopeItem></tds:Scopes>`,
      );
      return `<tds:GetScopesResponse>${list.join('')}</tds:GetScopesResponse>`;
    }
    case 'GetEventProperties':
      return (
        '<tev:GetEventPropertiesResponse><wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet><tns1:RuleEngine>' +
        '<CellMotionDetector><Motion wstop:topic="true"/></CellMotionDetector></tns1:RuleEngine></wstop:TopicSet>' +
        '</tev:GetEventPropertiesResponse>'
      );
    default:
      return null;
  }
}
