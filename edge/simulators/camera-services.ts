import { xmlText } from './camera-soap.ts';

/** The answers of the device and media services that do not depend on time or state. */
export interface CameraFacts {
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  /** What the camera says of its own address, e.g. `http://127.0.0.1:8081`; it may lie. */
  readonly base: string;
  readonly stream: string;
}

const services = [
  ['http://www.onvif.org/ver10/device/wsdl', '/onvif/device_service'],
  ['http://www.onvif.org/ver10/media/wsdl', '/onvif/media_service'],
  ['http://www.onvif.org/ver10/events/wsdl', '/onvif/event_service'],
] as const;

const resolution = '<tt:Resolution><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:Resolution>';

function profile(element: 'Profile' | 'Profiles'): string {
  return (
    `<trt:${element} token="Profile_1" fixed="true"><tt:Name>mainStream</tt:Name>` +
    '<tt:VideoSourceConfiguration token="VideoSourceToken"><tt:Name>VideoSourceConfig</tt:Name><tt:UseCount>1</tt:UseCount>' +
    '<tt:SourceToken>VideoSource_1</tt:SourceToken><tt:Bounds x="0" y="0" width="640" height="360"/>' +
    '</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="VideoEncoder_1"><tt:Name>H264</tt:Name>' +
    `<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>${resolution}<tt:Quality>3</tt:Quality>` +
    '<tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>' +
    `<tt:BitrateLimit>1024</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration></trt:${element}>`
  );
}

function capabilities(base: string): string {
  return (
    '<tds:GetCapabilitiesResponse><tds:Capabilities>' +
    `<tt:Device><tt:XAddr>${base}/onvif/device_service</tt:XAddr></tt:Device>` +
    `<tt:Events><tt:XAddr>${base}/onvif/event_service</tt:XAddr><tt:WSSubscriptionPolicySupport>true` +
    '</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport></tt:Events>' +
    `<tt:Media><tt:XAddr>${base}/onvif/media_service</tt:XAddr></tt:Media>` +
    '</tds:Capabilities></tds:GetCapabilitiesResponse>'
  );
}

function mediaUri(operation: string, uri: string): string {
  return (
    `<trt:${operation}Response><trt:MediaUri><tt:Uri>${xmlText(uri)}</tt:Uri>` +
    '<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>' +
    `<tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:${operation}Response>`
  );
}

/** The body of the answer; null for an operation that this camera does not have. */
export function serviceAnswer(operation: string, facts: CameraFacts): string | null {
  const { base, manufacturer, model, serial, firmware } = facts;
  switch (operation) {
    case 'GetDeviceInformation':
      return (
        `<tds:GetDeviceInformationResponse><tds:Manufacturer>${xmlText(manufacturer)}</tds:Manufacturer>` +
        `<tds:Model>${xmlText(model)}</tds:Model><tds:FirmwareVersion>${firmware}</tds:FirmwareVersion>` +
        `<tds:SerialNumber>${xmlText(serial)}</tds:SerialNumber><tds:HardwareId>1.0</tds:HardwareId>` +
        '</tds:GetDeviceInformationResponse>'
      );
    case 'GetServices': {
      const version = '<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version>';
      const list = services.map(
        ([ns, path]) =>
          `<tds:Service><tds:Namespace>${ns}</tds:Namespace><tds:XAddr>${base}${path}</tds:XAddr>${version}</tds:Service>`,
      );
      return `<tds:GetServicesResponse>${list.join('')}</tds:GetServicesResponse>`;
    }
    case 'GetCapabilities':
      return capabilities(base);
    case 'GetScopes': {
      const scopes = ['type/video_encoder', 'Profile/Streaming', `hardware/${model}`, `name/${manufacturer}`];
      const list = scopes.map(
        (scope) =>
          '<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef>' +
          `<tt:ScopeItem>onvif://www.onvif.org/${encodeURI(scope)}</tt:ScopeItem></tds:Scopes>`,
      );
      return `<tds:GetScopesResponse>${list.join('')}</tds:GetScopesResponse>`;
    }
    case 'GetProfiles':
      return `<trt:GetProfilesResponse>${profile('Profiles')}</trt:GetProfilesResponse>`;
    case 'GetProfile':
      return `<trt:GetProfileResponse>${profile('Profile')}</trt:GetProfileResponse>`;
    case 'GetVideoSources':
      return (
        '<trt:GetVideoSourcesResponse><trt:VideoSources token="VideoSource_1"><tt:Framerate>25</tt:Framerate>' +
        `${resolution}</trt:VideoSources></trt:GetVideoSourcesResponse>`
      );
    case 'GetStreamUri':
      return mediaUri(operation, facts.stream);
    case 'GetSnapshotUri':
      return mediaUri(operation, `${base}/onvif/snapshot?channel=1&size=main`);
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
