import { samplesTopic } from '#edge/bus/topics.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay, Ticker } from '#edge/runtime/lifecycle.ts';
import { createAirConditioner } from '#edge/simulators/air-conditioner.ts';
import { type Camera, startCamera } from '#edge/simulators/camera.ts';
import { startControl } from '#edge/simulators/control.ts';
import { School } from '#edge/simulators/meter-campus.ts';
import { startSerialCampus } from '#edge/simulators/meter-serial.ts';
import { loadSchoolState, saveSchoolState } from '#edge/simulators/meter-state.ts';
import { startModbusCampus } from '#edge/simulators/modbus.ts';
import { startProjector } from '#edge/simulators/projector.ts';
import { startSensors } from '#edge/simulators/sensors.ts';
import { startSpeaker } from '#edge/simulators/speaker.ts';
import { startSwitch } from '#edge/simulators/switch.ts';
import { startTextBoard } from '#edge/simulators/text-board.ts';
import { startWakePanel } from '#edge/simulators/wake-panel.ts';
import { profileFolder } from './context.ts';
import type { SimulatorsInit } from './demo.ts';
import { placeDemoPlan } from './demo-plan.ts';
import { placeDemoSchool } from './demo-school.ts';
import { startVideo, type VideoCodec, type VideoOptions, videoShapes } from './simulators-video.ts';

/** The switches are for whoever sits at this machine. */
const controlHost = '127.0.0.1';
/** As in demo-site.yaml. */
const gatePassword = 'demo-camera-gate-5';
const playgroundPassword = 'demo-camera-playground-7';
const projectorPassword = 'demo-screen';
const panelMac = '02:1a:4b:00:02:01';
/** A lamp takes its time; a demo's shows it. ms. */
const lamp = { warmUp: 12_000, coolDown: 20_000 };
/** One of each kind: a dome that turns, and a fixed one that films in H.265. */
const codecs = { gate: 'h264', playground: 'h265' } as const satisfies Record<string, VideoCodec>;

/** The virtual campus: real protocols over real sockets, and a page with switches for what happens there. */
export async function startSimulators(init: SimulatorsInit, { clock, log }: ChildContext): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const { host, ports } = init;
  const ending = new AbortController();
  stack.defer(() => ending.abort());
  const { profiles } = await loadProfiles(profileFolder);
  const { meterState: file } = init;
  const school = new School({ clock, state: file === undefined ? null : await loadSchoolState(file) });
  if (file !== undefined) {
    // A full disk must not take the devices with it: they then forget what they counted since, that is all.
    const keep = () =>
      saveSchoolState(file, school).catch((error: unknown) =>
        log.warn({ error }, 'what the meters counted is not kept'),
      );
    stack.defer(keep);
    stack.use(new Ticker(15_000, keep));
  }
  const air = createAirConditioner();
  const modbus = stack.use(
    await startModbusCampus({ clock, host, tcpPort: ports.modbus, rtuPort: ports.modbusRtu, profiles, school, air }),
  );
  const line = stack.use(await startSerialCampus({ clock, host, port: ports.meterLine, school }));
  const gate = stack.use(
    await startCamera({
      host,
      port: ports.cameraGate,
      username: 'campus',
      password: gatePassword,
      clock,
      auth: 'digest',
      model: 'DS-GATE-4',
      name: 'GATE',
      topicDialect: 'reolink',
      ...videoAt(ports.video?.gate, codecs.gate),
    }),
  );
  const playground = stack.use(
    await startCamera({
      host,
      port: ports.cameraPlayground,
      username: 'campus',
      password: playgroundPassword,
      clock,
      auth: 'wsse',
      model: 'TP-FIELD-2',
      name: 'FIELD',
      topicDialect: 'tapo',
      ptz: false,
      ...videoAt(ports.video?.playground, codecs.playground),
    }),
  );
  const { video } = ports;
  if (video !== undefined && init.clips !== undefined) {
    const kit = { clock, log, folder: init.clips, signal: ending.signal };
    const login = { host, username: 'campus' };
    const films = (camera: Camera, options: Pick<VideoOptions, 'port' | 'name' | 'password' | 'codec'>) =>
      startVideo({ ...login, ...options, seesPerson: () => camera.seesPerson }, kit);
    const atGate = { name: 'GATE', password: gatePassword, codec: codecs.gate };
    const atPlayground = { name: 'FIELD', password: playgroundPassword, codec: codecs.playground };
    stack.use(await films(gate, { port: video.gate, ...atGate }));
    stack.use(await films(playground, { port: video.playground, ...atPlayground }));
  }
  // Both cameras have their power from it: off is dead, on again is a fresh start, whatever ailed them.
  const powerOf = (camera: Camera) => (on: boolean) => void camera.fault(on ? 'none' : 'reboot');
  stack.use(
    await startSwitch({
      host,
      port: ports.switchGate,
      clock,
      ports: 8,
      community: 'demo-campus',
      powered: { 3: powerOf(gate), 4: powerOf(playground) },
    }),
  );
  const speakers = await Promise.all(
    Object.entries(ports.speakers).map(async ([name, port]) =>
      stack.use(await startSpeaker({ host, port, name, clock })),
    ),
  );
  const sensors = stack.use(
    await startSensors({
      ...init.broker,
      passwords: new Map(Object.entries(init.passwords)),
      samplesTopic,
      clock,
      lessons: init.lively === true,
      air,
      loudspeaker: () =>
        speakers.find(({ name }) => name === 'speaker-teaching')?.heard().level ?? Number.NEGATIVE_INFINITY,
    }),
  );
  const { screens: places } = ports;
  const screens = places && {
    projector: stack.use(
      await startProjector({ host, port: places.projector, clock, class: 2, password: projectorPassword, ...lamp }),
    ),
    board: stack.use(await startTextBoard({ host, port: places.board })),
    panel: stack.use(await startWakePanel({ host, port: places.panel, mac: panelMac })),
  };
  stack.use(
    await startControl({
      host: controlHost,
      port: ports.control,
      modbus,
      school,
      line,
      cameras: { gate, playground },
      speakers,
      sensors,
      ...(screens === undefined ? {} : { screens }),
    }),
  );
  if (init.plan !== undefined) {
    placeDemoPlan(init.plan, ending.signal).catch((error: unknown) => {
      if (!ending.signal.aborted) log.warn({ problem: messageOf(error) }, 'the plan of the demo is not there');
    });
  }
  if (init.school !== undefined) {
    placeDemoSchool(init.school, { clock, signal: ending.signal }).catch((error: unknown) => {
      if (!ending.signal.aborted) log.warn({ problem: messageOf(error) }, 'the school day of the demo is not there');
    });
  }
  if (init.lively === true) void playOpening(ending.signal, { gate, playground, sensors });
  const owned = stack.move();
  return {
    info: {
      say: `  virtual campus  http://${controlHost}:${ports.control}/  (switches: the alarm button, people at the gate, smoke, overload)`,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a camera says of its streams. */
function videoAt(port: number | undefined, codec: VideoCodec) {
  const encodings = { h264: 'H264', h265: 'H265' } as const;
  const profiles = [
    { token: 'Profile_1', name: 'mainStream', ...videoShapes.main, encoding: encodings[codec] },
    { token: 'Profile_2', name: 'subStream', ...videoShapes.sub, encoding: encodings.h264 },
  ];
  return port === undefined ? {} : { rtsp: { port }, profiles };
}

/** So that a newcomer sees something happen: people walk through the pictures, and the kitchen floor gets wet. */
async function playOpening(
  signal: AbortSignal,
  {
    gate,
    playground,
    sensors,
  }: { gate: { person(): void }; playground: { person(): void }; sensors: { leak(name: string, on: boolean): void } },
): Promise<void> {
  await delay(6_000, signal);
  for (let round = 0; !signal.aborted; round++) {
    (round % 2 === 0 ? gate : playground).person();
    if (round === 1) sensors.leak('leak-kitchen', true);
    if (round === 6) sensors.leak('leak-kitchen', false);
    await delay(round < 3 ? 5_000 : 45_000, signal);
  }
}

if (import.meta.main) runChild('simulators', startSimulators);
