/** An open line of bytes: a TCP connection or a serial port. Never reconnects: a new try is a new object. */
export interface BytePort extends AsyncDisposable {
  /** Hands bytes over; what cannot be sent ends the port (`closed`). Does nothing on a closed port. */
  write(bytes: Buffer): void;
  /** One listener, set once, right after opening. `closed` comes exactly once, whoever ended it, and nothing after it. */
  listen(listener: { data(bytes: Buffer): void; closed(reason: string): void }): void;
}

/** How to get one. Two devices with the same key share one line, hence one queue. */
export interface PortSource {
  /** Normalised: `tcp:10.0.3.7:502`, `serial:/dev/ttyUSB0`. */
  readonly key: string;
  /** For people: `10.0.3.7:502`, `/dev/ttyUSB0 at 9600 8N1`. */
  readonly label: string;
  /** What all who share it must agree on (`9600 8N1`); absent where there is nothing to agree on. */
  readonly settings?: string;
  /** Rejects with PORT_UNREACHABLE, or PORT_TIMEOUT after `timeout` ms; leaves nothing open behind. */
  open(timeout: number, signal: AbortSignal): Promise<BytePort>;
}
