import fc from 'fast-check';
import { issueInvoice } from '../../libs/domain/invoice/invoice.decisions.js';
import { invoice, type InvoiceState } from '../../libs/domain/invoice/invoice.state.js';
import type { Aggregate, AnyEvent, Decide, Recorded } from '../../libs/domain/kernel/event.js';
import { NotFound } from '../../libs/domain/kernel/refusal.js';
import { purchasing } from '../../libs/domain/policies/purchasing.js';
import { selling } from '../../libs/domain/policies/selling.js';
import type { PolicyCommand } from '../../libs/domain/policies/policy.js';
import { hearOfCheckout, startPurchase, type HeardOfCheckout } from '../../libs/domain/purchase/purchase.decisions.js';
import { purchase, type PurchaseState } from '../../libs/domain/purchase/purchase.state.js';
import { cad, idOf } from '../../libs/domain/testing/example.js';
import { sale } from '../../libs/domain/testing/example-package.js';
import { heard, ofInvoice, purchaseId, purchaseOf } from '../../libs/domain/testing/example-purchase.js';
import { disagreements } from '../support/agreement.js';

// I4: what a client, a bank and Stripe do, and what is heard of it: answers that were asked for and come late, knocks that are lost or come again, and
// processes that die between any two appends. Time stands still: whatever has been asked can still arrive.

const DAY = '2027-02-03';
const otherInvoice = idOf('invoice that is there');
const bought = purchaseOf();
const owed = ofInvoice({ purchaseId: idOf('checkout'), paymentId: idOf('paid there'), invoiceId: otherInvoice });

/** The checkout as Stripe has it. */
type AtStripe = HeardOfCheckout['status'];
const CAN_BECOME: Record<string, Partial<Record<AtStripe, AtStripe>>> = {
  pay: { open: 'paid' },
  payLater: { open: 'processing' },
  succeed: { processing: 'paid' },
  fail: { processing: 'failed' },
  end: { open: 'expired' },
};

interface Follow {
  id: string;
  command: PolicyCommand;
}

/** All streams, what is still to follow, and what Stripe has. */
class World {
  readonly events: Recorded[] = [];
  readonly stripe = new Map<string, AtStripe>([bought, owed].map((one) => [one.purchaseId, 'open']));
  private readonly todo: Follow[] = [];
  private readonly answers: { purchaseId: string; status: AtStripe }[] = []; // on their way to us
  private commands = 0;

  constructor() {
    this.give(
      invoice,
      otherInvoice,
      'issue',
      issueInvoice({ ...sale().invoice, invoiceId: otherInvoice, kind: 'appointment', packageId: null }),
    );
    for (const one of [bought, owed]) this.give(purchase, one.purchaseId, `start ${one.purchaseId}`, startPurchase(one));
  }

  state<State, Event extends AnyEvent>(aggregate: Aggregate<State, Event>, id: string): State {
    const own = this.events.filter(({ stream }) => stream === `${aggregate.category}-${id}`) as unknown as Event[];
    return own.reduce((state, event) => aggregate.evolve(state, event), structuredClone(aggregate.initial));
  }

  happens(what: string, of: string): void {
    const next = CAN_BECOME[what]![this.stripe.get(of)!];
    if (next) this.stripe.set(of, next);
  }

  /** A webhook, or the clerk: what is so now is asked; the answer comes when it comes. */
  ask(of: string): void {
    this.answers.push({ purchaseId: of, status: this.stripe.get(of)! });
  }

  /** With `again`, somebody else gets the same answer later. */
  bringIn(n: number, again = false): void {
    const at = n % Math.max(1, this.answers.length);
    const answer = this.answers[at];
    if (!answer) return;
    if (!again) this.answers.splice(at, 1);
    this.hear(answer);
  }

  private hear({ purchaseId: of, status }: { purchaseId: string; status: AtStripe }): void {
    const url = status === 'open' ? 'https://checkout.example/' : null;
    const said = heard(status, { purchaseId: of, url, today: DAY, because: 'offeringUnavailable' });
    this.give(purchase, of, `hear ${(this.commands += 1)}`, hearOfCheckout(said));
  }

  /** Anything that is to follow, at once, later, or a second time. */
  follow(n: number, again = false): void {
    const follow = this.todo[n % Math.max(1, this.todo.length)];
    if (follow && this.carryOut(follow) && !again) this.todo.splice(this.todo.indexOf(follow), 1);
  }

  /** The clerk looks, and all that follows has followed. */
  rest(): void {
    for (const [of, status] of this.stripe) this.hear({ purchaseId: of, status });
    while (this.answers.length > 0) this.bringIn(0);
    for (let left = 100; this.todo.length > 0; left -= 1) {
      if (left === 0) throw new Error('What follows never ends.');
      this.follow(left);
    }
  }

  private carryOut({ id, command }: Follow): boolean {
    try {
      this.give(command.aggregate, command.id, id, command.decide);
      return true;
    } catch (error) {
      if (error instanceof NotFound) return false; // its stream is still to come
      throw error;
    }
  }

  private give<State, Event extends AnyEvent>(
    aggregate: Aggregate<State, Event>,
    id: string,
    commandId: string,
    decide: Decide<State, Event>,
  ): void {
    const stream = `${aggregate.category}-${id}`;
    if (this.events.some((event) => event.stream === stream && event.metadata.commandId === commandId)) return;
    for (const event of decide(this.state(aggregate, id))) {
      const position = BigInt(this.events.length);
      const recorded = {
        ...event,
        id: idOf(`${commandId}/${position}`),
        stream,
        revision: position,
        position,
        metadata: { commandId, time: `${DAY}T12:00:00.000Z` },
      } as unknown as Recorded;
      this.events.push(recorded);
      for (const { name, on } of [purchasing, selling])
        (on[event.type]?.(recorded) ?? []).forEach((command, n) => this.todo.push({ id: `${recorded.id}/${name}/${n}`, command }));
    }
  }
}

/** There is no offering in this world, and nobody who numbers invoices. */
const NOT_HERE = /its offering|^invoiceNumbers-/;

const which = fc.constantFrom(bought.purchaseId, owed.purchaseId);
const step = fc.oneof(
  fc.tuple(fc.constantFrom('pay', 'payLater', 'succeed', 'fail', 'end'), which).map(
    ([what, of]) =>
      (world: World) =>
        world.happens(what, of),
  ),
  which.map((of) => (world: World) => world.ask(of)),
  fc.tuple(fc.nat(9), fc.boolean()).map(
    ([n, again]) =>
      (world: World) =>
        world.bringIn(n, again),
  ),
  fc.tuple(fc.nat(9), fc.boolean()).map(
    ([n, again]) =>
      (world: World) =>
        world.follow(n, again),
  ),
);

it('I4, D2: whatever is heard when and however often, whatever dies: one payment and one package for what Stripe says is paid, and none for the rest', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      for (const one of steps) one(world);
      world.rest();
      for (const [of, status] of world.stripe) {
        const { status: known } = world.state<PurchaseState, never>(purchase, of);
        expect(known).toBe(status === 'open' ? 'started' : status);
      }
      expect(world.events.filter(({ type }) => type === 'PackageSold')).toHaveLength(world.stripe.get(purchaseId) === 'paid' ? 1 : 0);
      const issued = world.state<InvoiceState, never>(invoice, otherInvoice);
      expect(issued).toMatchObject({ balance: cad(world.stripe.get(owed.purchaseId) === 'paid' ? 0 : 80_00) });
      expect(disagreements(world.events).filter((said) => !NOT_HERE.test(said) && !/^appointment/.test(said))).toEqual([]);
    }),
    { numRuns: process.env.SOAK ? 20_000 : 500 },
  );
});
