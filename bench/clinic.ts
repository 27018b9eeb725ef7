import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Catalogue } from './crud/schema.js';

// The clinic that is booked at, made as a user makes it: `business:create`, then over HTTP.

export interface Clinic {
  token: string;
  catalogue: Catalogue;
  position: string; // after the last of it
}

const PACKAGES = 4_000;
const PACKAGES_EACH = 4; // of a client
const SESSIONS_EACH = 1_000; // so that no package runs out
/** In all packages together, before anything is booked. */
export const SESSIONS = PACKAGES * SESSIONS_EACH;
const FEE = 9_500; // minor units, of each session: the invoice of each booking has an amount and taxes
const TAXES = [
  { name: 'GST', rate: '5' },
  { name: 'QST', rate: '9.975' },
];
const TIME_ZONE = 'America/Toronto';
const CURRENCY = 'CAD';
const AT_ONCE = 32;

const script = fileURLToPath(new URL('../apps/standalone/create-business.js', import.meta.url));

/** @param env of the API: where the stores are, and the secrets */
export async function openClinic(api: string, env: Record<string, string>, count = PACKAGES): Promise<Clinic> {
  const flags = ['--name', 'Clinic', '--time-zone', TIME_ZONE, '--currency', CURRENCY];
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...flags], { env: { PATH: process.env.PATH, ...env } });
  const businessId = /business ([0-9a-f-]{36})/.exec(stdout)![1]!;
  const token = /^[\w-]+\.[\w-]+\.[\w-]+$/m.exec(stdout)![0];
  const post = poster(`${api}/v1`, token);

  const taxes = await all(TAXES, async (tax) => ({ ...tax, taxId: (await post('taxes', tax)).taxId! }));
  const service = { name: 'Massage', durationMinutes: 60, price: { amount: 10_000, currency: CURRENCY } };
  const { serviceId = '' } = await post('services', { ...service, taxIds: taxes.map(({ taxId }) => taxId) });
  const { providerId = '' } = await post('providers', { name: 'Dana Roy', serviceIds: [serviceId] });
  const expiresOn = new Date(Date.now() + 730 * 24 * 3_600_000).toISOString().slice(0, 10);
  const { offeringId } = await post('offerings', {
    ...{
      name: 'Massages',
      status: 'active',
      services: [{ serviceId, limit: SESSIONS_EACH }],
      expiryRule: { kind: 'onDate', date: expiresOn },
    },
    payment: { method: 'paidEachAppointment', fees: [{ serviceId, fee: { amount: FEE, currency: CURRENCY } }] },
  });
  const clientIds = await all(numbers(count / PACKAGES_EACH), async (n) => (await post('clients', { name: `Client ${n}` })).clientId!);
  let position = 0n;
  const packages = await all(numbers(count), async (n) => {
    const clientId = clientIds[n % clientIds.length]!;
    const sold = await post('packages', { clientId, offeringId });
    if (BigInt(sold.position!) > position) position = BigInt(sold.position!);
    return { packageId: sold.packageId!, clientId };
  });
  const catalogue = {
    ...{ business: { businessId, timeZone: TIME_ZONE, currency: CURRENCY }, providerId, clientIds, packages, expiresOn },
    ...{ service: { serviceId, name: service.name, durationMinutes: service.durationMinutes, taxes }, sessions: SESSIONS_EACH, fee: FEE },
  };
  return { token, catalogue, position: position.toString() };
}

/** Waits until the read models are at a position: they show a package as it is then. */
export async function untilFresh(api: string, { token, catalogue }: Clinic, position: string): Promise<{ remaining: number }> {
  const headers = { authorization: `Bearer ${token}`, 'punchcard-min-position': position };
  for (;;) {
    const answer = await fetch(`${api}/v1/packages/${catalogue.packages[0]!.packageId}`, { headers });
    if (answer.ok) return (await answer.json()) as { remaining: number };
    if (answer.status !== 503) throw new Error(`A package was not shown: ${await answer.text()}`);
    await sleep(100);
  }
}

/** One booking: the streams that it appends to, and its position. */
export async function bookOne(api: string, { token, catalogue }: Clinic): Promise<{ streams: string[]; position: string }> {
  const { packages, providerId, service } = catalogue;
  const start = new Date(Date.now() + 24 * 3_600_000).toISOString();
  const booked = await poster(`${api}/v1`, token)('appointments', { ...packages[0]!, providerId, serviceId: service.serviceId, start });
  const streams = [`package-${booked.packageId}`, `appointment-${booked.appointmentId}`, `invoice-${booked.invoiceId}`];
  return { streams, position: booked.position! };
}

const poster = (url: string, token: string) => async (path: string, body: object) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const answer = await fetch(`${url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${path} was answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Partial<Record<string, string>>;
};

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** In order, some at a time. */
async function all<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const made: Out[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [n, item] of left) made[n] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return made;
}
