/**
 * Core nodes that are not loaded. Most would let a flow out of its box (commands, files, sockets); `http in` would listen on a
 * server that does not exist (httpNodeRoot is off). `http request` stays: weather and tariffs come by it.
 */
export const excludedFiles = [
  '90-exec.js',
  '10-file.js',
  '23-watch.js',
  '31-tcpin.js',
  '32-udp.js',
  '22-websocket.js',
  '21-httpin.js',
];

/** The node types that those files would have registered. */
export const excludedTypes: ReadonlySet<string> = new Set([
  'exec',
  'file',
  'file in',
  'watch',
  'tcp in',
  'tcp out',
  'tcp request',
  'udp in',
  'udp out',
  'websocket in',
  'websocket out',
  'websocket-listener',
  'websocket-client',
  'http in',
  'http response',
]);
