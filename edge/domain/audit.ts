/** Who did what, why, and what came of it. Append-only; on disk before it is answered. */
export interface AuditLine {
  readonly time: number;
  /** `person:<id>`, `token:<id>`, `client:<id>`, `interlock:<id>`, `process:<name>`. */
  readonly who: string;
  /** Address or process it came from. */
  readonly from: string;
  /** A verb and its object: `request relay-1/relay_1=true`, `alarm.acknowledge <id>`, `person.change <id>`. */
  readonly what: string;
  readonly why: string;
  readonly result: string;
}

/** Something heard that nobody has declared, or that could not be understood: kept for a person to look at. */
export interface InboxEntry {
  /** `unknown-device`, `unknown-point`, `malformed`, `unknown-topic`. */
  readonly kind: string;
  /** The MQTT client (or driver process) it came from. */
  readonly client: string;
  readonly topic: string;
  /** What identifies it, e.g. `zigbee2mqtt/lamp-3` or `meter-9/power`: one inbox line per key, counted. */
  readonly key: string;
  /** What is wrong or missing, in a sentence. */
  readonly message: string;
  /** At most 1,024 bytes of what came, as text. */
  readonly excerpt: string;
  readonly time: number;
}
