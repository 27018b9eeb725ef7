import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { pino } from 'pino';
import { startParts, type Parts } from '../../../test/support/event-store.js';
import { defaultSettings } from '../../domain/business/business.events.js';
import { InvalidInput } from '../../domain/kernel/refusal.js';
import { connectEventStore, type EventStore } from '../../event-store/event-store.js';
import { CommandHandlingModule } from '../command-bus.js';
import { openCommandHandling } from '../command-handling.js';
import type { Answered, CommandOf } from '../command.js';
import { CreateBusiness } from './business.commands.js';
import { DefineService, RegisterClient } from './catalogue.commands.js';
import { DefineOffering } from './offering.commands.js';
import { SellPackage, type SaleInput } from './package.commands.js';

const caller = { business: randomUUID(), actor: { id: 'somebody', role: 'owner' as const }, correlationId: randomUUID() };
const price = { amount: 9000, currency: 'CAD' };

let parts: Parts, pool: Pool, store: EventStore, commands: Awaited<ReturnType<typeof openCommandHandling>>, app: INestApplicationContext;
let sale: SaleInput;

const give = <Answer>(command: CommandOf<unknown, Answer>): Promise<Answered<Answer>> => app.get(CommandBus).execute(command);

beforeAll(async () => {
  parts = await startParts();
  pool = new Pool({ connectionString: parts.databaseUrl, max: 2 });
  store = connectEventStore({ url: parts.eventStoreUrl });
  const secrets = { operatorKey: 'o'.repeat(32), requestHashKey: 'r'.repeat(32) };
  commands = await openCommandHandling({ store, pool, log: pino({ level: 'silent' }), policies: 'api', ...secrets });
  app = await NestFactory.createApplicationContext(CommandHandlingModule.with(commands), { logger: false });

  await give(new CreateBusiness(caller, { name: 'Clinic', timeZone: 'America/Toronto', currency: 'CAD', settings: defaultSettings }));
  const untold = { description: '', externalReference: null };
  const { serviceId } = await give(
    new DefineService(caller, {
      ...untold,
      name: 'Massage',
      durationMinutes: 60,
      price,
      taxIds: [],
      active: true,
      publiclyDisplayed: true,
    }),
  );
  const { offeringId } = await give(
    new DefineOffering(caller, {
      ...{ ...untold, name: 'Five massages', status: 'active', services: [{ serviceId, limit: 5 }], soldOnline: false },
      ...{ expiryRule: { kind: 'none' }, payment: { method: 'paidUpfront', fee: price, taxIds: [] } },
    }),
  );
  const { clientId } = await give(new RegisterClient(caller, { name: 'Anna', email: null, phone: null, externalReference: null }));
  sale = { clientId, offeringId, appointmentId: null, applyToAppointment: false, externalReference: null, payment: null };
});
afterAll(async () => {
  await app?.close();
  await commands?.close();
  await store?.dispose();
  await pool?.end();
  await parts?.stop();
});

describe('A sale', () => {
  it('D1: that is to be applied says to which appointment, or nothing happens', async () => {
    await expect(give(new SellPackage(caller, { ...sale, applyToAppointment: true }))).rejects.toThrow(InvalidInput);
    expect(await store.readStream(`offering-${sale.offeringId}`)).toHaveLength(1); // not locked
  });

  it('C5: says at which revision of the offering its terms were taken', async () => {
    for (const { packageId } of [await give(new SellPackage(caller, sale)), await give(new SellPackage(caller, sale))]) {
      const [sold] = await store.readStream(`package-${packageId}`);
      expect(sold!.metadata.read).toMatchObject({ [`offering-${sale.offeringId}`]: '1', [`client-${sale.clientId}`]: '0' });
    }
  });

  it('does not say of a stream that it rests on itself', async () => {
    const { packageId } = await give(new SellPackage({ ...caller, idempotencyKey: 'once' }, sale));
    const [sold] = await store.readStream(`package-${packageId}`);
    expect(Object.keys(sold!.metadata.read!)).not.toContain(`package-${packageId}`);
  });
});
