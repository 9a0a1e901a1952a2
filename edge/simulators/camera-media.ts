import { element, xmlText } from './camera-soap.ts';

/** One media profile of the simulated camera. */
export interface CameraProfile {
  readonly token: string;
  readonly name: string;
  /** H.265 is only told by Media2: Media1 has no word for it. */
  readonly encoding: 'H264' | 'H265' | 'JPEG';
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** As the camera hands it out; it may lie about host and scheme. */
  readonly uri: string;
}

export interface CameraMedia {
  readonly profiles: readonly CameraProfile[];
  readonly snapshotUri: string;
  readonly hasPtz: boolean;
}

interface Fault {
  readonly subcode: string;
  readonly reason: string;
}

const noProfile: Fault = { subcode: 'ter:NoProfile', reason: 'The requested profile token does not exist' };

function source({ width, height }: CameraProfile): string {
  return (
    '<tt:Name>VideoSourceConfig</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>VideoSource_1</tt:SourceToken>' +
    `<tt:Bounds x="0" y="0" width="${width}" height="${height}"/>`
  );
}

const resolution = ({ width, height }: CameraProfile) =>
  `<tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution>`;

const ptzConfiguration = '<tt:Name>PTZ</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>PTZNode_1</tt:NodeToken>';

function profile1(tag: 'Profile' | 'Profiles', profile: CameraProfile, hasPtz: boolean): string {
  const { token, name, frameRate, encoding } = profile;
  const encoder =
    `<tt:VideoEncoderConfiguration token="Encoder_${token}"><tt:Name>${encoding}</tt:Name><tt:UseCount>1</tt:UseCount>` +
    `<tt:Encoding>${encoding}</tt:Encoding>${resolution(profile)}<tt:Quality>3</tt:Quality><tt:RateControl>` +
    `<tt:FrameRateLimit>${frameRate}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>` +
    '<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration>';
  const ptz = hasPtz ? `<tt:PTZConfiguration token="PTZ_1">${ptzConfiguration}</tt:PTZConfiguration>` : '';
  return (
    `<trt:${tag} token="${xmlText(token)}" fixed="true"><tt:Name>${xmlText(name)}</tt:Name>` +
    `<tt:VideoSourceConfiguration token="VideoSourceToken">${source(profile)}</tt:VideoSourceConfiguration>` +
    `${encoder}${ptz}</trt:${tag}>`
  );
}

function profile2(profile: CameraProfile, hasPtz: boolean): string {
  const { token, name, frameRate, encoding } = profile;
  const encoder =
    `<tr2:VideoEncoder token="Encoder_${token}" GovLength="${frameRate}"><tt:Name>${encoding}</tt:Name>` +
    `<tt:UseCount>1</tt:UseCount><tt:Encoding>${encoding}</tt:Encoding>${resolution(profile)}` +
    `<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>${frameRate}</tt:FrameRateLimit>` +
    '<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl><tt:Quality>3</tt:Quality></tr2:VideoEncoder>';
  const ptz = hasPtz ? `<tr2:PTZ token="PTZ_1">${ptzConfiguration}</tr2:PTZ>` : '';
  return (
    `<tr2:Profiles token="${xmlText(token)}" fixed="true"><tr2:Name>${xmlText(name)}</tr2:Name><tr2:Configurations>` +
    `<tr2:VideoSource token="VideoSourceToken">${source(profile)}</tr2:VideoSource>${encoder}${ptz}` +
    '</tr2:Configurations></tr2:Profiles>'
  );
}

function uri1(operation: string, uri: string): string {
  return (
    `<trt:${operation}Response><trt:MediaUri><tt:Uri>${xmlText(uri)}</tt:Uri>` +
    '<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>' +
    `<tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:${operation}Response>`
  );
}

function encoderOptions(profiles: readonly CameraProfile[]): string {
  const sizes = profiles.map(
    ({ width, height }) =>
      `<tt:ResolutionsAvailable><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:ResolutionsAvailable>`,
  );
  const range = (name: string, least: number, most: number) =>
    `<tt:${name}><tt:Min>${least}</tt:Min><tt:Max>${most}</tt:Max></tt:${name}>`;
  return (
    `<trt:GetVideoEncoderConfigurationOptionsResponse><trt:Options>${range('QualityRange', 0, 5)}<tt:H264>${sizes.join('')}` +
    `${range('GovLengthRange', 1, 100)}${range('FrameRateRange', 1, 25)}${range('EncodingIntervalRange', 1, 1)}` +
    '<tt:H264ProfilesSupported>Main</tt:H264ProfilesSupported></tt:H264></trt:Options>' +
    '</trt:GetVideoEncoderConfigurationOptionsResponse>'
  );
}

function chosen(profiles: readonly CameraProfile[], xml: string): CameraProfile | undefined {
  return profiles.find(({ token }) => token === element(xml, 'ProfileToken'));
}

/** Media1: an H.265 profile is there, and has no encoder that it could name. */
export function mediaAnswer(operation: string, xml: string, media: CameraMedia): string | Fault | null {
  const { hasPtz, snapshotUri } = media;
  const profiles = media.profiles.filter(({ encoding }) => encoding !== 'H265');
  switch (operation) {
    case 'GetProfiles': {
      const list = profiles.map((profile) => profile1('Profiles', profile, hasPtz)).join('');
      return `<trt:GetProfilesResponse>${list}</trt:GetProfilesResponse>`;
    }
    case 'GetProfile': {
      const profile = chosen(profiles, xml);
      if (profile === undefined) return noProfile;
      return `<trt:GetProfileResponse>${profile1('Profile', profile, hasPtz)}</trt:GetProfileResponse>`;
    }
    case 'GetVideoSources': {
      const [main] = media.profiles;
      const size = main === undefined ? '' : resolution(main);
      return (
        '<trt:GetVideoSourcesResponse><trt:VideoSources token="VideoSource_1"><tt:Framerate>25</tt:Framerate>' +
        `${size}</trt:VideoSources></trt:GetVideoSourcesResponse>`
      );
    }
    case 'GetVideoEncoderConfigurationOptions':
      return encoderOptions(media.profiles);
    case 'GetStreamUri': {
      const profile = chosen(profiles, xml);
      return profile === undefined ? noProfile : uri1(operation, profile.uri);
    }
    case 'GetSnapshotUri':
      return chosen(profiles, xml) === undefined ? noProfile : uri1(operation, snapshotUri);
    default:
      return null;
  }
}

export function media2Answer(operation: string, xml: string, media: CameraMedia): string | Fault | null {
  const { profiles, hasPtz, snapshotUri } = media;
  const uri = (address: string) =>
    `<tr2:${operation}Response><tr2:Uri>${xmlText(address)}</tr2:Uri></tr2:${operation}Response>`;
  switch (operation) {
    case 'GetProfiles': {
      // Configurations come only with a Type that asks for them.
      const type = element(xml, 'Type');
      const list = profiles.map((profile) => {
        const whole = profile2(profile, hasPtz);
        return type === '' ? whole.replace(/<tr2:Configurations>.*<\/tr2:Configurations>/, '') : whole;
      });
      return `<tr2:GetProfilesResponse>${list.join('')}</tr2:GetProfilesResponse>`;
    }
    case 'GetStreamUri': {
      const profile = chosen(profiles, xml);
      return profile === undefined ? noProfile : uri(profile.uri);
    }
    case 'GetSnapshotUri':
      return chosen(profiles, xml) === undefined ? noProfile : uri(snapshotUri);
    default:
      return null;
  }
}
