import type { WantedPort } from './ports.ts';
import type { Site } from './site.ts';

/* Where a campus listens, as its site file and its command line say. */

/** The site on the ports of the command line; what belongs to a port moves along with it. */
export function movePorts(
  site: Site,
  { httpPort, mqttPort }: { readonly httpPort: number | null; readonly mqttPort: number | null },
): Site {
  const { http, https, mqtt } = site;
  const pages =
    httpPort === null
      ? { http, https }
      : { http: { ...http, port: httpPort }, https: https && { ...https, port: httpPort + 1 } };
  if (mqttPort === null) return { ...site, ...pages };
  const websocketPort = mqtt.websocketPort === null ? null : mqttPort + 1;
  const tls = mqtt.tls && { ...mqtt.tls, port: mqttPort + 2 };
  return { ...site, ...pages, mqtt: { ...mqtt, port: mqttPort, websocketPort, tls } };
}

/** Every TCP port that a campus listens on. */
export function portsOf(site: Site): WantedPort[] {
  const mqtt = site.mqtt.hosts.map((host) => ({
    host,
    port: site.mqtt.port,
    setting: 'mqtt.port in the site file, or start with --mqtt-port',
  }));
  const { websocketPort } = site.mqtt;
  const websocket = site.mqtt.hosts.flatMap((host) =>
    websocketPort === null ? [] : [{ host, port: websocketPort, setting: 'mqtt.websocketPort in the site file' }],
  );
  return [
    ...mqtt,
    { ...site.http, setting: 'http.port in the site file, or start with --http-port' },
    ...websocket,
    ...encryptedPorts(site),
    ...(site.flows.enabled
      ? flowsHosts(site).map((host) => ({ host, port: site.flows.port, setting: 'flows.port in the site file' }))
      : []),
  ];
}

function encryptedPorts({ https, mqtt }: Site): WantedPort[] {
  const pages = { port: https?.port ?? 0, setting: 'https.port in the site file, or start with --http-port' };
  const devices = { port: mqtt.tls?.port ?? 0, setting: 'mqtt.tls.port in the site file, or start with --mqtt-port' };
  return [
    ...(https?.hosts ?? []).map((host) => ({ host, ...pages })),
    ...(mqtt.tls === null ? [] : (mqtt.tls.hosts ?? mqtt.hosts)).map((host) => ({ host, ...devices })),
  ];
}

/** Where Node-RED listens: on `::1` too where the site has no IPv4 at all. */
export function flowsHosts(site: Pick<Site, 'mqtt' | 'http'>): readonly string[] {
  const isIpv6Only = [...site.mqtt.hosts, site.http.host].every((host) => host.includes(':') && host !== '::');
  return isIpv6Only ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}
