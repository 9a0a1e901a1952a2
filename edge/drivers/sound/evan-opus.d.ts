/** The WASM half of the package, which is the same on every machine; it has no types of its own. */
declare module '@evan/opus/wasm/index.mjs' {
  export class Encoder {
    constructor(options: { channels: 1 | 2; sample_rate: number; application: 'voip' | 'audio' });
    /** An encoder's setting (opus_defines.h). Throws when libopus refuses it. */
    ctl(request: number, value: number): number;
    /** 16-bit samples -> one packet. */
    encode(samples: ArrayBufferView): Uint8Array;
    /** Gives its memory back. */
    drop(): void;
  }

  export class Decoder {
    constructor(options: { channels: 1 | 2; sample_rate: number });
    /** One packet -> 16-bit samples, as bytes. Throws when it is none. */
    decode(packet: ArrayBufferView): Uint8Array;
    /** Gives its memory back. */
    drop(): void;
  }
}
