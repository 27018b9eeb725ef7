import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'node:https';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EventStoreDBClient, jsonEvent, START, streamNameFilter } from '@eventstore/db-client';
import pg from 'pg';
import { createDatabase } from '../../test/support/postgres.js';
import { startEventStore, type EventStoreOptions, type EventStoreServer } from './server.js';

let database: Awaited<ReturnType<typeof createDatabase>>;
let server: EventStoreServer | undefined;
const clients: EventStoreDBClient[] = [];

beforeEach(async () => (database = await createDatabase()));
afterEach(async () => {
  for (const client of clients.splice(0)) await client.dispose();
  await server?.stop();
  server = undefined;
  await database.drop();
});

const start = async (options: Partial<EventStoreOptions> = {}): Promise<EventStoreServer> =>
  (server = await startEventStore({ databaseUrl: database.url, ...options }));
const connected = (url: string): EventStoreDBClient => {
  const client = EventStoreDBClient.connectionString(url);
  clients.push(client);
  return client;
};
const noted = (n = 0) => jsonEvent({ type: 'Noted', data: { n } });
const errorType = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: { type: string }) => error.type,
  );

/** What the heap holds once its garbage is collected: when that happens by itself depends on what else the machine does. */
const heldBytes = (): number => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

describe('the node', () => {
  it('is found by discovery', async () => {
    const { port } = await start();
    const client = connected(`esdb+discover://127.0.0.1:${port}?tls=false`);
    expect(await client.appendToStream('s', noted())).toMatchObject({ success: true });
  });

  it('answers health over HTTP on the same port', async () => {
    const { port } = await start();
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect([await status('/health/live'), await status('/health/ready'), await status('/nothing')]).toEqual([204, 204, 404]);
  });

  it('refuses what it does not have as unavailable', async () => {
    const { url } = await start();
    const client = connected(url);
    const codeOf = (call: Promise<unknown>) =>
      call.then(
        () => 0,
        (error: { code?: number }) => error.code,
      );
    expect(await codeOf(client.listProjections())).toBe(12);
    expect(await codeOf(client.deletePersistentSubscriptionToStream('s', 'g'))).toBe(12);
  });

  it('lets go of a connection that says nothing it understands', async () => {
    const { port } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write('nonsense\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
  });

  it('says when the port is taken', async () => {
    const { port } = await start();
    const other = await createDatabase();
    await expect(startEventStore({ databaseUrl: other.url, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await other.drop();
  });

  it('is the only one of its database', async () => {
    await start();
    await expect(startEventStore({ databaseUrl: database.url, lockTimeout: 200 })).rejects.toThrow(
      'Another event store serves this database',
    );
  });

  it('goes on where it ended', async () => {
    const first = await start();
    await connected(first.url).appendToStream('s', [noted(1), noted(2)]);
    await first.stop();
    const { url } = await start();
    const client = connected(url);
    const { position } = await client.appendToStream('s', noted(3), { expectedRevision: 1n });
    const positions: bigint[] = [];
    for await (const { event } of client.readAll()) positions.push(event!.position.commit);
    expect(positions.at(-1)).toBe(position!.commit);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('ends subscriptions and answers what was begun when it stops', async () => {
    const { url, stop } = await start();
    const client = connected(url);
    const subscription = client.subscribeToAll();
    const ended = new Promise((resolve) => subscription.on('error', resolve));
    await client.appendToStream('s', noted());
    const appends = Array.from({ length: 50 }, (_, n) => client.appendToStream(`s-${n}`, noted()));
    await Promise.all(appends);
    let outcome: string | undefined;
    const endless = (async () => {
      while (outcome === undefined)
        outcome = await errorType(client.appendToStream('s', noted())).then((type) => (type === 'none' ? undefined : type));
    })();
    await stop();
    await endless;
    expect(outcome).toBe('cancelled');
    expect(await ended).toMatchObject({ type: 'cancelled' });
  });
});

describe('TLS', () => {
  it('serves gRPC and health with a generated certificate', async () => {
    const { port, certificate, url } = await start({ tls: true });
    expect(url).toContain('tls=true');
    const client = new EventStoreDBClient({ endpoint: `localhost:${port}` }, { rootCertificate: Buffer.from(certificate!) });
    clients.push(client);
    expect(await client.appendToStream('s', noted())).toMatchObject({ success: true });
    const status = await new Promise((resolve, reject) =>
      request({ host: 'localhost', port, path: '/health/live', ca: certificate }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end(),
    );
    expect(status).toBe(204);
  });

  it('checks credentials if it has any', async () => {
    const { port, certificate } = await start({ tls: true, credentials: { admin: 'changeit' } });
    const as = (user?: { username: string; password: string }) => {
      const client = new EventStoreDBClient({ endpoint: `localhost:${port}` }, { rootCertificate: Buffer.from(certificate!) }, user);
      clients.push(client);
      return client;
    };
    const credentials = { username: 'admin', password: 'changeit' };
    expect(await as(credentials).appendToStream('s', noted())).toMatchObject({ success: true });
    expect(
      await errorType(
        as({ username: 'admin', password: 'wrong' }).appendToStream('s', noted(), { credentials: { username: 'admin', password: 'x' } }),
      ),
    ).toBe('access-denied');
    expect(await errorType(as().deleteStream('s'))).toBe('access-denied');
  });
});

describe('subscribers', () => {
  it('that are slow miss nothing, and cost the server no backlog', async () => {
    const { url } = await start();
    const client = connected(url);
    const subscription = client.subscribeToAll({ fromPosition: START, filter: streamNameFilter({ prefixes: ['slow'] }) });
    const told: string[] = [];
    subscription.on('caughtUp', () => told.push('caughtUp'));
    subscription.on('fellBehind', () => told.push('fellBehind'));
    const iterator = subscription[Symbol.asyncIterator]();
    const payload = 'x'.repeat(2_000);
    const append = (from: number) =>
      client.appendToStream(
        'slow',
        Array.from({ length: 200 }, (_, n) => jsonEvent({ type: 'Big', data: { n: from + n, payload } })),
      );
    await append(0);
    const before = heldBytes();
    for (let n = 200; n < 8_000; n += 200) await append(n); // 16 MB while nobody reads
    expect(heldBytes() - before).toBeLessThan(12 * 1024 * 1024);
    for (let n = 0; n < 8_000; n += 1) {
      const { value } = (await iterator.next()) as { value: { event: { data: { n: number } } } };
      if (value.event.data.n !== n) throw new Error(`${n} was expected, ${value.event.data.n} came`);
    }
    expect(told).toContain('fellBehind');
  });

  it('that are idle are many', async () => {
    const { url } = await start();
    const client = connected(url);
    const count = 2_000;
    const before = heldBytes();
    const subscriptions = Array.from({ length: count }, (_, n) => client.subscribeToStream(`idle-${n}`, { fromRevision: 'end' }));
    await Promise.all(
      subscriptions.map((subscription) => new Promise((resolve) => subscription.once('caughtUp', () => resolve(undefined)))),
    );
    const each = (heldBytes() - before) / count; // the client's side is in it
    expect(each).toBeLessThan(100 * 1024);
    const woken = new Promise((resolve) => subscriptions[1_234]!.once('data', resolve));
    const started = Date.now();
    await client.appendToStream('idle-1234', noted());
    await woken;
    expect(Date.now() - started).toBeLessThan(2_000);
  });
});

describe('storage', () => {
  it('that is gone is told as such, and goes on when it is back', async () => {
    const { url, port } = await start();
    const client = connected(url);
    await client.appendToStream('s', noted());
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    const ended = await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'event-store%'`,
    );
    expect(ended.rowCount).toBeGreaterThan(0);
    await admin.end();
    for (;;) {
      if ((await errorType(client.appendToStream('s', noted(), { expectedRevision: 0n }))) === 'none') break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(204);
    const revisions: bigint[] = [];
    for await (const { event } of client.readStream('s')) revisions.push(event!.revision);
    expect(revisions).toEqual([0n, 1n]);
  });

  it('takes hostile names without harm', async () => {
    const { url } = await start();
    const client = connected(url);
    const hostile = `'; DROP TABLE event_store.events; -- ${'"'.repeat(9)} \\x00 %s $1`;
    await client.appendToStream(hostile, noted());
    for await (const { event } of client.readStream(hostile)) expect(event!.streamId).toBe(hostile);
    expect(await errorType(client.appendToStream('nul\0', noted()))).not.toBe('none');
    expect(await errorType(client.appendToStream('n'.repeat(5_000), noted()))).not.toBe('none');
    expect(await client.appendToStream('still-there', noted())).toMatchObject({ success: true });
  });
});
