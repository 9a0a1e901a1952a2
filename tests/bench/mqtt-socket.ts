import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import { within } from '#edge/runtime/lifecycle.ts';

export interface MqttSocketOptions {
  readonly port: number;
  readonly client: string;
  readonly password?: string;
}

/** A sensor's MQTT connection with nothing between the measurement and the socket (TCP_NODELAY set). */
export class MqttSocket implements Disposable {
  readonly #socket: Socket;
  readonly #parser = parser();
  readonly #acknowledged = new Map<number, () => void>();
  readonly #handlers: ((topic: string, payload: Buffer) => void)[] = [];
  #connected: (code: number) => void = () => {};
  #messageId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#parser.parse(bytes));
    socket.on('error', () => {});
    this.#parser.on('packet', (packet: Packet) => this.#take(packet));
  }

  static async open({ port, client, password }: MqttSocketOptions): Promise<MqttSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await within(5_000, `connecting ${client}`, once(socket, 'connect'));
    const self = new MqttSocket(socket);
    const code = new Promise<number>((resolve) => {
      self.#connected = resolve;
    });
    const login = password === undefined ? {} : { username: client, password: Buffer.from(password) };
    self.#send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: client,
      keepalive: 60,
      ...login,
    });
    const answer = await within(10_000, `the login of ${client}`, code);
    if (answer !== 0) throw new Error(`the broker refused ${client} with code ${answer}`);
    return self;
  }

  /** Resolves at the PUBACK. */
  publish(topic: string, payload: object): Promise<void> {
    this.#messageId = (this.#messageId % 65_535) + 1;
    const messageId = this.#messageId;
    return this.#acknowledgement(messageId, () =>
      this.#send({
        cmd: 'publish',
        topic,
        payload: JSON.stringify(payload),
        qos: 1,
        dup: false,
        retain: false,
        messageId,
      }),
    );
  }

  async subscribe(topic: string, handler: (topic: string, payload: Buffer) => void): Promise<void> {
    this.#handlers.push(handler);
    this.#messageId = (this.#messageId % 65_535) + 1;
    const messageId = this.#messageId;
    await this.#acknowledgement(messageId, () =>
      this.#send({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos: 0 }] }),
    );
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #acknowledgement(messageId: number, send: () => void): Promise<void> {
    const promise = new Promise<void>((resolve) => this.#acknowledged.set(messageId, resolve));
    send();
    return within(20_000, `the acknowledgement of message ${messageId}`, promise);
  }

  #take(packet: Packet): void {
    if (packet.cmd === 'connack') this.#connected(packet.returnCode ?? 0);
    if (packet.cmd === 'publish') {
      for (const handler of this.#handlers) handler(packet.topic, Buffer.from(packet.payload));
    }
    if (packet.cmd === 'puback' || packet.cmd === 'suback') {
      const { messageId = 0 } = packet;
      this.#acknowledged.get(messageId)?.();
      this.#acknowledged.delete(messageId);
    }
  }

  #send(packet: Packet): void {
    this.#socket.write(generate(packet));
  }
}
