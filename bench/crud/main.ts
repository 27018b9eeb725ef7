import { randomUUID } from 'node:crypto';
import fastify from 'fastify';
import pg from 'pg';
import { permitsAny } from '../../libs/auth/roles.js';
import { createTokenVerifier, InvalidToken, type Caller } from '../../libs/auth/tokens.js';
import type { Tax } from '../../libs/domain/kernel/money.js';
import { book, Refused, type BookingBody, type Known } from './booking.js';

// What bookings cost without event sourcing: a plain Fastify service on the same Postgres, with the same token check, validation and
// idempotency. A benchmark, not a service: it books, and nothing else.

const { DATABASE_URL, JWT_SECRET = '', REQUEST_HASH_KEY = '', CONNECTIONS = '32' } = process.env;

const id = { type: 'string', format: 'uuid' };
const instant = { type: 'string', format: 'date-time' };
const BODY = {
  type: 'object',
  required: ['clientId', 'serviceId', 'providerId', 'start', 'packageId'],
  additionalProperties: false,
  properties: {
    ...{ clientId: id, serviceId: id, providerId: id, packageId: id, start: instant, end: instant },
    externalReference: { type: ['string', 'null'], minLength: 1, maxLength: 200 },
  },
};
const HEADERS = {
  type: 'object',
  required: ['idempotency-key'],
  properties: { 'idempotency-key': { type: 'string', pattern: '^[\\x20-\\x7e]{1,255}$' } },
};

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(CONNECTIONS) });
const verifier = createTokenVerifier({ secret: JWT_SECRET });
const server = fastify({ ajv: { customOptions: { removeAdditional: false, coerceTypes: false } }, bodyLimit: 256 * 1024 });
let known: Known | undefined;

server.decorateRequest('caller', null as unknown as Caller);
server.addHook('onRequest', async (request) => {
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Refused(401, 'TOKEN_MISSING');
  request.caller = verifier.known(token) ?? (await verifier.verify(token));
  if (!permitsAny(request.caller.role, ['appointments:write'])) throw new Refused(403, 'FORBIDDEN');
});
server.setErrorHandler((error, _request, reply) => {
  if (error instanceof Refused) return reply.code(error.status).send({ code: error.code });
  if (error instanceof InvalidToken) return reply.code(401).send({ code: error.code });
  return reply.send(error);
});
server.post<{ Body: BookingBody; Headers: { 'idempotency-key': string } }>(
  '/v1/appointments',
  { schema: { body: BODY, headers: HEADERS } },
  async (request, reply) => {
    known ??= await whatIsKnown(request.caller!.business);
    const { 'idempotency-key': key } = request.headers;
    void reply.code(201);
    return book(pool, known, request.caller!, key, REQUEST_HASH_KEY, randomUUID(), request.body);
  },
);

async function whatIsKnown(business: string): Promise<Known> {
  const [businesses, services, given] = await Promise.all([
    pool.query<{ time_zone: string; currency: string }>('SELECT time_zone, currency FROM businesses WHERE business_id = $1', [business]),
    pool.query<{ service_id: string; name: string; duration_minutes: number; taxes: Tax[] }>(
      `SELECT service_id, s.name, duration_minutes, json_agg(json_build_object('taxId', tax_id, 'name', t.name, 'rate', rate)) AS taxes
         FROM services s JOIN service_taxes USING (service_id) JOIN taxes t USING (tax_id) WHERE s.business_id = $1 GROUP BY service_id`,
      [business],
    ),
    pool.query<{ pair: string }>(`SELECT provider_id || ' ' || service_id AS pair FROM provider_services`),
  ]);
  return {
    timeZone: businesses.rows[0]!.time_zone,
    currency: businesses.rows[0]!.currency,
    services: new Map(
      services.rows.map(({ service_id, name, duration_minutes: durationMinutes, taxes }) => [service_id, { name, durationMinutes, taxes }]),
    ),
    given: new Set(given.rows.map(({ pair }) => pair)),
  };
}

process.once('disconnect', () => process.exit(0));
process.send!({ ready: await server.listen({ port: 0, host: '127.0.0.1' }) });
