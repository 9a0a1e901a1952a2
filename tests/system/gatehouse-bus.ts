import type { MqttClient } from 'mqtt';
import type { Bus } from '#edge/bus/bus.ts';
import { matchesFilter } from '#edge/bus/topics.ts';

/** A client of the test as the bus that a process has. */
export function connectBus(mqtt: MqttClient): Bus {
  return {
    publish: async (topic, body, options = {}) => {
      const payload = body === null ? '' : JSON.stringify(body);
      await mqtt.publishAsync(topic, payload, { qos: 1, retain: options.retain === true });
    },
    subscribe: async (filter, handler) => {
      mqtt.on('message', (topic, payload) => {
        if (matchesFilter(filter, topic)) handler(topic, payload);
      });
      await mqtt.subscribeAsync(filter, { qos: 1 });
      return { [Symbol.asyncDispose]: async () => void (await mqtt.unsubscribeAsync(filter)) };
    },
  };
}
