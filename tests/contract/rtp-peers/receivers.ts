import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Codec, formats, type Rate } from '#edge/drivers/sound/codecs.ts';

/* Receivers nobody here wrote: each listens to RTP on a port of the loopback and writes 16-bit samples into a file. */

export interface Receiver extends AsyncDisposable {
  /** What it complains about. */
  complaints(): string;
  /** null while it runs. */
  exitCode(): number | null;
}

export interface ReceiverOptions {
  readonly codec: Codec;
  readonly payloadType: number;
  readonly port: number;
  readonly folder: string;
  /** Raw samples at `heardRate(codec)`. */
  readonly file: string;
}

export function heardRate(codec: Codec): Rate {
  return formats[codec].rate;
}

function has(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { timeout: 10_000 }).status === 0;
}

export const hasFfmpeg = has('ffmpeg', ['-version']);
/** avdec_g722 is of gstreamer1.0-libav, udpsrc and the depayloaders of gstreamer1.0-plugins-good. */
export const hasGstreamer = ['udpsrc', 'rtpbin', 'avdec_g722', 'opusdec', 'wavenc'].every((element) =>
  has('gst-inspect-1.0', ['--exists', element]),
);

export async function startFfmpegReceiver({
  codec,
  payloadType,
  port,
  folder,
  file,
}: ReceiverOptions): Promise<Receiver> {
  const sdp = join(folder, `${codec.replace('/', '-')}.sdp`);
  const { rtpmap, fmtp } = formats[codec];
  const lines = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=clip', 'c=IN IP4 127.0.0.1', 't=0 0'];
  lines.push(`m=audio ${port} RTP/AVP ${payloadType}`, `a=rtpmap:${payloadType} ${rtpmap}`);
  if (fmtp !== '') lines.push(`a=fmtp:${payloadType} ${fmtp}`);
  await writeFile(sdp, [...lines, ''].join('\r\n'));
  const input = ['-protocol_whitelist', 'file,udp,rtp', '-i', sdp];
  const output = ['-t', '4', '-ac', '1', '-ar', `${heardRate(codec)}`, '-f', 's16le', '-y', file];
  return watch(spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...input, ...output], pipes));
}

const depayloaders: Readonly<Record<Codec, string>> = {
  PCMA: 'rtppcmadepay ! alawdec',
  PCMU: 'rtppcmudepay ! mulawdec',
  G722: 'rtpg722depay ! avdec_g722',
  'L16/16000': 'rtpL16depay',
  'L16/44100': 'rtpL16depay',
  'L16/48000': 'rtpL16depay',
  OPUS: 'rtpopusdepay ! opusdec',
};

/** With `rtcp` it hears sender reports and sends receiver reports, as an endpoint of a conference does (rtpbin). */
export function startGstReceiver(
  options: ReceiverOptions & { readonly rtcp?: { readonly listen: number; readonly sendTo: number } },
): Receiver {
  const { codec, payloadType, port, file, rtcp } = options;
  const { clock, rtpmap } = formats[codec];
  const name = rtpmap.split('/')[0]?.toUpperCase() ?? '';
  const mono = codec.startsWith('L16') ? ',channels=1' : '';
  const caps = `application/x-rtp,media=audio,payload=${payloadType},clock-rate=${clock},encoding-name=${name}${mono}`;
  const raw = `audio/x-raw,format=S16LE,channels=1,rate=${heardRate(codec)}`;
  const tail = `${depayloaders[codec]} ! audioconvert ! audioresample ! ${raw} ! filesink location=${file} buffer-mode=unbuffered`;
  const plain = `udpsrc address=127.0.0.1 port=${port} caps=${caps} ! rtpjitterbuffer latency=100 ! ${tail}`;
  const session =
    `rtpbin name=bin latency=100 udpsrc address=127.0.0.1 port=${port} caps=${caps} ! bin.recv_rtp_sink_0 bin. ! ${tail} ` +
    `udpsrc address=127.0.0.1 port=${rtcp?.listen} ! bin.recv_rtcp_sink_0 ` +
    `bin.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=${rtcp?.sendTo} sync=false async=false`;
  const pipeline = rtcp === undefined ? plain : session;
  return watch(spawn('gst-launch-1.0', ['-q', ...pipeline.split(' ')], pipes));
}

const pipes: SpawnOptions = { stdio: ['pipe', 'ignore', 'pipe'] };

function watch(child: ChildProcess): Receiver {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
  });
  return {
    complaints: () => said,
    exitCode: () => child.exitCode,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
      child.kill('SIGKILL');
      await exited;
    },
  };
}
