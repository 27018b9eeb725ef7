import type { Client } from 'pg';

// The same clinic as a service without events would keep it: tables of what is, and a row of audit for each change. Indexes are those that
// the product's lists need.

/** What is the same on both sides, ids included. */
export interface Catalogue {
  business: { businessId: string; timeZone: string; currency: string };
  service: { serviceId: string; name: string; durationMinutes: number; taxes: { taxId: string; name: string; rate: string }[] };
  providerId: string;
  clientIds: string[];
  packages: { packageId: string; clientId: string }[];
  sessions: number; // in each package
  fee: number; // of each session, minor units
  expiresOn: string; // local date
}

const TABLES = `
  CREATE TABLE businesses (business_id uuid PRIMARY KEY, time_zone text NOT NULL, currency text NOT NULL);
  CREATE TABLE services (service_id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES businesses, name text NOT NULL, duration_minutes integer NOT NULL);
  CREATE TABLE taxes (tax_id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES businesses, name text NOT NULL, rate text NOT NULL);
  CREATE TABLE service_taxes (service_id uuid REFERENCES services, tax_id uuid REFERENCES taxes, PRIMARY KEY (service_id, tax_id));
  CREATE TABLE providers (provider_id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES businesses);
  CREATE TABLE provider_services (provider_id uuid REFERENCES providers, service_id uuid REFERENCES services, PRIMARY KEY (provider_id, service_id));
  CREATE TABLE clients (client_id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES businesses);
  CREATE TABLE packages (
    package_id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES businesses, client_id uuid NOT NULL REFERENCES clients,
    name text NOT NULL, status text NOT NULL, expires_on date, invoice_id uuid NOT NULL);
  CREATE TABLE package_services (
    package_id uuid REFERENCES packages, service_id uuid REFERENCES services, fee bigint NOT NULL, remaining integer, used integer NOT NULL DEFAULT 0,
    PRIMARY KEY (package_id, service_id));
  CREATE TABLE appointments (
    appointment_id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES businesses, client_id uuid NOT NULL REFERENCES clients,
    service_id uuid NOT NULL REFERENCES services, provider_id uuid NOT NULL REFERENCES providers, package_id uuid REFERENCES packages,
    starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, local_date date NOT NULL, status text NOT NULL, external_reference text);
  CREATE INDEX ON appointments (client_id, starts_at);
  CREATE INDEX ON appointments (provider_id, starts_at);
  CREATE INDEX ON appointments (package_id);
  CREATE TABLE invoices (
    invoice_id uuid PRIMARY KEY, business_id uuid NOT NULL REFERENCES businesses, client_id uuid NOT NULL REFERENCES clients,
    appointment_id uuid REFERENCES appointments, package_id uuid REFERENCES packages, package_invoice_id uuid,
    issued_on date NOT NULL, currency text NOT NULL, net bigint NOT NULL, tax bigint NOT NULL, total bigint NOT NULL, balance bigint NOT NULL);
  CREATE INDEX ON invoices (client_id, issued_on);
  CREATE TABLE invoice_lines (
    invoice_id uuid REFERENCES invoices, line integer, description text NOT NULL, service_id uuid REFERENCES services,
    net bigint NOT NULL, taxes jsonb NOT NULL, total bigint NOT NULL, PRIMARY KEY (invoice_id, line));
  CREATE TABLE audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, business_id uuid NOT NULL, package_id uuid, actor text NOT NULL, role text NOT NULL,
    correlation_id text NOT NULL, action text NOT NULL, details jsonb NOT NULL, at timestamptz NOT NULL);
  CREATE INDEX ON audit (package_id, audit_id);
  CREATE TABLE idempotency (
    business_id uuid, actor text, key text, request_hash text NOT NULL, appointment_id uuid NOT NULL, at timestamptz NOT NULL,
    PRIMARY KEY (business_id, actor, key));`;

/** Makes the tables and fills in what is booked from. */
export async function createCrud(client: Client, catalogue: Catalogue): Promise<void> {
  const { business, service, providerId, clientIds, packages, sessions, fee, expiresOn } = catalogue;
  const { businessId } = business;
  await client.query(TABLES);
  await client.query('INSERT INTO businesses VALUES ($1, $2, $3)', [businessId, business.timeZone, business.currency]);
  await client.query('INSERT INTO services VALUES ($1, $2, $3, $4)', [
    service.serviceId,
    businessId,
    service.name,
    service.durationMinutes,
  ]);
  for (const { taxId, name, rate } of service.taxes) {
    await client.query('INSERT INTO taxes VALUES ($1, $2, $3, $4)', [taxId, businessId, name, rate]);
    await client.query('INSERT INTO service_taxes VALUES ($1, $2)', [service.serviceId, taxId]);
  }
  await client.query('INSERT INTO providers VALUES ($1, $2)', [providerId, businessId]);
  await client.query('INSERT INTO provider_services VALUES ($1, $2)', [providerId, service.serviceId]);
  await client.query('INSERT INTO clients SELECT unnest($1::uuid[]), $2', [clientIds, businessId]);
  await client.query(
    `INSERT INTO packages SELECT id, $1, client, 'Massages', 'sold', $2, gen_random_uuid() FROM unnest($3::uuid[], $4::uuid[]) AS p (id, client)`,
    [businessId, expiresOn, packages.map(({ packageId }) => packageId), packages.map(({ clientId }) => clientId)],
  );
  await client.query('INSERT INTO package_services SELECT package_id, $1, $2, $3 FROM packages', [service.serviceId, fee, sessions]);
  await client.query('VACUUM ANALYZE');
}
