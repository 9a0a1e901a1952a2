import type { Clock } from '#edge/runtime/clock.ts';
import { element, isoTime, readDuration, xmlText } from './camera-soap.ts';

/** Where the simulated camera looks: pan and tilt -1 to 1, zoom 0 to 1. */
export interface PtzPosition {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

interface Fault {
  readonly subcode: string;
  readonly reason: string;
}

/** What the PTZ service does wrong, or otherwise than others. */
export type PtzQuirk =
  | 'none'
  /** Refuses a time limit of a movement. */
  | 'noTimeout'
  /** Has no Stop. */
  | 'noStop'
  /** Does not say where it is. */
  | 'noStatus'
  /** Has no home position. */
  | 'noHome';

/** Full speed crosses the whole range in two seconds; a preset is reached three times as fast. */
const speed = 1 / 1000;
const presetSpeed = 3 / 1000;
const noPreset: Fault = { subcode: 'ter:NoToken', reason: 'The requested preset token does not exist' };
const notSupported: Fault = { subcode: 'ter:ActionNotSupported', reason: 'Optional Action Not Implemented' };
const still: PtzPosition = { pan: 0, tilt: 0, zoom: 0 };
const home: PtzPosition = still;

const attribute = (xml: string, tag: string, name: string) =>
  Number(new RegExp(`<(?:[\\w-]+:)?${tag}\\b[^>]*\\b${name}="([^"]*)"`).exec(xml)?.[1] ?? 0);

/** A pan-tilt-zoom head with a little inertia of thought: it moves at a speed, on to a limit, or to a preset. */
export class CameraPtz {
  readonly #clock: Clock;
  readonly quirk: PtzQuirk;
  readonly presets: { token: string; name: string; position: PtzPosition }[] = [
    { token: '1', name: 'Gate', position: { pan: -0.4, tilt: 0.1, zoom: 0.2 } },
    { token: '2', name: 'Car park', position: { pan: 0.5, tilt: -0.2, zoom: 0 } },
    // Two of the same name: npm onvif, which keys them by name, loses one.
    { token: 'P&3', name: 'Gate', position: { pan: 0.8, tilt: 0.3, zoom: 0.6 } },
  ];
  #from: PtzPosition = { pan: 0.2, tilt: 0, zoom: 0 };
  #since: number;
  #velocity: PtzPosition = still;
  /** Monotonic ms at which the movement ends by itself. */
  #until = Number.POSITIVE_INFINITY;
  #target: PtzPosition | null = null;
  /** Movements as they were asked for, at most 1,000. */
  readonly commands: { readonly at: number; readonly operation: string; readonly detail: string }[] = [];

  constructor(clock: Clock, quirk: PtzQuirk) {
    this.#clock = clock;
    this.quirk = quirk;
    this.#since = clock.monotonic();
  }

  get position(): PtzPosition {
    const now = Math.min(this.#clock.monotonic(), this.#until);
    const passed = Math.max(0, now - this.#since);
    const target = this.#target;
    const axis = (name: 'pan' | 'tilt' | 'zoom') => {
      const from = this.#from[name];
      if (target === null) {
        const to = from + this.#velocity[name] * passed * speed;
        return Math.min(1, Math.max(name === 'zoom' ? 0 : -1, to));
      }
      const way = target[name] - from;
      return from + Math.sign(way) * Math.min(Math.abs(way), passed * presetSpeed);
    };
    return { pan: axis('pan'), tilt: axis('tilt'), zoom: axis('zoom') };
  }

  get isMoving(): boolean {
    const target = this.#target;
    if (target !== null) {
      const { pan, tilt, zoom } = this.position;
      return Math.abs(pan - target.pan) + Math.abs(tilt - target.tilt) + Math.abs(zoom - target.zoom) > 1e-6;
    }
    const { pan, tilt, zoom } = this.#velocity;
    return (pan !== 0 || tilt !== 0 || zoom !== 0) && this.#clock.monotonic() < this.#until;
  }

  #move(velocity: PtzPosition, target: PtzPosition | null, limit: number): void {
    this.#from = this.position;
    this.#since = this.#clock.monotonic();
    this.#velocity = velocity;
    this.#target = target;
    this.#until = this.#since + limit;
  }

  #note(operation: string, detail: string): void {
    if (this.commands.length < 1000) this.commands.push({ at: this.#clock.monotonic(), operation, detail });
  }

  answer(operation: string, xml: string, time: number): string | Fault | null {
    switch (operation) {
      case 'GetNodes':
        return `<tptz:GetNodesResponse>${this.#node()}</tptz:GetNodesResponse>`;
      case 'GetPresets':
        return `<tptz:GetPresetsResponse>${this.presets.map(presetXml).join('')}</tptz:GetPresetsResponse>`;
      case 'GetStatus':
        return this.quirk === 'noStatus' ? notSupported : this.#status(time);
      case 'GotoPreset':
        return this.#gotoPreset(element(xml, 'PresetToken'));
      case 'GotoHomePosition':
        if (this.quirk === 'noHome')
          return { subcode: 'ter:NoHomePosition', reason: 'No home position has been defined' };
        this.#note(operation, '');
        this.#move(still, home, Number.POSITIVE_INFINITY);
        return '<tptz:GotoHomePositionResponse/>';
      case 'ContinuousMove':
        return this.#continuous(xml);
      case 'Stop':
        if (this.quirk === 'noStop') return notSupported;
        this.#note(operation, '');
        this.#move(still, null, Number.POSITIVE_INFINITY);
        return '<tptz:StopResponse/>';
      case 'SetPreset':
        return this.#setPreset(element(xml, 'PresetToken'), element(xml, 'PresetName'));
      default:
        return null;
    }
  }

  #gotoPreset(token: string): string | Fault {
    const preset = this.presets.find((one) => one.token === token);
    if (preset === undefined) return noPreset;
    this.#note('GotoPreset', token);
    this.#move(still, preset.position, Number.POSITIVE_INFINITY);
    return '<tptz:GotoPresetResponse/>';
  }

  #continuous(xml: string): string | Fault {
    const timeout = element(xml, 'Timeout');
    if (timeout !== '' && this.quirk === 'noTimeout') {
      return {
        subcode: 'ter:TimeoutNotSupported',
        reason: 'The specified timeout argument is not within the supported timeout range',
      };
    }
    const velocity = {
      pan: attribute(xml, 'PanTilt', 'x'),
      tilt: attribute(xml, 'PanTilt', 'y'),
      zoom: attribute(xml, 'Zoom', 'x'),
    };
    this.#note('ContinuousMove', `${velocity.pan} ${velocity.tilt} ${velocity.zoom} ${timeout}`.trim());
    this.#move(velocity, null, timeout === '' ? Number.POSITIVE_INFINITY : readDuration(timeout, 0));
    return '<tptz:ContinuousMoveResponse/>';
  }

  #setPreset(token: string, name: string): string | Fault {
    if (this.presets.length >= 100)
      return { subcode: 'ter:TooManyPresets', reason: 'Maximum number of presets reached' };
    const found = this.presets.find((preset) => preset.token === token);
    const position = this.position;
    if (found !== undefined) found.position = position;
    const given = found?.token ?? String(this.presets.length + 1);
    if (found === undefined)
      this.presets.push({ token: given, name: name === '' ? `Preset ${given}` : name, position });
    return `<tptz:SetPresetResponse><tptz:PresetToken>${xmlText(given)}</tptz:PresetToken></tptz:SetPresetResponse>`;
  }

  #node(): string {
    return (
      '<tptz:PTZNode token="PTZNode_1" FixedHomePosition="false"><tt:Name>PTZNode_1</tt:Name><tt:SupportedPTZSpaces/>' +
      '<tt:MaximumNumberOfPresets>100</tt:MaximumNumberOfPresets>' +
      `<tt:HomeSupported>${this.quirk !== 'noHome'}</tt:HomeSupported></tptz:PTZNode>`
    );
  }

  #status(time: number): string {
    const word = this.isMoving ? 'MOVING' : 'IDLE';
    return (
      `<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>${positionXml(this.position)}</tt:Position><tt:MoveStatus>` +
      `<tt:PanTilt>${word}</tt:PanTilt><tt:Zoom>${word}</tt:Zoom></tt:MoveStatus>` +
      `<tt:UtcTime>${isoTime(time)}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>`
    );
  }
}

const spaces = 'http://www.onvif.org/ver10/tptz';
function positionXml({ pan, tilt, zoom }: PtzPosition): string {
  const figure = (value: number) => value.toFixed(6);
  return (
    `<tt:PanTilt x="${figure(pan)}" y="${figure(tilt)}" space="${spaces}/PanTiltSpaces/PositionGenericSpace"/>` +
    `<tt:Zoom x="${figure(zoom)}" space="${spaces}/ZoomSpaces/PositionGenericSpace"/>`
  );
}

function presetXml({ token, name, position }: { token: string; name: string; position: PtzPosition }): string {
  return (
    `<tptz:Preset token="${xmlText(token)}"><tt:Name>${xmlText(name)}</tt:Name>` +
    `<tt:PTZPosition>${positionXml(position)}</tt:PTZPosition></tptz:Preset>`
  );
}
