import { execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startTestBroker, token } from '../system/broker-harness.ts';

/* Debian's mosquitto-clients against our broker: a peer that nobody here wrote. */

const clients = ['mosquitto_pub', 'mosquitto_sub'];
const isMissing = clients.some((name) => spawnSync(name, ['--help'], { timeout: 10_000 }).error !== undefined);
if (isMissing) console.warn('SKIPPED: mosquitto peer tests: install the Debian package mosquitto-clients to run them');

const run = promisify(execFile);
const login = (client: string) => ['-u', client, '-P', token(client)];

describe.skipIf(isMissing)('mosquitto-clients', () => {
  test('mosquitto_pub at QoS 1 is acknowledged after the commit, and mosquitto_sub hears what core publishes', async () => {
    await using own = await startTestBroker({ hosts: ['127.0.0.1', '::1'] });
    const port = String(own.port);
    const sub = spawn('mosquitto_sub', [
      '-h',
      '::1',
      '-p',
      port,
      ...login('wall'),
      '-t',
      'v1/out/#',
      '-q',
      '1',
      '-C',
      '1',
      '-v',
      '-W',
      '15',
    ]);
    let heard = '';
    sub.stdout.on('data', (text: Buffer) => {
      heard += text.toString();
    });
    await expect.poll(() => own.broker.stats().clients, { timeout: 10_000 }).toBe(1);
    const samples = '{"s":[["temperature",21.5]]}';
    const topic = 'v1/in/sensor-1/samples';
    await run('mosquitto_pub', [
      '-h',
      '127.0.0.1',
      '-p',
      port,
      ...login('sensor-1'),
      '-t',
      topic,
      '-q',
      '1',
      '-m',
      samples,
    ]);
    expect(own.messages).toMatchObject([{ client: 'sensor-1', topic, qos: 1 }]);
    expect(own.messages[0]?.payload.toString()).toBe(samples);
    // Retained, so that it does not matter whether the subscription stands yet.
    await own.broker.bus.publish('v1/out/reading/sensor-1/temperature', { value: 21.5 }, { qos: 1, retain: true });
    await expect.poll(() => heard, { timeout: 10_000 }).toBe('v1/out/reading/sensor-1/temperature {"value":21.5}\n');
  });

  test('QoS 2, retained messages, a kept session and a last will work', async () => {
    await using own = await startTestBroker();
    const at = ['-h', '127.0.0.1', '-p', String(own.port)];
    await run('mosquitto_pub', [...at, ...login('bridge'), '-t', 'zigbee2mqtt/lamp', '-q', '2', '-r', '-m', 'on']);
    const retained = await run('mosquitto_sub', [
      ...at,
      ...login('wall'),
      '-t',
      'zigbee2mqtt/#',
      '-C',
      '1',
      '-v',
      '-W',
      '5',
    ]);
    expect(retained.stdout).toBe('zigbee2mqtt/lamp on\n');
    const kept = ['-i', 'wall:kept', '-c', '-q', '1', '-t', 'zigbee2mqtt/door'];
    await run('mosquitto_sub', [...at, ...login('wall'), ...kept, '-E']);
    await run('mosquitto_pub', [...at, ...login('bridge'), '-t', 'zigbee2mqtt/door', '-q', '1', '-m', 'open']);
    const missed = await run('mosquitto_sub', [...at, ...login('wall'), ...kept, '-C', '1', '-v', '-W', '5']);
    expect(missed.stdout).toBe('zigbee2mqtt/door open\n');
  });

  test('a wrong password and a foreign topic are refused', async () => {
    await using own = await startTestBroker();
    const at = ['-h', '127.0.0.1', '-p', String(own.port)];
    const wrong = run('mosquitto_pub', [
      ...at,
      '-u',
      'sensor-1',
      '-P',
      'guess',
      '-t',
      'v1/in/sensor-1/samples',
      '-m',
      '1',
    ]);
    await expect(wrong).rejects.toMatchObject({ stderr: expect.stringContaining('bad user name or password') });
    // mosquitto_pub would come back for ever; one refusal is enough.
    const foreign = spawn('mosquitto_pub', [
      ...at,
      ...login('sensor-1'),
      '-t',
      'v1/command/fieldbus',
      '-q',
      '1',
      '-m',
      '1',
    ]);
    await expect.poll(() => own.broker.stats().refused['topic-not-granted'], { timeout: 10_000 }).toBeGreaterThan(0);
    foreign.kill('SIGKILL');
    expect(own.messages).toEqual([]);
  });
});
