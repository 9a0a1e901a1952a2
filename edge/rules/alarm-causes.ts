import type { Alarm } from '#edge/domain/alarm.ts';

/*
 * Suppression by design (ISA-18.2 "designed suppression"): which greater cause makes an alarm silent, so that one dead switch
 * is one line and not forty.
 */

/** How devices hang together: everything of one that dies with something else. */
export interface Ways {
  /** The process that drives it. */
  processOf(device: string): string | undefined;
  /** The switch (a device) that it hangs on. */
  uplinkOf?(device: string): string | undefined;
  /** Source of the alarm of the bridge through which it speaks: `bridge:zigbee2mqtt`. */
  bridgeOf?(device: string): string | undefined;
}

/** Switches behind switches; no campus has more, and a site file that goes in circles ends here. */
const deepest = 16;

/** Kinds of alarms that something else may explain. */
const explained = ['device', 'output', 'blind', 'rule', 'energy', 'recording', 'deaf'];
/** Nothing is recorded: what its process, and its disk, say of all cameras at once. */
const media = 'process:media';
const recordingSite = 'recording:site';

/**
 * Sources whose standing alarm explains this one, greatest first: the process and the switches that a device depends on, its
 * bridge, and, for what is said of its points (an output, a blind rule, a rule that looks at it, what a meter counted), the
 * device itself. What a safety rule itself says is never explained away, nor is what an event has told: it has happened,
 * wherever the device is now.
 */
export function createCauses(ways: Ways): (alarm: Alarm) => readonly string[] {
  return ({ source, device, event }) => {
    const kind = source.slice(0, source.indexOf(':'));
    if (kind === 'voice') return [`process:${source.slice(kind.length + 1)}`];
    if (source === recordingSite) return [media];
    if (device === undefined || !explained.includes(kind)) return [];
    if (kind === 'rule' && event !== undefined) return [];
    const process = ways.processOf(device);
    const bridge = ways.bridgeOf?.(device);
    return [
      ...(kind === 'recording' ? [media, recordingSite] : []),
      ...(process === undefined ? [] : [`process:${process}`]),
      ...switchesOf(device, ways),
      ...(bridge === undefined ? [] : [bridge]),
      ...(kind === 'device' ? [] : [`device:${device}`]),
    ];
  };
}

/** From the root of the network to the nearest. */
function switchesOf(device: string, { uplinkOf }: Ways): string[] {
  const above: string[] = [];
  let next = uplinkOf?.(device);
  while (next !== undefined && next !== device && !above.includes(next) && above.length < deepest) {
    above.unshift(next);
    next = uplinkOf?.(next);
  }
  return above.map((id) => `device:${id}`);
}
