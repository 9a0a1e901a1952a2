/*
 * The physics behind the simulated sensors: rooms whose people breathe and warm, air that is exchanged, a plug whose
 * load comes and goes. Slow, plausible and repeatable: the noise is a hash of the time, not a random number.
 */

export interface Room {
  readonly name: string;
  /** Lessons are held by the time of day; else nobody is there by himself. */
  readonly taught: boolean;
  /** null: by the lessons; else as somebody set it. */
  forced: boolean | null;
  people: number;
  /** [ppm], Cel, %{RH}, ug/m3 */
  co2: number;
  temperature: number;
  humidity: number;
  pm2_5: number;
}

/** [ppm] outdoors. */
const outdoorCo2 = 420;
/** A pupil at a desk exhales about 15 L CO2 an hour (EN 16798-1), into a room of 200 m3: 75 ppm an hour each. */
const ppmPerPersonHour = 75;
/** Air changes an hour: closed windows, and a door that opens each lesson. */
const airChanges = 1.2;
const classSize = 38;
const hour = 3_600_000;
const day = 24 * hour;

export function createRoom(name: string, taught = true): Room {
  return { name, taught, forced: null, people: 0, co2: outdoorCo2 + 60, temperature: 20.5, humidity: 48, pm2_5: 22 };
}

/**
 * Moves a room on by `elapsed` ms. `local` is the wall clock of the campus as ms (its fields as UTC). `pull`: what its air conditioner
 * makes of it, Cel; null: nothing.
 */
export function advanceRoom(room: Room, local: number, elapsed: number, pull: number | null = null): void {
  const hours = Math.min(elapsed, hour) / hour;
  const occupied = room.forced ?? (room.taught && isLesson(local));
  room.people = occupied ? classSize : 0;
  const inflow = room.people * ppmPerPersonHour;
  const level = outdoorCo2 + inflow / airChanges;
  room.co2 = approach(room.co2, level, airChanges * hours) + noise(local, 1) * 2;
  const comfort = 19.5 + 2.2 * dayCurve(local) + (occupied ? 2 : 0);
  // An air conditioner of the size of its room is through with most of it in half an hour; walls and windows go on as they do.
  if (pull !== null) room.temperature = approach(room.temperature, pull, 3.5 * hours);
  room.temperature = approach(room.temperature, comfort, (pull === null ? 0.8 : 0.2) * hours) + noise(local, 2) * 0.02;
  room.humidity = clamp(approach(room.humidity, occupied ? 56 : 47, 0.7 * hours) + noise(local, 3) * 0.1, 5, 95);
  room.pm2_5 = clamp(
    approach(room.pm2_5, 18 + 14 * (1 - dayCurve(local)), 0.5 * hours) + noise(local, 4) * 0.3,
    1,
    400,
  );
}

/** Lux at a window: daylight and lamps. */
export function illuminance(room: Room, local: number): number {
  return Math.round(20 + 600 * dayCurve(local) + (room.people > 0 ? 300 : 0) + 10 * noise(local, 5));
}

/** A loudspeaker at full scale, as its room hears it, dB(A). */
const loudestSpeaker = 88;

/** dB(A): a class or an empty room, and what its loudspeaker plays (dBFS). What sounds together adds up as energy. */
export function soundLevel(room: Room, local: number, dbfs: number): number {
  const own = room.people > 0 ? 58 + 4 * noise(local, 8) : 37 + 1.5 * noise(local, 8);
  return 10 * Math.log10(10 ** (own / 10) + 10 ** ((loudestSpeaker + dbfs) / 10));
}

/** Watts of a water dispenser: it boils for a while, then keeps warm. */
export function dispenserPower(local: number): number {
  const cycle = (local / 60_000) % 12;
  return Math.round(cycle < 3.5 ? 1480 + 15 * noise(local, 6) : 4 + noise(local, 7));
}

/**
 * What its plug has counted until then, kWh. A little more than it draws, so that a plug that starts again never shows less than
 * it did: that would be another plug.
 */
export function dispenserEnergy(local: number): number {
  const minutes = Math.max(0, local - Date.UTC(2026, 0, 1)) / 60_000;
  const boiling = Math.floor(minutes / 12) * 3.5 + Math.min(3.5, minutes % 12);
  return 412.337 + (1.6 * boiling + 0.006 * minutes) / 60;
}

/** Eight to noon and two to half past five, Monday to Friday. */
function isLesson(local: number): boolean {
  // 1 January 1970 was a Thursday; 0 is Sunday.
  const weekday = (Math.floor(local / day) + 4) % 7;
  const minute = Math.floor((local % day) / 60_000);
  return weekday >= 1 && weekday <= 5 && ((minute >= 480 && minute < 720) || (minute >= 840 && minute < 1050));
}

/** 0 at night, 1 in the early afternoon. */
function dayCurve(local: number): number {
  return Math.max(0, Math.sin((((local % day) / day - 0.29) / 0.5) * Math.PI));
}

function approach(value: number, target: number, share: number): number {
  return target + (value - target) * Math.exp(-share);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** -1 .. 1, the same for the same second and kind. */
function noise(local: number, kind: number): number {
  const x = Math.sin(Math.floor(local / 1000) * 12.9898 + kind * 78.233) * 43_758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}
