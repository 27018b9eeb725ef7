import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { commandIdOf } from '../../libs/domain/kernel/ids.js';
import { newKey, type Desk, type Reply, type Sent } from './fleet.js';
import {
  adjustment,
  applying,
  booking,
  bookingOfSeries,
  cancellation,
  moving,
  noShow,
  noShowUndone,
  paidEach,
  paidUpfront,
  rebooking,
  registerClient,
  removal,
  sale,
  type Shop,
} from './shop.js';

// Staff at work: many keyed commands at once, whatever happens to the service meanwhile.

type Kind = 'sell' | 'book' | 'series' | 'move' | 'apply' | 'remove' | 'cancel' | 'rebook' | 'noShow' | 'undoNoShow' | 'adjust';

/** One command, and what became of it. */
export interface Given {
  kind: Kind;
  sent: Sent;
  as: { key: string; correlationId: string };
  commandId: string;
  /** Undefined: never answered, and given up. */
  reply?: Reply;
}

/** The event that says that a command was carried out. With a package, the package moves it, and undoes how it ended; a series follows. */
const EFFECT: Record<Kind, string[]> = {
  sell: ['PackageSold'],
  book: ['SessionConsumed', 'AppointmentBooked'],
  series: ['SeriesBooked'],
  move: ['SessionMoved', 'AppointmentMoved'],
  apply: ['SessionConsumed'],
  remove: ['InvoiceReissued'],
  cancel: ['AppointmentCancelled'],
  rebook: ['SessionConsumed', 'SessionForfeitUndone', 'AppointmentRebooked'],
  noShow: ['AppointmentMarkedNoShow'],
  undoNoShow: ['SessionConsumed', 'SessionForfeitUndone', 'NoShowUndone'],
  adjust: ['RemainingAdjusted'],
};

/** How often each command had its effect. */
export function effectsOf(events: readonly Recorded[], given: readonly Given[]): number[] {
  const types = new Map<string, string[]>();
  for (const { type, metadata } of events)
    for (const id of [metadata.commandId, metadata.$correlationId]) types.set(id, [...(types.get(id) ?? []), type]);
  return given.map(({ kind, commandId, as }) => {
    const own = types.get(kind === 'series' ? as.correlationId : commandId) ?? []; // it may be planned more than once
    return own.filter((type) => EFFECT[kind].includes(type)).length;
  });
}

/** What is answered the same whatever has happened since; other answers show how things are. */
const LASTING = new Set<Kind>(['sell', 'book', 'series', 'cancel', 'noShow']);
export const isLasting = ({ kind }: Given): boolean => LASTING.has(kind);

const CLIENTS = 8;
const PATIENCE = 240_000; // ms with one command
const GIVES_UP = 0.3; // of those who get no answer

export class Load {
  readonly given: Given[] = [];
  private readonly clients: Shop[] = [];
  private readonly offerings: string[] = [];
  private readonly packages: { packageId: string; shop: Shop }[] = [];
  private readonly booked: Held[] = []; // appointments that nobody is changing
  private readonly missed: Held[] = [];
  private readonly cancelled: Held[] = [];
  private stopping = false;
  private workers: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly desk: Desk,
    private readonly urls: readonly string[],
  ) {}

  async prepare(shop: Shop): Promise<void> {
    const { desk, urls } = this;
    for (const offering of [paidUpfront(shop, 3), paidEach(shop, 2), paidEach(shop, 'unlimited')])
      this.offerings.push((await desk.get(urls[0]!, offering)).offeringId!);
    for (let n = 0; n < CLIENTS; n += 1) this.clients.push({ ...shop, clientId: await registerClient(desk, urls[0]!) });
  }

  /** So many at work until `stop`. */
  start(workers: number): void {
    this.stopping = false;
    this.workers = Promise.all(Array.from({ length: workers }, () => this.work()));
  }

  /** Until everybody has had an answer, or has given up. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.workers;
  }

  /** Sends it until it is answered. */
  async insist(command: Given): Promise<Reply> {
    for (const since = performance.now(); ; await sleep(100)) {
      const reply = await this.attempt(command);
      if (reply) return reply;
      if (performance.now() - since > PATIENCE) throw new Error(`No answer to ${JSON.stringify(command)} within ${PATIENCE} ms`);
    }
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      const next = this.next();
      const as = newKey();
      const command: Given = { ...next, as, commandId: commandIdOf(this.desk.business, this.desk.actor, as.key) };
      this.given.push(command);
      const first = await this.attempt(command);
      if (!first && Math.random() < GIVES_UP) continue;
      command.reply = first ?? (await this.insist(command));
      if (command.reply.status < 300) next.then?.(command.reply.body as Record<string, string>);
    }
  }

  /** Undefined: no answer, or one that says to come again. */
  private async attempt({ sent, as }: Given): Promise<Reply | undefined> {
    const reply = await this.desk.send(anyOf(this.urls), sent, as).catch(() => undefined);
    if (reply?.status === 503) return undefined;
    // What was acknowledged may still be following: the appointment of a session that was taken.
    return reply?.status === 404 && sent.path.startsWith('/appointments/') ? undefined : reply;
  }

  private next(): Pick<Given, 'kind' | 'sent'> & { then?: (answer: Record<string, string>) => void } {
    const dice = Math.random();
    const change = dice < 0.5 ? this.change() : undefined;
    if (change) return change;
    if (dice < 0.55 && this.packages.length > 0) {
      const { packageId, shop } = anyOf(this.packages);
      return { kind: 'adjust', sent: adjustment(packageId, shop, Math.floor(Math.random() * 4)) };
    }
    if (dice < 0.65 || this.packages.length < 4) {
      const shop = anyOf(this.clients);
      const sold = (answer: Record<string, string>) => this.packages.push({ packageId: answer.packageId!, shop });
      return { kind: 'sell', sent: sale(shop, anyOf(this.offerings)), then: sold };
    }
    const { packageId, shop } = anyOf(this.packages);
    if (dice < 0.68) return { kind: 'series', sent: bookingOfSeries(shop, packageId, 3) };
    const used = dice < 0.78 ? null : packageId;
    const days = fromOneTo(30);
    const sent = booking(shop, used ?? undefined, days);
    return {
      kind: 'book',
      sent,
      then: ({ appointmentId }) => this.booked.push({ appointmentId: appointmentId!, packageId: used, shop, days }),
    };
  }

  /** Something is done with an appointment that nobody else is changing; undefined: there is none. */
  private change(): ReturnType<Load['next']> | undefined {
    const [undo, dice] = [Math.random() < 0.4, Math.random()];
    const how = dice < 0.3 ? { session: 'forfeited' } : {};
    if (undo && this.missed.length > 0) {
      const held = taken(this.missed);
      return { kind: 'undoNoShow', sent: noShowUndone(held.appointmentId), then: () => this.booked.push(held) };
    }
    if (undo && this.cancelled.length > 0) {
      const held = taken(this.cancelled);
      return { kind: 'rebook', sent: rebooking(held.appointmentId), then: () => this.booked.push(held) };
    }
    if (this.booked.length === 0) return undefined;
    const held = taken(this.booked);
    const { appointmentId, packageId, shop } = held;
    if (dice < 0.25) return { kind: 'cancel', sent: cancellation(appointmentId, how), then: () => this.cancelled.push(held) };
    if (dice < 0.5) return { kind: 'noShow', sent: noShow(appointmentId, how), then: () => this.missed.push(held) };
    const days = held.days + fromOneTo(30);
    if (dice < 0.75) return { kind: 'move', sent: moving(appointmentId, days), then: () => this.booked.push({ ...held, days }) };
    if (packageId !== null)
      return { kind: 'remove', sent: removal(appointmentId), then: () => this.booked.push({ ...held, packageId: null }) };
    const own = this.packages.filter((sold) => sold.shop.clientId === shop.clientId);
    if (own.length === 0) return { kind: 'cancel', sent: cancellation(appointmentId), then: () => this.cancelled.push(held) };
    const applied = anyOf(own).packageId;
    return {
      kind: 'apply',
      sent: applying(appointmentId, applied),
      then: () => this.booked.push({ ...held, packageId: applied }),
    };
  }
}

/** An appointment, the package that it uses, and in how many days it is. */
interface Held {
  appointmentId: string;
  days: number;
  packageId: string | null;
  shop: Shop;
}

const fromOneTo = (most: number): number => 1 + Math.floor(Math.random() * most);

const anyOf = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!;

const taken = <T>(values: T[]): T => values.splice(Math.floor(Math.random() * values.length), 1)[0]!;
