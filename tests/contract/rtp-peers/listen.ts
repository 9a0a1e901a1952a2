import { startSpeaker } from '#edge/simulators/speaker.ts';

/** A speaker in another network: `listen.ts <group> <port> <interface>`; prints what it hears as JSON lines. */
const [group = '', port = '', link = ''] = process.argv.slice(2);
const isSix = group.includes(':');
const speaker = await startSpeaker({
  host: isSix ? '::' : '0.0.0.0',
  port: Number(port),
  name: 'far',
  multicast: { group, interface: isSix ? `::%${link}` : link },
});
console.log('"ready"');
setInterval(() => {
  const { packets, lost, tone } = speaker.heard();
  console.log(JSON.stringify({ packets, lost, tone }));
}, 100);
// Nobody leaves a receiver behind: it ends with its parent's pipe, or after a minute.
process.stdin.on('end', () => process.exit(0)).resume();
setTimeout(() => process.exit(1), 60_000);
