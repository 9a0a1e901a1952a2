import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/*
 * What one writes in an afternoon: `ffmpeg -c copy` to fragments, each to every WebSocket, and a page that plays them with the same
 * two rules (1.1 times as fast when 0.25 s behind, a jump when 1 s behind). No fan-out cache, no slow viewers, no second try.
 */

const page = `<!doctype html><body style="margin:0"><video muted autoplay playsinline style="width:640px"></video><script>
const video = document.querySelector('video');
const media = new MediaSource();
const began = performance.now();
video.src = URL.createObjectURL(media);
video.requestVideoFrameCallback(() => { document.body.dataset.first = Math.round(performance.now() - began); });
media.onsourceopen = () => {
  const buffer = media.addSourceBuffer('video/mp4; codecs="avc1.64001e"');
  const queue = [];
  const work = () => {
    if (buffer.updating || queue.length === 0) return;
    buffer.appendBuffer(queue.shift());
  };
  buffer.onupdateend = work;
  const socket = new WebSocket(location.href.replace('http', 'ws'));
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => { queue.push(data); work(); };
};
setInterval(() => {
  if (video.buffered.length === 0) return;
  const end = video.buffered.end(video.buffered.length - 1);
  const lag = end - video.currentTime;
  if (video.currentTime < video.buffered.start(0) || lag > 1) video.currentTime = end - 0.1;
  else video.playbackRate = lag > 0.25 ? 1.1 : 1;
}, 100);
</script>`;

const args = ['-v', 'error', '-rtsp_transport', 'tcp', '-i'];
const output = [
  '-c',
  'copy',
  '-an',
  '-f',
  'mp4',
  '-movflags',
  'frag_every_frame+empty_moov+default_base_moof',
  'pipe:1',
];

/** Serves the stream of an RTSP address (password in it) to one page after another, by this ffmpeg. */
export async function startBareLive(
  rtsp: string,
  ffmpeg = 'ffmpeg',
): Promise<AsyncDisposable & { readonly url: string }> {
  const children = new Set<ReturnType<typeof spawn>>();
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket: WebSocket) => {
    const child = spawn(ffmpeg, [...args, rtsp, ...output], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.add(child);
    child.stdout.on('data', (bytes: Buffer) => socket.send(bytes));
    socket.on('close', () => child.kill('SIGKILL'));
    child.on('exit', () => children.delete(child));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
