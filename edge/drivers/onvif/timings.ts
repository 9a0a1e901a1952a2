/** Every pace of the driver, ms (but `eventsPerSecond`). Tests compress them; sites keep them. */
export interface OnvifTimings {
  /** Least time between two attempts to (re)gain a camera, whatever failed: one a second as the camera counts them. */
  readonly attemptGap: number;
  readonly backoffFirst: number;
  readonly backoffCap: number;
  /** A stream that lasted this long starts its back-off afresh. */
  readonly healthyAfter: number;
  /** One SOAP call but the pull. */
  readonly answer: number;
  /** What the camera is asked to wait, and how much longer the socket waits (ZoneMinder: 20 s and 25 s). */
  readonly pull: number;
  readonly pullMargin: number;
  /** The first pull after subscribing is short, so that a quiet camera is known to stream at once. */
  readonly firstPull: number;
  /** Pause after a pull that brought something. After one that came back empty too early it is `attemptGap`. */
  readonly pullPace: number;
  /** A pull closed by the camera after this long is idle, not broken (Tapo closes after 10 s, agsh/onvif#314). */
  readonly idleClose: number;
  /** Subscription life asked for; renewed at 80 % (Home Assistant: 10 min and 8 min). */
  readonly termination: number;
  /** Pause after two refused passwords (Hikvision locks for 30 min). */
  readonly held: number;
  /** While held: how often the password file is looked at. */
  readonly heldLook: number;
  /** How long an answered pull proves that the camera is listened to. */
  readonly proof: number;
  /** How often the camera's clock is read while it streams: its tokens are judged by it. */
  readonly clockEvery: number;
  /** Repeated edges of one source within this are merged. */
  readonly coalesce: number;
  /** A state that was never ended is ended after this (ZoneMinder: "Reolink never sends false"). */
  readonly stuck: number;
  readonly eventsPerSecond: number;
  /** One `unknown` event per topic in this time. */
  readonly unknownEvery: number;
  /** An `Initialized` that differs from what we know is an edge when the subscription is older (Tapo). */
  readonly settled: number;
  readonly snapshot: number;
  readonly snapshotGap: number;
}

export const defaultTimings: OnvifTimings = {
  attemptGap: 1_100,
  backoffFirst: 1_000,
  backoffCap: 60_000,
  healthyAfter: 10_000,
  answer: 8_000,
  pull: 20_000,
  pullMargin: 5_000,
  firstPull: 1_000,
  pullPace: 100,
  idleClose: 5_000,
  termination: 600_000,
  held: 1_800_000,
  heldLook: 10_000,
  proof: 60_000,
  clockEvery: 600_000,
  coalesce: 1_000,
  stuck: 300_000,
  eventsPerSecond: 10,
  unknownEvery: 3_600_000,
  settled: 5_000,
  snapshot: 3_500,
  snapshotGap: 1_000,
};
