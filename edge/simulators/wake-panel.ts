import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A classroom panel that sleeps and hears magic packets. */
export interface WakePanel extends AsyncDisposable {
  readonly port: number;
  readonly isAwake: boolean;
  /** Magic packets for it so far. */
  readonly heard: number;
  /** Somebody turns it off at the panel. */
  sleep(): void;
}

/** Only a packet with its own address sixteen times behind six times 0xff wakes it. UDP; port 0 takes a free one. */
export async function startWakePanel(options: {
  readonly host: string;
  readonly port: number;
  readonly mac: string;
}): Promise<WakePanel> {
  const address = Buffer.from(options.mac.replaceAll(/[:-]/g, ''), 'hex');
  const wanted = Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => address)]);
  const state = { isAwake: false, heard: 0 };
  const socket = createSocket(options.host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (packet) => {
    if (!packet.includes(wanted)) return;
    state.heard++;
    state.isAwake = true;
  });
  socket.bind(options.port, options.host);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    get isAwake() {
      return state.isAwake;
    },
    get heard() {
      return state.heard;
    },
    sleep: () => {
      state.isAwake = false;
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}
