import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorded } from '../../libs/domain/kernel/event.js';
import { commandIdOf } from '../../libs/domain/kernel/ids.js';
import { newKey, type Desk, type Reply, type Sent } from './fleet.js';
import { adjustment, booking, cancellation, noShow, noShowUndone, paidEach, paidUpfront, registerClient, sale, type Shop } from './shop.js';

// Staff at work: many keyed commands at once, whatever happens to the service meanwhile.

export const KINDS = ['sell', 'book', 'cancel', 'noShow', 'undoNoShow', 'adjust'] as const;
type Kind = (typeof KINDS)[number];

/** One command, and what became of it. */
export interface Given {
  kind: Kind;
  sent: Sent;
  as: { key: string; correlationId: string };
  commandId: string;
  /** Undefined: never answered, and given up. */
  reply?: Reply;
}

/** The event that says that a command was carried out. A no-show is undone by the package first, if there is one. */
const EFFECT: Record<Kind, string[]> = {
  sell: ['PackageSold'],
  book: ['SessionConsumed', 'AppointmentBooked'],
  cancel: ['AppointmentCancelled'],
  noShow: ['AppointmentMarkedNoShow'],
  undoNoShow: ['SessionConsumed', 'SessionForfeitUndone', 'NoShowUndone'],
  adjust: ['RemainingAdjusted'],
};

/** How often each command had its effect. */
export function effectsOf(events: readonly Recorded[], given: readonly Given[]): number[] {
  const types = new Map<string, string[]>();
  for (const { type, metadata } of events) types.set(metadata.commandId, [...(types.get(metadata.commandId) ?? []), type]);
  return given.map(({ kind, commandId }) => (types.get(commandId) ?? []).filter((type) => EFFECT[kind].includes(type)).length);
}

const CLIENTS = 8;
const PATIENCE = 60_000; // ms with one command
const GIVES_UP = 0.3; // of those who get no answer

export class Load {
  readonly given: Given[] = [];
  private readonly clients: Shop[] = [];
  private readonly offerings: string[] = [];
  private readonly packages: { packageId: string; shop: Shop }[] = [];
  private readonly booked: string[] = []; // appointments that nobody is changing
  private readonly missed: string[] = [];
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
    if (dice < 0.1 && this.booked.length > 0) {
      return { kind: 'cancel', sent: cancellation(taken(this.booked), dice < 0.03 ? { session: 'forfeited' } : {}) };
    }
    if (dice < 0.2 && this.booked.length > 0) {
      const appointmentId = taken(this.booked);
      const sent = noShow(appointmentId, dice < 0.13 ? { session: 'forfeited' } : {});
      return { kind: 'noShow', sent, then: () => this.missed.push(appointmentId) };
    }
    if (dice < 0.27 && this.missed.length > 0) {
      const appointmentId = taken(this.missed);
      return { kind: 'undoNoShow', sent: noShowUndone(appointmentId), then: () => this.booked.push(appointmentId) };
    }
    if (dice < 0.32 && this.packages.length > 0) {
      const { packageId, shop } = anyOf(this.packages);
      return { kind: 'adjust', sent: adjustment(packageId, shop, Math.floor(Math.random() * 4)) };
    }
    if (dice < 0.45 || this.packages.length < 4) {
      const shop = anyOf(this.clients);
      const sold = (answer: Record<string, string>) => this.packages.push({ packageId: answer.packageId!, shop });
      return { kind: 'sell', sent: sale(shop, anyOf(this.offerings)), then: sold };
    }
    const { packageId, shop } = anyOf(this.packages);
    const sent = booking(shop, dice < 0.55 ? undefined : packageId, 1 + Math.floor(Math.random() * 30));
    return { kind: 'book', sent, then: (answer) => this.booked.push(answer.appointmentId!) };
  }
}

const anyOf = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!;

const taken = <T>(values: T[]): T => values.splice(Math.floor(Math.random() * values.length), 1)[0]!;
