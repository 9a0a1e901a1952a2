import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { serveOrders } from './rig.ts';

/* aedes 1.2 as it comes, but with TCP_NODELAY: it acknowledges, and does nothing with what it hears. */
serveOrders(async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer({ noDelay: true }, aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0 };
});
