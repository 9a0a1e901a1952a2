import { element, xmlText } from './camera-soap.ts';
import type { CameraMessage } from './camera-subscriptions.ts';

/** Contacts of the simulated camera: how its maker names them, and which service has the relays. */
export interface IoDialect {
  readonly inputTopic: string;
  /** Name of the source item; tokens in the list and in events may differ. */
  readonly inputItem: string;
  readonly inputData: string;
  readonly inputToken: (index: number) => string;
  readonly inputEventToken: (index: number) => string;
  readonly truth: { readonly on: string; readonly off: string };
  /** `device`: without a DeviceIO service, as cameras before 2012. */
  readonly service: 'deviceIo' | 'device';
}

export interface SimulatedRelay {
  readonly token: string;
  readonly mode: 'Bistable' | 'Monostable';
  /** Of a monostable one, ms. */
  readonly delay: number;
  isActive: boolean;
  timer: NodeJS.Timeout | undefined;
}

interface Fault {
  readonly subcode: string;
  readonly reason: string;
}

export interface CameraIoOptions {
  readonly inputs: number;
  /** Of each relay. */
  readonly relays: readonly ('Bistable' | 'Monostable')[];
  readonly dialect: IoDialect;
  /** Tells no event of its relays (and leaves nothing that would prove what they do). */
  readonly isMute: boolean;
  readonly say: (message: Omit<CameraMessage, 'time'>) => void;
}

/** Digital inputs that somebody else closes, and relays that switch. */
export class CameraIo implements Disposable {
  readonly #options: CameraIoOptions;
  readonly relays: readonly SimulatedRelay[];

  constructor(options: CameraIoOptions) {
    this.#options = options;
    this.relays = options.relays.map((mode, i) => ({
      token: `RelayOutput_${i + 1}`,
      mode,
      delay: 1_000,
      isActive: false,
      timer: undefined,
    }));
    for (let index = 1; index <= options.inputs; index++) this.input(index, false);
    for (const relay of this.relays) this.#tell(relay);
  }

  /** Somebody closes (or opens) contact `index`, from 1. */
  input(index: number, isClosed: boolean): void {
    const { dialect, say } = this.#options;
    const { inputTopic, inputItem, inputData, inputEventToken, truth } = dialect;
    say({
      topic: inputTopic,
      source: { [inputItem]: inputEventToken(index) },
      data: { [inputData]: isClosed ? truth.on : truth.off },
      operation: 'Changed',
    });
  }

  answer(operation: string, xml: string, service: 'device' | 'deviceIo'): string | Fault | null {
    const { dialect, inputs } = this.#options;
    if (service === 'deviceIo' && dialect.service === 'device') return null;
    switch (operation) {
      case 'GetDigitalInputs': {
        if (service !== 'deviceIo') return null;
        const list = Array.from({ length: inputs }, (_, i) => {
          return `<tmd:DigitalInputs token="${xmlText(dialect.inputToken(i + 1))}" IdleState="open"/>`;
        });
        return `<tmd:GetDigitalInputsResponse>${list.join('')}</tmd:GetDigitalInputsResponse>`;
      }
      case 'GetRelayOutputs': {
        const list = this.relays.map(
          ({ token, mode, delay }) =>
            `<tds:RelayOutputs token="${xmlText(token)}"><tt:Properties><tt:Mode>${mode}</tt:Mode>` +
            `<tt:DelayTime>PT${delay / 1000}S</tt:DelayTime><tt:IdleState>open</tt:IdleState></tt:Properties></tds:RelayOutputs>`,
        );
        return `<tds:GetRelayOutputsResponse>${list.join('')}</tds:GetRelayOutputsResponse>`;
      }
      case 'SetRelayOutputState':
        return this.#set(element(xml, 'RelayOutputToken'), element(xml, 'LogicalState'));
      default:
        return null;
    }
  }

  #set(token: string, state: string): string | Fault {
    const relay = this.relays.find((one) => one.token === token);
    if (relay === undefined) return { subcode: 'ter:RelayToken', reason: 'Unknown relay token reference' };
    if (state !== 'active' && state !== 'inactive')
      return { subcode: 'ter:InvalidArgVal', reason: 'Unknown LogicalState' };
    this.#turn(relay, state === 'active');
    clearTimeout(relay.timer);
    if (relay.mode === 'Monostable' && relay.isActive) {
      relay.timer = setTimeout(() => this.#turn(relay, false), relay.delay);
    }
    return '<tds:SetRelayOutputStateResponse/>';
  }

  #turn(relay: SimulatedRelay, isActive: boolean): void {
    if (relay.isActive === isActive) return;
    relay.isActive = isActive;
    this.#tell(relay);
  }

  #tell({ token, isActive }: SimulatedRelay): void {
    if (this.#options.isMute) return;
    this.#options.say({
      topic: 'tns1:Device/Trigger/Relay',
      source: { RelayToken: token },
      data: { LogicalState: isActive ? 'active' : 'inactive' },
      operation: 'Changed',
    });
  }

  [Symbol.dispose](): void {
    for (const relay of this.relays) clearTimeout(relay.timer);
  }
}
