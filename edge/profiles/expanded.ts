import type { ValueType } from '#edge/domain/device.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Cjt188Value } from './cjt188-profile.ts';
import type { Dlt645Value } from './dlt645-profile.ts';
import type { ModbusValue } from './modbus-profile.ts';
import type { ForeignValue, PhraseValue, SnmpValue } from './profile.ts';

/** One named value of a profile after expansion, with its address; what a site adds (poll seconds) is not in it yet. */
export interface Expanded {
  readonly name: string;
  readonly label: Name;
  readonly type: ValueType;
  /** What the profile says of it, in the words of its protocol. */
  readonly value: ProfileValue;
  readonly address: unknown;
}

type Common = Pick<
  ForeignValue,
  'label' | 'unit' | 'range' | 'deadband' | 'optional' | 'stale' | 'poll' | 'counter' | 'write'
>;
export type ProfileValue = Common & (ModbusValue | ForeignValue | SnmpValue | Dlt645Value | Cjt188Value | PhraseValue);
