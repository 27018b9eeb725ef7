import canonicalize from 'canonicalize';
import { createHmac } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Caller } from '../../libs/auth/tokens.js';
import { localDateOf, plusMinutes } from '../../libs/domain/kernel/calendar.js';
import { sum, withTaxes, type Tax } from '../../libs/domain/kernel/money.js';

export interface BookingBody {
  clientId: string;
  serviceId: string;
  providerId: string;
  start: string;
  end?: string;
  packageId: string;
  externalReference?: string | null;
}

/** Refused: the status and the code of the answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

/** What bookings look up and what seldom changes: kept in memory, as the event-sourced service keeps it. */
export interface Known {
  timeZone: string;
  currency: string;
  services: Map<string, { name: string; durationMinutes: number; taxes: Tax[] }>;
  given: Set<string>; // provider and service
}

interface PackageRow {
  client_id: string;
  name: string;
  status: string;
  expires_on: string | null;
  invoice_id: string;
  fee: string;
  remaining: number | null;
}

/** E2 and E4 in one transaction of separate statements: nothing is seen of it before all of it is done. */
export async function book(
  pool: Pool,
  known: Known,
  caller: Caller,
  key: string,
  hashKey: string,
  correlationId: string,
  body: BookingBody,
) {
  const service = known.services.get(body.serviceId);
  if (!service) throw new Refused(404, 'UNKNOWN_REFERENCES');
  if (!known.given.has(`${body.providerId} ${body.serviceId}`)) throw new Refused(409, 'PROVIDER_DOES_NOT_GIVE_SERVICE');
  const requestHash = createHmac('sha256', hashKey).update(canonicalize(body)!).digest('hex');
  const start = new Date(body.start).toISOString();
  const now = new Date().toISOString();
  const times = {
    ...{ now, start, end: body.end ?? plusMinutes(start, service.durationMinutes) },
    ...{ on: localDateOf(start, known.timeZone), today: localDateOf(now, known.timeZone) },
  };
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const answer = await inTransaction(client, { known, caller, key, requestHash, correlationId, body, service, times });
    await client.query('COMMIT');
    return answer;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

interface Work {
  known: Known;
  caller: Caller;
  key: string;
  requestHash: string;
  correlationId: string;
  body: BookingBody;
  service: { name: string; taxes: Tax[] };
  times: { now: string; start: string; end: string; on: string; today: string };
}

async function inTransaction(client: PoolClient, work: Work) {
  const { known, caller, correlationId, body, service, times } = work;
  const { clientId, serviceId, providerId, packageId, externalReference = null } = body;
  const { now, start, end, on, today } = times;
  const [appointmentId, invoiceId] = [uuidv7(), uuidv7()];
  await claim(client, work, appointmentId);
  const sold = await takeSession(client, work);
  const charge = withTaxes({ amount: Number(sold.fee), currency: known.currency }, service.taxes);
  const tax = sum(
    known.currency,
    charge.taxes.map(({ amount }) => amount),
  );
  const { business } = caller;
  await run(client, 'appointment', INSERT_APPOINTMENT, [
    ...[appointmentId, business, clientId, serviceId, providerId, packageId],
    ...[start, end, on, externalReference],
  ]);
  await run(client, 'invoice', INSERT_INVOICE, [
    ...[invoiceId, business, clientId, appointmentId, packageId, sold.invoice_id],
    ...[today, known.currency, charge.net.amount, tax.amount, charge.total.amount],
  ]);
  const description = `${service.name} (${sold.name})`;
  await run(client, 'line', INSERT_LINE, [
    ...[invoiceId, description, serviceId, charge.net.amount],
    ...[JSON.stringify(charge.taxes), charge.total.amount],
  ]);
  const details = { appointmentId, invoiceId, clientId, serviceId, remaining: sold.remaining };
  await run(client, 'audit', INSERT_AUDIT, [business, packageId, caller.sub, caller.role, correlationId, JSON.stringify(details), now]);
  return {
    ...{ appointmentId, clientId, packageId, serviceId, serviceName: service.name, providerId, invoiceId, start, end, on },
    ...{ timeZone: known.timeZone, externalReference, charge, status: 'booked', outcome: null },
    session: { remaining: sold.remaining, expiresOn: sold.expires_on },
  };
}

/** L2: what was booked under the key before is another matter than this benchmark's; the row is what costs. */
async function claim(client: PoolClient, { caller, key, requestHash, times }: Work, appointmentId: string): Promise<void> {
  const values = [caller.business, caller.sub, key, requestHash, appointmentId, times.now];
  const { rowCount } = await run(client, 'claim', INSERT_CLAIM, values);
  if (rowCount === 0) throw new Refused(409, 'SENT_BEFORE');
}

async function takeSession(client: PoolClient, { caller, body, times }: Work): Promise<PackageRow> {
  const { packageId, serviceId, clientId } = body;
  const { rows } = await run<PackageRow>(client, 'package', SELECT_PACKAGE, [packageId, serviceId, caller.business]);
  const [sold] = rows;
  if (!sold) throw new Refused(404, 'UNKNOWN_REFERENCES');
  if (sold.client_id !== clientId) throw new Refused(409, 'PACKAGE_OF_ANOTHER_CLIENT');
  if (sold.status !== 'sold') throw new Refused(409, 'PACKAGE_CANCELLED');
  if (sold.expires_on !== null && sold.expires_on < times.on) throw new Refused(409, 'PACKAGE_EXPIRED');
  if (sold.remaining === 0) throw new Refused(409, 'NO_SESSIONS_LEFT');
  await run(client, 'take', TAKE_SESSION, [packageId, serviceId]);
  return { ...sold, remaining: sold.remaining === null ? null : sold.remaining - 1 };
}

const INSERT_CLAIM = 'INSERT INTO idempotency VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING';
const SELECT_PACKAGE = `
  SELECT p.client_id, p.name, p.status, p.expires_on::text, p.invoice_id, s.fee, s.remaining
    FROM packages p JOIN package_services s USING (package_id)
   WHERE package_id = $1 AND s.service_id = $2 AND p.business_id = $3 FOR UPDATE OF s`;
const TAKE_SESSION = 'UPDATE package_services SET remaining = remaining - 1, used = used + 1 WHERE package_id = $1 AND service_id = $2';
const INSERT_APPOINTMENT = `INSERT INTO appointments VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'booked', $10)`;
const INSERT_INVOICE = 'INSERT INTO invoices VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)';
const INSERT_LINE = 'INSERT INTO invoice_lines VALUES ($1, 1, $2, $3, $4, $5, $6)';
const INSERT_AUDIT = `
  INSERT INTO audit (business_id, package_id, actor, role, correlation_id, action, details, at) VALUES ($1, $2, $3, $4, $5, 'booked', $6, $7)`;

const run = <Row extends object = never>(client: PoolClient, name: string, text: string, values: unknown[]) =>
  client.query<Row>({ name, text, values });
