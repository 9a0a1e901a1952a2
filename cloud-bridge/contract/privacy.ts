/*
 * What of an event's data may leave the campus. Ranges are narrow on purpose: a card number (8 to 10 digits), a phone
 * number or an identity number does not fit into any of them. Text travels only as a word of a closed list, so a name
 * cannot.
 */

/** Number keys with their least and largest value. */
export const numberRanges: Readonly<Record<string, readonly [number, number]>> = {
  attempt: [0, 1_000],
  battery: [0, 100],
  channel: [0, 255],
  confidence: [0, 100],
  count: [0, 9_999],
  duration: [0, 604_800],
  level: [-100, 1_000],
  linkquality: [0, 255],
  restarts: [0, 9_999],
};

/** Word keys with their whole vocabulary. */
export const words: Readonly<Record<string, readonly string[]>> = {
  action: ['single', 'double', 'hold', 'release', 'on', 'off', 'toggle'],
  cause: ['power', 'network', 'timeout', 'restart', 'crash', 'silent', 'exit', 'tamper', 'schedule', 'interlock'],
  direction: ['in', 'out', 'left', 'right', 'up', 'down', 'both', 'any'],
  object: ['person', 'vehicle', 'animal', 'bag', 'unknown'],
  process: ['supervisor', 'core', 'fieldbus', 'camera', 'media', 'broadcast', 'flows', 'web', 'uplink'],
  reason: [
    'never-read',
    'no-communication',
    'communication-error',
    'configuration-error',
    'device-failure',
    'held',
    'last-usable-value',
    'out-of-range',
    'not-accurate',
    'counter-step',
    'clock',
  ],
  state: ['on', 'off', 'open', 'closed', 'active', 'idle', 'ok', 'fault', 'alarm', 'online', 'offline', 'normal'],
};

/**
 * Alarm texts come from the site file, where somebody may one day put a telephone number. Seven digits in a row (spaces
 * and dashes between them count as nothing) are not told to the city. Cut at 200 characters.
 */
export function redact(text: string): string {
  return text.replace(/\d(?:[ -]?\d){6,}[Xx]?/g, '***').slice(0, 200);
}
