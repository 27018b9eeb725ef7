import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import fc from 'fast-check';
import { Pool } from 'pg';
import { pino } from 'pino';
import { CommandHandlingModule } from '../../libs/command-handling/command-bus.js';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import type { Answered, CommandOf } from '../../libs/command-handling/command.js';
import { ApplyPackage, RemovePackage } from '../../libs/command-handling/commands/appointment-package.commands.js';
import { BookAppointment, CancelAppointment, MarkNoShow } from '../../libs/command-handling/commands/appointment.commands.js';
import { CreateBusiness } from '../../libs/command-handling/commands/business.commands.js';
import { DefineService, RegisterClient, RegisterProvider } from '../../libs/command-handling/commands/catalogue.commands.js';
import { ChangeLink, LinkClients, UnlinkClients } from '../../libs/command-handling/commands/client-link.commands.js';
import { MoveAppointment } from '../../libs/command-handling/commands/moving.commands.js';
import { DefineOffering } from '../../libs/command-handling/commands/offering.commands.js';
import { SellPackage } from '../../libs/command-handling/commands/package.commands.js';
import { BookSeries } from '../../libs/command-handling/commands/series.commands.js';
import { RebookAppointment, UndoNoShow } from '../../libs/command-handling/commands/standing-again.commands.js';
import { defaultSettings } from '../../libs/domain/business/business.events.js';
import type { ClientLinkEvent } from '../../libs/domain/client-link/client-link.events.js';
import { clientLink, gives, linkIdOf, type ClientLinkState } from '../../libs/domain/client-link/client-link.state.js';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { Refusal } from '../../libs/domain/kernel/refusal.js';
import type { PackageEvent } from '../../libs/domain/package/package.events.js';
import { packageAggregate, standing, type PackageState, type SoldPackage } from '../../libs/domain/package/package.state.js';
import { connectEventStore, type EventStore } from '../../libs/event-store/event-store.js';
import { startParts, type Parts } from '../support/event-store.js';

// G3: who may use whose packages, against a model that keeps one word per direction. Each of some clients has a package
// without end; what is permitted, taken away and permitted again decides on new use alone.

const caller = { business: randomUUID(), actor: { id: 'somebody', role: 'owner' as const }, correlationId: randomUUID() };
const price = { amount: 9_000, currency: 'CAD' };
const untold = { description: '', externalReference: null };
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let parts: Parts, pool: Pool, store: EventStore, commands: Awaited<ReturnType<typeof openCommandHandling>>, app: INestApplicationContext;
let serviceId: string, providerId: string, offeringId: string;

const give = <Answer>(command: CommandOf<unknown, Answer>): Promise<Answered<Answer>> => app.get(CommandBus).execute(command);
const start = (days: number): string => new Date(Date.now() + days * DAY).toISOString();

beforeAll(async () => {
  parts = await startParts();
  pool = new Pool({ connectionString: parts.databaseUrl, max: 2 });
  store = connectEventStore({ url: parts.eventStoreUrl });
  const secrets = { operatorKey: 'o'.repeat(32), requestHashKey: 'r'.repeat(32) };
  commands = await openCommandHandling({ store, pool, log: pino({ level: 'silent' }), policies: 'api', ...secrets });
  app = await NestFactory.createApplicationContext(CommandHandlingModule.with(commands), { logger: false });
  await give(new CreateBusiness(caller, { name: 'Clinic', timeZone: 'America/Toronto', currency: 'CAD', settings: defaultSettings }));
  const massage = { ...untold, name: 'Massage', durationMinutes: 60, price, taxIds: [], active: true, publiclyDisplayed: true };
  ({ serviceId } = await give(new DefineService(caller, massage)));
  ({ providerId } = await give(
    new RegisterProvider(caller, { name: 'Dana', serviceIds: [serviceId], active: true, externalReference: null }),
  ));
  ({ offeringId } = await give(
    new DefineOffering(caller, {
      ...{ ...untold, name: 'Massages', status: 'active', services: [{ serviceId, limit: 'unlimited' }], soldOnline: false },
      ...{ expiryRule: { kind: 'none' }, payment: { method: 'paidUpfront', fee: price, taxIds: [] } },
    }),
  ));
});
afterAll(async () => {
  await app?.close();
  await commands?.close();
  await store?.dispose();
  await pool?.end();
  await parts?.stop();
});

interface Booking {
  appointmentId: string;
  owner: number | null; // of the package; null: at the regular fee
  user: number; // client of the appointment
  state: 'without' | 'booked' | 'cancelled' | 'noShow';
}

/** Clients by number; `may` has "1>2" when 1 lets 2 use their packages. */
class Model {
  readonly may = new Set<string>();
  readonly linked = new Map<string, boolean>(); // false: unlinked again
  readonly bookings: Booking[] = [];

  pair = (one: number, other: number): string => [one, other].sort().join('~');
  uses = (user: number, owner: number | null): boolean => owner === null || user === owner || this.may.has(`${owner}>${user}`);
  permit(giver: number, taker: number, permitted: boolean): void {
    if (permitted) this.may.add(`${giver}>${taker}`);
    else this.may.delete(`${giver}>${taker}`);
  }
}

interface World {
  model: Model;
  clients: string[];
  packages: string[];
}

/** Carries it out in the model, and gives the command with what the rules say becomes of it: `done`, or the code of the refusal. */
type Turn = (world: World) => { command: CommandOf<unknown, unknown>; expected: string; then?: (answer: unknown) => void } | undefined;

const CLIENTS = 4;
const pairOf = ({ clients }: World, one: number, other: number) => ({ clientId: clients[one]!, otherClientId: clients[other]! });

/** Says the whole link: what is not said is not permitted. */
const link =
  (one: number, other: number, toOther: boolean | undefined, fromOther: boolean | undefined): Turn =>
  (world) => {
    const { model } = world;
    model.linked.set(model.pair(one, other), true);
    model.permit(one, other, toOther ?? false);
    model.permit(other, one, fromOther ?? false);
    const said = { gives: { usePackages: toOther }, gets: { usePackages: fromOther, bookAndManageAppointments: true } }; // which is another matter
    return { command: new LinkClients(caller, { ...pairOf(world, one, other), relationship: 'sibling', ...said }), expected: 'done' };
  };

const change =
  (one: number, other: number, permitted: boolean): Turn =>
  (world) => {
    const { model } = world;
    const linked = model.linked.get(model.pair(one, other)) === true;
    if (linked) model.permit(one, other, permitted);
    const command = new ChangeLink(caller, { ...pairOf(world, one, other), gives: { usePackages: permitted } });
    return { command, expected: linked ? 'done' : 'NOT_FOUND' };
  };

const unlink =
  (one: number, other: number): Turn =>
  (world) => {
    const { model } = world;
    const known = model.linked.has(model.pair(one, other));
    if (known) model.linked.set(model.pair(one, other), false);
    model.permit(one, other, false);
    model.permit(other, one, false);
    return { command: new UnlinkClients(caller, pairOf(world, one, other)), expected: known ? 'done' : 'NOT_FOUND' };
  };

const useOf = ({ clients, packages }: World, user: number, owner: number | null) => ({
  ...{ clientId: clients[user]!, packageId: owner === null ? null : packages[owner]!, serviceId, providerId, externalReference: null },
});

/** For a client, from the package of another or their own, or at the regular fee. */
const book =
  (user: number, owner: number | null, days: number): Turn =>
  (world) => {
    const { model } = world;
    const command = new BookAppointment(caller, { ...useOf(world, user, owner), start: start(days), end: null });
    if (!model.uses(user, owner)) return { command, expected: 'PACKAGE_NOT_SHARED' };
    const state = owner === null ? 'without' : 'booked';
    const then = (answer: unknown) => model.bookings.push({ ...(answer as { appointmentId: string }), owner, user, state });
    return { command, expected: 'done', then };
  };

const bookSeries =
  (user: number, owner: number, days: number): Turn =>
  (world) => {
    const { model } = world;
    const starts = [start(days), start(days + 7)];
    const how = { rule: null, starts, durationMinutes: null, onShortage: 'refuse' as const };
    const command = new BookSeries(caller, { ...useOf(world, user, owner), ...how });
    if (!model.uses(user, owner)) return { command, expected: 'PACKAGE_NOT_SHARED' };
    const then = (answer: unknown) => {
      for (const { appointmentId } of (answer as { items: Booking[] }).items)
        model.bookings.push({ appointmentId, owner, user, state: 'booked' });
    };
    return { command, expected: 'done', then };
  };

const apply =
  (n: number, owner: number): Turn =>
  (world) => {
    const booking = nth(world, n, 'without');
    if (!booking) return undefined;
    const { appointmentId, user } = booking;
    const command = new ApplyPackage(caller, { appointmentId, packageId: world.packages[owner]! });
    if (!world.model.uses(user, owner)) return { command, expected: 'PACKAGE_NOT_SHARED' };
    Object.assign(booking, { owner, state: 'booked' });
    return { command, expected: 'done' };
  };

const remove =
  (n: number): Turn =>
  (world) => {
    const booking = nth(world, n, 'booked');
    if (!booking) return undefined;
    Object.assign(booking, { owner: null, state: 'without' });
    return { command: new RemovePackage(caller, { appointmentId: booking.appointmentId }), expected: 'done' };
  };

/** The nth of those that are so. */
const nth = ({ model }: World, n: number, state: Booking['state']): Booking | undefined => {
  const such = model.bookings.filter((booking) => booking.state === state);
  return such[n % Math.max(1, such.length)];
};

const end =
  (n: number, to: 'cancelled' | 'noShow'): Turn =>
  (world) => {
    const booking = nth(world, n, 'booked');
    if (!booking) return undefined;
    booking.state = to;
    const ending = { appointmentId: booking.appointmentId, session: null, reason: null };
    const command = to === 'noShow' ? new MarkNoShow(caller, ending) : new CancelAppointment(caller, { ...ending, requestedBy: 'client' });
    return { command, expected: 'done' };
  };

/** Its session was returned: to undo that is new use. */
const undo =
  (n: number, from: 'cancelled' | 'noShow'): Turn =>
  (world) => {
    const booking = nth(world, n, from);
    if (!booking) return undefined;
    const { appointmentId, user, owner } = booking;
    const again = { appointmentId, regularFee: false };
    const command = from === 'noShow' ? new UndoNoShow(caller, again) : new RebookAppointment(caller, again);
    if (!world.model.uses(user, owner)) return { command, expected: 'PACKAGE_NOT_SHARED' };
    booking.state = 'booked';
    return { command, expected: 'done' };
  };

/** Moving is no new use. */
const move =
  (n: number, days: number): Turn =>
  (world) => {
    const booking = nth(world, n, 'booked');
    if (!booking) return undefined;
    const to = { appointmentId: booking.appointmentId, start: start(days), end: null, providerId: null, onInvalid: 'refuse' as const };
    return { command: new MoveAppointment(caller, to), expected: 'done' };
  };

const aClient = fc.nat(CLIENTS - 1);
const twoClients = fc.tuple(aClient, fc.integer({ min: 1, max: CLIENTS - 1 })).map(([one, on]) => [one, (one + on) % CLIENTS] as const);
const maybe = fc.constantFrom(true, true, false, undefined);
const aDay = fc.integer({ min: 1, max: 60 });
const aTurn = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(twoClients, maybe, maybe).map(([[one, other], toOther, fromOther]) => link(one, other, toOther, fromOther)),
  },
  { weight: 3, arbitrary: fc.tuple(twoClients, fc.boolean()).map(([[one, other], permitted]) => change(one, other, permitted)) },
  { weight: 1, arbitrary: twoClients.map(([one, other]) => unlink(one, other)) },
  { weight: 5, arbitrary: fc.tuple(aClient, aClient, aDay).map(([user, owner, days]) => book(user, owner, days)) },
  { weight: 2, arbitrary: fc.tuple(aClient, aDay).map(([user, days]) => book(user, null, days)) },
  { weight: 1, arbitrary: fc.tuple(aClient, aClient, aDay).map(([user, owner, days]) => bookSeries(user, owner, days)) },
  { weight: 3, arbitrary: fc.tuple(fc.nat(9), aClient).map(([n, owner]) => apply(n, owner)) },
  { weight: 1, arbitrary: fc.nat(9).map(remove) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(9), fc.constantFrom('cancelled' as const, 'noShow' as const)).map(([n, to]) => end(n, to)) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(9), fc.constantFrom('cancelled' as const, 'noShow' as const)).map(([n, from]) => undo(n, from)) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(9), aDay).map(([n, days]) => move(n, days)) },
);

const newWorld = async (): Promise<World> => {
  const person = { name: 'Somebody', email: null, phone: null, externalReference: null };
  const people = await Promise.all(Array.from({ length: CLIENTS }, () => give(new RegisterClient(caller, person))));
  const clients = people.map(({ clientId }) => clientId);
  const terms = { offeringId, appointmentId: null, applyToAppointment: false, externalReference: null, payment: null };
  const sold = await Promise.all(clients.map((clientId) => give(new SellPackage(caller, { clientId, ...terms }))));
  return { model: new Model(), clients, packages: sold.map(({ packageId }) => packageId) };
};

const historyOf = async <Event extends PackageEvent | ClientLinkEvent>(stream: string): Promise<Recorded<Event>[]> =>
  (await commands.codec.decode(await store.readStream(stream))) as Recorded<Event>[];

/** Each session that another than the owner has used rests on the newest revision of their link by then, and that permitted it. */
const assertRests = async (history: readonly Recorded<PackageEvent>[]): Promise<void> => {
  for (const { type, data, metadata, position } of history) {
    if (type !== 'SessionConsumed' || data.clientId === data.ownerId) continue;
    const stream = `clientLink-${linkIdOf(data.ownerId, data.clientId)}`;
    const before = (await historyOf<ClientLinkEvent>(stream)).filter((event) => event.position < position);
    expect(metadata.read?.[stream]).toBe(String(before.length - 1));
    expect(gives(before.reduce<ClientLinkState>(clientLink.evolve, clientLink.initial), data.ownerId, 'usePackages')).toBe(true);
  }
};

const outcomeOf = async (command: CommandOf<unknown, unknown>): Promise<{ outcome: string; answer?: unknown }> => {
  try {
    return { outcome: 'done', answer: await give(command) };
  } catch (error) {
    if (error instanceof Refusal) return { outcome: error.code };
    throw error;
  }
};

it('G3: whoever is permitted at that moment uses a package, nobody else; what is taken away stops no session that is booked', () =>
  fc.assert(
    fc.asyncProperty(fc.array(aTurn, { minLength: 10, maxLength: 35, size: 'max' }), async (turns) => {
      const world = await newWorld();
      for (const turn of turns) {
        const taken = turn(world);
        if (!taken) continue;
        const { outcome, answer } = await outcomeOf(taken.command);
        expect(outcome).toBe(taken.expected);
        taken.then?.(answer);
      }
      for (const [owner, packageId] of world.packages.entries()) {
        const history = await historyOf<PackageEvent>(`package-${packageId}`);
        const state = history.reduce<PackageState>(packageAggregate.evolve, structuredClone(packageAggregate.initial)) as SoldPackage;
        const booked = world.model.bookings.filter((booking) => booking.owner === owner && booking.state === 'booked');
        expect(
          standing(state)
            .map(({ appointmentId }) => appointmentId)
            .toSorted(),
        ).toEqual(booked.map(({ appointmentId }) => appointmentId).toSorted());
        await assertRests(history);
      }
    }),
    { numRuns: 5 },
  ));
