import { createServer } from 'node:http';
import RED from 'node-red';
import { serveOrders } from './rig.ts';

/* A plain Node-RED 5 with the flow of the ingest bench: no editor, no function timeout, nothing of ours in it. */
serveOrders(async ({ folder, nodes, sqlite, database, pragmas }) => {
  const server = createServer();
  RED.init(server, {
    userDir: folder,
    flowFile: 'flows.json',
    nodesDir: [nodes],
    httpAdminRoot: false,
    httpNodeRoot: false,
    functionTimeout: 0,
    globalFunctionTimeout: 0,
    telemetry: { enabled: false },
    logging: { console: { level: 'error', metrics: false, audit: false } },
    benchSqlite: sqlite,
    benchDatabase: database,
    benchPragmas: pragmas,
  });
  const running = new Promise<void>((resolve) => RED.events.once('flows:started', () => resolve()));
  await RED.start();
  await running;
  // Subscribed some moments later: the bench would lose the messages before.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  return { started: true };
});
