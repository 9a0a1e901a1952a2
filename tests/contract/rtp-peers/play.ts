import { demoDriver, HeardSink, playCommand, speakerDevice } from '../../unit/broadcast/speakers.ts';

/** Our driver in another network: `play.ts <group> <port> <interface>`; prints its health as JSON lines. */
const [host = '', port = '', link = ''] = process.argv.slice(2);
const { driver } = await demoDriver();
const sink = new HeardSink();
const config = driver.config.parse({ rtp: { host, port: Number(port) }, multicast: { ttl: 4, interface: link } });
const signal = new AbortController().signal;
const session = await driver.open(speakerDevice({}), config, sink, signal);
await session.write?.(playCommand('tones'), signal);
console.log(JSON.stringify(sink.states.at(-1)));
process.stdin.on('end', () => process.exit(0)).resume();
setTimeout(() => process.exit(1), 60_000);
