import type { AlarmView, CampusView, PointView } from '../../api.ts';
import { useName, useWords } from '../../kit/language.tsx';
import { DeviceChip } from './device-chip.tsx';
import { words } from './words.ts';

/** More devices than this are shown as glyphs: names would not fit on one screen. */
const mostRows = 48;

/** Each zone a tile, in it its devices; what a map would show, for a campus that has none. */
export function ZoneTiles({
  campus,
  headlines,
  alarms,
}: {
  readonly campus: CampusView;
  readonly headlines: ReadonlyMap<string, PointView>;
  readonly alarms: ReadonlyMap<string, AlarmView>;
}) {
  const name = useName();
  const say = useWords(words);
  const look = campus.devices.length > mostRows ? 'glyph' : 'row';
  return (
    <div className={`zones zones-${look}`}>
      {campus.zones.map((zone) => {
        const devices = campus.devices.filter((device) => device.zone === zone.id);
        return (
          <section key={zone.id} className="zone" aria-label={name(zone.name)}>
            <h3>
              {name(zone.name)}
              <span className="kit-soft kit-number">{devices.length}</span>
            </h3>
            {devices.length === 0 && <p className="kit-soft">{say.noDevices}</p>}
            <div className="zone-chips">
              {devices.map((device) => (
                <DeviceChip
                  key={device.id}
                  device={device}
                  headline={headlines.get(device.id)}
                  alarm={alarms.get(device.id)}
                  look={look}
                />
              ))}
            </div>
          </section>
        );
      })}
    </div>
  );
}
