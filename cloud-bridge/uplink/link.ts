import { Socket } from 'node:net';
import { connect, type MqttClient } from 'mqtt';
import { type CampusAddress, campusFilters, downTopic, upTopic, willTopic } from '#bridge/contract/topics.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';

/** One MQTT 3.1.1 connection to the city, clean session. It never reconnects by itself and replays nothing. */
export interface Link extends AsyncDisposable {
  /** Hands bytes to the socket; what becomes of them is the city's acknowledgement to tell. */
  send(word: string, bytes: Buffer): void;
  /** Says goodbye, so that the city need not wait for the lease to see us gone. */
  leave(): Promise<void>;
  /** Resolves with the reason when the connection is over. */
  readonly closed: Promise<string>;
}

export interface LinkOptions {
  readonly host: string;
  readonly port: number;
  readonly address: CampusAddress;
  readonly password: string;
  readonly session: string;
  readonly connectTimeout: number;
  readonly signal: AbortSignal;
  readonly onAnswer: (payload: Buffer) => void;
}

function openClient({ host, port, address, password, session, connectTimeout }: LinkOptions): MqttClient {
  return connect({
    protocol: 'mqtt',
    host,
    port,
    clientId: address.campus,
    username: address.campus,
    password,
    protocolVersion: 4,
    clean: true,
    keepalive: 20,
    connectTimeout,
    // Back-off is ours, and a clean session has nothing to repeat.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: willTopic(address), payload: goodbye(session), qos: 1, retain: false },
  });
}

function goodbye(session: string): Buffer {
  return Buffer.from(JSON.stringify({ v: 1, session }));
}

/** Connects and subscribes. Throws UPLINK_UNREACHABLE with the reason (refused, not authorized, timeout). */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { address, session, connectTimeout, signal, onAnswer } = options;
  const client = openClient(options);
  let reason = 'the connection was closed';
  client.on('error', (error) => {
    reason = messageOf(error);
  });
  const closed = new Promise<string>((resolve) => {
    client.once('close', () => resolve(reason));
  });
  const abort = () => client.end(true);
  signal.addEventListener('abort', abort, { once: true });
  const dispose = async (): Promise<void> => {
    client.end(true);
    await within(2_000, 'closing the connection to the city', closed).catch(() => client.stream.destroy());
  };
  try {
    if (signal.aborted) throw new CodedError('UPLINK_STOPPED', 'the uplink is stopping');
    const connected = new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      void closed.then((why) => reject(new Error(why)));
    });
    await within(connectTimeout, 'connecting to the city', connected);
    // A 40 ms delayed acknowledgement per frame otherwise.
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    client.on('message', (topic, payload) => {
      if (topic === downTopic(address, 'ack')) onAnswer(payload);
    });
    await within(
      connectTimeout,
      'subscribing at the city',
      client.subscribeAsync(campusFilters(address).subscribe, { qos: 1 }),
    );
  } catch (error) {
    await dispose();
    const where = `${options.host}:${options.port}`;
    throw new CodedError('UPLINK_UNREACHABLE', `the city at ${where}: ${messageOf(error)}`, { cause: error });
  } finally {
    // From here on whoever holds the link ends it, after a goodbye.
    signal.removeEventListener('abort', abort);
  }
  return {
    closed,
    send: (word, bytes) => {
      // An MQTT acknowledgement promises nothing here and its absence is seen as a closed connection.
      client.publish(upTopic(address, word), bytes, { qos: 1 }, () => {});
    },
    leave: async () => {
      if (!client.connected) return;
      const said = client.publishAsync(willTopic(address), goodbye(session), { qos: 1 });
      await within(1_000, 'saying goodbye to the city', said).catch(() => {});
    },
    [Symbol.asyncDispose]: dispose,
  };
}
