import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '../support/program.js';
import { type Clinic, openClinic } from '../support/clinic.js';
import { followEvents, next, type ServerSent } from '../support/event-stream.js';
import { type Service, startService } from '../support/service.js';

// L6: what happens in a business, to follow: every event once, in order, without what is personal.

let service: Service;
let clinic: Clinic;
let token: string;
beforeAll(async () => {
  service = await startService();
  clinic = await openClinic(service);
  token = await clinic.business.token('owner');
});
afterAll(() => service?.stop());

interface EventPage {
  items: { position: string; eventId: string; type: string; stream: string; people: string[]; data: Record<string, unknown> }[];
  through: string;
  more: boolean;
}

const follow = (how?: Parameters<typeof followEvents>[2], as = token) => followEvents(service.urls[0]!, as, how);
const positions = (events: readonly { position: string }[]) => events.map(({ position }) => BigInt(position));
const dataOf = (sent: readonly ServerSent[]) => sent.flatMap(({ data }) => data ?? []);

/** What the event store has of a business: nothing that has to wait comes after it. */
const stored = async (business: string) => {
  clinic.business.seen.position = await service.lastPosition(); // the feed is read as far as that, too
  return (await service.history()).filter(({ metadata }) => metadata.business === business);
};

/** All that the feed has, page by page. */
async function paged(query: string): Promise<EventPage['items']> {
  const items: EventPage['items'] = [];
  for (let after = '', more = true; more;) {
    const page: EventPage = await clinic.owner.get(`/v1/events?limit=7${query}${after}`);
    expect(page.items.length).toBeLessThanOrEqual(7);
    items.push(...page.items);
    more = page.more;
    after = `&after=${page.through}`;
  }
  return items;
}

it('L6: gives every event of the business once, in order, as pages and as a stream, and no one else’s', async () => {
  await openClinic(service); // who has events of their own in between
  await clinic.book(await clinic.sell());
  const history = await stored(clinic.business.id);
  const items = await paged('');
  expect(items.map(({ eventId, type, stream }) => [eventId, type, stream])).toEqual(
    history.map(({ id, type, stream }) => [id, type, stream]),
  );
  expect(positions(items)).toEqual(history.map(({ position }) => position));
  const stream = await follow();
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  const came = await next(stream.events(), history.length);
  stream.leave();
  expect(dataOf(came)).toEqual(items);
  expect(came.map(({ id }) => id)).toEqual(items.map(({ position }) => position));
});

it('L6: nothing personal is in it: the fields are left out, and it says of whom', async () => {
  const secret = 'Zwinglia Featherstonehaugh';
  const clientId = await clinic.client(secret);
  const sold = await clinic.sell();
  const reason = 'because of her sister Wilhelmina';
  const { position } = await clinic.owner.post<{ position: string }>(`/v1/packages/${sold.packageId}/cancel`, { reason });
  const page: EventPage = await clinic.owner.get('/v1/events?limit=200&types=ClientRegistered,PackageCancelled', {
    'punchcard-min-position': position,
  });
  const registered = page.items.find(({ data }) => data.clientId === clientId)!;
  expect(registered.people).toEqual([clientId]);
  expect(Object.keys(registered.data)).not.toContain('name');
  const cancelled = page.items.at(-1)!;
  expect([cancelled.type, cancelled.people]).toEqual(['PackageCancelled', [sold.clientId]]);
  const everything = JSON.stringify(await paged(''));
  for (const word of [secret, 'Zwinglia', reason, 'Wilhelmina', 'Anna Tremblay', '$enc']) expect(everything).not.toContain(word);
  const { rows } = await service.pool.query<{ text: string }>('SELECT events::text AS text FROM event_feed.events');
  for (const { text } of rows) expect(text).not.toMatch(/Zwinglia|Wilhelmina|\$enc/);
});

it('L6: of some types alone, from any position, and what was left out is not read again', async () => {
  const sold = await clinic.sell();
  await clinic.client();
  const all = await paged('');
  const sales = await paged('&types=PackageSold');
  expect(sales).toEqual(all.filter(({ type }) => type === 'PackageSold'));
  const after = all.find(({ type, data }) => type === 'PackageSold' && data.packageId === sold.packageId)!;
  const stream = await follow({ query: `?types=PackageSold&after=${BigInt(after.position) - 1n}` });
  const events = stream.events();
  expect(dataOf(await next(events, 1))).toEqual([after]);
  const { value } = (await events.next()) as { value: ServerSent }; // the client is behind, though it was not given
  expect(value.data).toBeUndefined();
  expect(BigInt(value.id)).toBeGreaterThan(BigInt(after.position));
  stream.leave();
});

it('L6: what happens is told at once, to each who follows, and goes on after the last id', async () => {
  const { through } = await clinic.owner.get<EventPage>('/v1/events?limit=1&after=999999999999999999');
  expect(through).toBe('999999999999999999');
  await stored(clinic.business.id); // all invoices have their numbers
  const last = (await paged('')).at(-1)!.position;
  const streams = await Promise.all([follow({ query: `?after=${last}` }), follow({ lastEventId: last, query: '?after=0' })]);
  const reading = streams.map((stream) => stream.events());
  await sleep(300); // both wait for news
  const started = performance.now();
  const clientId = await clinic.client();
  const came = await Promise.all(reading.map((events) => next(events, 1)));
  expect(performance.now() - started).toBeLessThan(4_000); // not only when it looks anyway
  for (const one of came) expect(dataOf(one)).toMatchObject([{ type: 'ClientRegistered', data: { clientId } }]);
  for (const stream of streams) stream.leave();
});

it('A2, L6: is for owners, administrators and auditors; what it is asked must be', async () => {
  for (const role of ['owner', 'administrator', 'auditor'] as const) await (await clinic.as(role)).get('/v1/events?limit=1');
  for (const role of ['receptionist', 'client'] as const) await (await clinic.as(role)).refused(403, 'GET', '/v1/events');
  const told = await clinic.owner.refused(400, 'GET', '/v1/events?after=one&types=PackageSold,Nonsense&limit=201&colour=red');
  expect(told.errors?.map(({ field, code }) => [field, code]).sort()).toEqual([
    ['/after', 'NOT_A_POSITION'],
    ['/colour', 'UNKNOWN_FIELD'],
    ['/limit', 'NOT_AN_INTEGER'],
    ['/types', 'NOT_EVENT_TYPES'],
  ]);
  const headers = { 'last-event-id': 'x' };
  expect(await clinic.owner.refused(400, 'GET', '/v1/events', { headers })).toMatchObject({
    errors: [{ in: 'header', code: 'NOT_A_POSITION' }],
  });
});

it('L6: a stream does not outlive its token', async () => {
  const stream = await follow({}, await clinic.business.token('auditor', { expiresIn: 2 }));
  const started = performance.now();
  for await (const _ of stream.events());
  expect(performance.now() - started).toBeLessThan(5_000);
});

it('L6: a business has so many streams at once; one that is left makes room', async () => {
  const other = await openClinic(service);
  const own = await other.business.token('owner');
  const streams = await Promise.all(Array.from({ length: 25 }, () => follow({}, own)));
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
  const refused = await follow({}, own);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
  expect((await follow()).status).toBe(200); // others are not hindered
  streams[0]!.leave();
  for (let status = 0; status !== 200; await sleep(20)) ({ status } = await follow({}, own));
  for (const stream of streams) stream.leave();
});

describe('readers that do not read', () => {
  let api: Program;
  beforeAll(async () => void (api = await service.startApi({ NODE_OPTIONS: '--max-old-space-size=256' })));
  afterAll(() => api?.stop());

  /** Asks for all events of the business, and reads nothing of them. */
  const deaf = (port: number, as: string) =>
    new Promise<{ destroy(): void }>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.pause();
        socket.write(`GET /v1/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${as}\r\n\r\n`, () =>
          resolve(socket),
        );
      });
      socket.once('error', reject);
    });

  it('L6: cost no memory, hinder nobody, and do not keep the process from going', async () => {
    await service.pool.query(
      `INSERT INTO event_feed.events SELECT $1, n, gen_random_uuid(), 'package-x', n, 'PackageSold', 1, now(), now(), 'c', 'c', 'a', 'owner', NULL, '{}',
        json_build_object('filler', repeat('x', 20000)) FROM generate_series(1, 2000) n`,
      ['00000000-0000-4000-8000-00000000000f'],
    );
    const large = await clinic.business.token('owner', { business: '00000000-0000-4000-8000-00000000000f' });
    // To each of them 40 MB; the process may have 256, and would be gone
    const sockets = await Promise.all(Array.from({ length: 15 }, () => deaf(Number(new URL(api.ready as string).port), large)));
    await sleep(1_500);
    const other = await followEvents(api.ready as string, token);
    expect(dataOf(await next(other.events(), 3))).toHaveLength(3);
    const started = performance.now();
    await api.stop();
    expect(performance.now() - started).toBeLessThan(5_000);
    for (const socket of sockets) socket.destroy();
  });
});
