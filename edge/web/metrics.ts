import { codeOf } from '#edge/runtime/errors.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { LiveState } from './live.ts';
import type { Streams } from './stream.ts';

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Prometheus text format 0.0.4. Values of points are not exported here: they have an API of their own. */
export function renderMetrics(sources: {
  readonly live: LiveState;
  readonly streams: Pick<Streams, 'size' | 'dropped'>;
  /** null: no campus, so nothing of a store. */
  readonly reader: Pick<Reader, 'alarms'> | null;
}): string {
  const { live, streams } = sources;
  const readings = [...live.readings.values()];
  const count = (quality: string) => readings.filter((reading) => reading.quality === quality).length;
  const byProcess = (pick: (child: LiveState['processes'][number]) => number | null): Sample[] =>
    live.processes.flatMap((child) => {
      const value = pick(child);
      return value === null ? [] : [{ labels: { process: child.name }, value }];
    });
  const devices = [...live.health.values()].flatMap((health) => health.devices);
  return [
    metric(
      'campus_process_up',
      'gauge',
      'Whether a process is ready.',
      byProcess((p) => (p.state === 'ready' ? 1 : 0)),
    ),
    metric(
      'campus_process_restarts_total',
      'counter',
      'Restarts since the supervisor started.',
      byProcess((p) => p.restarts),
    ),
    metric(
      'campus_process_resident_bytes',
      'gauge',
      'Resident memory.',
      byProcess((p) => p.rss),
    ),
    metric(
      'campus_process_loop_delay_ms',
      'gauge',
      'Largest event-loop delay between two beats.',
      byProcess((p) => p.loopDelay),
    ),
    metric('campus_core_connected', 'gauge', 'Whether the web process hears core.', [
      { value: live.connected ? 1 : 0 },
    ]),
    metric(
      'campus_points',
      'gauge',
      'Points by quality.',
      ['good', 'uncertain', 'bad'].map((quality) => ({ labels: { quality }, value: count(quality) })),
    ),
    metric('campus_alarms_open', 'gauge', 'Open alarms.', openAlarms(sources.reader)),
    metric(
      'campus_device_online',
      'gauge',
      'Whether a device answers.',
      devices.map((d) => ({ labels: { device: d.device }, value: d.state === 'online' ? 1 : 0 })),
    ),
    metric(
      'campus_device_outcomes_total',
      'counter',
      'What came of talking to a device.',
      devices.flatMap((d) =>
        Object.entries(d.counters).map(([outcome, value]) => ({ labels: { device: d.device, outcome }, value })),
      ),
    ),
    metric('campus_browser_streams', 'gauge', 'Browsers that listen.', [{ value: streams.size }]),
    metric('campus_browser_streams_dropped_total', 'counter', 'Browsers cut off because they did not read.', [
      { value: streams.dropped },
    ]),
  ].join('');
}

function metric(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const inner = Object.entries(labels).map(([key, text]) => `${key}="${labelValue(text)}"`);
    return `${name}${inner.length === 0 ? '' : `{${inner.join(',')}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** The exposition format knows three escapes inside a label. */
function labelValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** By class; without a store yet there is no figure, which is not the same as none open. */
function openAlarms(reader: Pick<Reader, 'alarms'> | null): Sample[] {
  if (reader === null) return [];
  try {
    const open = reader.alarms({ open: true, limit: 1_000 });
    return ['critical', 'high', 'medium', 'low'].map((level) => ({
      labels: { class: level },
      value: open.filter((alarm) => alarm.class === level).length,
    }));
  } catch (error) {
    if (codeOf(error) === 'STORE_NOT_READY') return [];
    throw error;
  }
}
