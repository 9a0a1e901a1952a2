import { expandValues, type ProfileShelf } from '#edge/profiles/expand.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { KnownProfile } from '#edge/web/known-profile.ts';

/** Addresses to begin with, as drivers and conventions want them. Documentation addresses of RFC 5737: nobody is there. */
const examples: Readonly<Record<Exclude<Profile['protocol'], 'mqtt' | 'phrases'>, Record<string, unknown>>> = {
  modbus: { tcp: { host: '192.0.2.10', port: 502 }, unit: 1 },
  dlt645: { tcp: { host: '192.0.2.11', port: 4001 }, meter: '000000123456' },
  cjt188: { tcp: { host: '192.0.2.11', port: 4002 }, meter: '00000000123456' },
  onvif: { host: '192.0.2.20', port: 80, username: 'campus', password: '' },
  broadcast: { rtp: { host: '192.0.2.30', port: 5004 }, codec: 'PCMA' },
  sip: { call: 'sip:hall@192.0.2.31', username: 'campus', password: '' },
  'http-pa': { server: { url: 'http://192.0.2.32' }, preset: 'axis', clips: { bell: '0' } },
  snapcast: { host: '192.0.2.33', stream: { name: 'hall', port: 4953 }, clients: ['02:00:00:00:00:01'] },
  line: { device: 'plughw:CARD=PCH,DEV=0' },
  snmp: { host: '192.0.2.2', community: 'public' },
  pjlink: { host: '192.0.2.40' },
  'fire-panel': { tcp: { host: '192.0.2.50', port: 4001 } },
  wake: { mac: '02:1a:4b:00:00:07', broadcast: '192.0.2.255' },
  ping: { host: '192.0.2.1' },
};

/** What web needs to know of profiles: it may not read them itself. By id. */
export function knownProfiles(shelf: ProfileShelf): KnownProfile[] {
  return [...shelf.profiles].map(([id, profile]) => describe(id, profile)).sort((a, b) => a.id.localeCompare(b.id));
}

function describe(id: string, profile: Profile): KnownProfile {
  const { name, kind, protocol } = profile;
  const values = expandValues(profile);
  return {
    id,
    name,
    kind,
    protocol,
    points: values.length,
    outputs: values.filter(({ value }) => value.write !== undefined).length,
    addressExample: exampleOf(profile),
    ...makeOf(profile),
    paths: profile.protocol === 'mqtt' ? Object.values(profile.values).map(({ at }) => at) : [],
  };
}

/** Of a phrase book by the way it goes. */
const phraseExamples = {
  mqtt: { mqtt: 'ir-203' },
  tcp: { tcp: { host: '192.0.2.50', port: 4001 } },
  http: { http: 'http://192.0.2.51:8080' },
} as const satisfies Record<string, Record<string, unknown>>;

function exampleOf(profile: Profile): Record<string, unknown> {
  if (profile.protocol === 'mqtt') return sensorExample(profile.profile);
  return profile.protocol === 'phrases' ? phraseExamples[profile.way] : examples[profile.protocol];
}

/** Profiles of MQTT sensors are named after their convention: `zigbee-smoke`, `tasmota-plug`, `json-air`. */
function sensorExample(name: string): Record<string, unknown> {
  if (name.startsWith('zigbee-')) return { zigbee2mqtt: name.replace('zigbee-', '') };
  if (name.startsWith('tasmota-')) return { tasmota: name };
  return name.startsWith('json-') ? { json: true } : { homeassistant: name };
}

/** `eastron-sdm630`, "Eastron SDM630 three-phase meter": the name begins with the words of the file's name. */
function makeOf({ profile, name }: Profile): { readonly make: string; readonly model: string } {
  const [make = '', model = ''] = name.en.split(' ');
  const isProduct = profile === `${make}-${model}`.toLowerCase() || profile.startsWith(`${make.toLowerCase()}-`);
  if (!isProduct || ['zigbee', 'rtp', 'onvif', 'tasmota', 'json'].includes(make.toLowerCase()))
    return { make: '', model: '' };
  const isModel = profile === `${make}-${model}`.toLowerCase();
  return { make, model: isModel ? model : name.en.slice(make.length + 1) };
}
