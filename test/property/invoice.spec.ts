import fc from 'fast-check';
import { bringIn, requestRefund, type RefundAtStripe } from '../../libs/domain/invoice/card-refunds.decisions.js';
import { invoiceOver } from '../../libs/domain/invoice/invoice-content.js';
import {
  adjustInvoice,
  adjustToZero,
  issueInvoice,
  receivePayment,
  refundInvoice,
  reissueInvoice,
  undoAdjustment,
  voidPayment,
  writeOff,
} from '../../libs/domain/invoice/invoice.decisions.js';
import { explainInvoice, INVOICE_FIGURES } from '../../libs/domain/invoice/explanation.js';
import type { InvoiceEvent, RefundOutcome } from '../../libs/domain/invoice/invoice.events.js';
import { invoice, type InvoiceState, type IssuedInvoice } from '../../libs/domain/invoice/invoice.state.js';
import type { Decide, Recorded } from '../../libs/domain/kernel/event.js';
import { idFor } from '../../libs/domain/kernel/ids.js';
import { inProportion, withTaxes } from '../../libs/domain/kernel/money.js';
import { Refusal } from '../../libs/domain/kernel/refusal.js';
import type { InvoiceContent } from '../../libs/domain/kernel/shapes.js';
import { explainSale, SALES_FIGURES } from '../../libs/domain/package/sale-explanation.js';
import type { PackageEvent } from '../../libs/domain/package/package.events.js';
import { anna, idOf } from '../../libs/domain/testing/example.js';
import { p, sold } from '../../libs/domain/testing/example-package.js';
import { fold as foldRows } from '../../libs/projection-engine/fold.js';
import { recorded } from '../../libs/projection-engine/testing/recorded.js';
import { packageSales, type PackageSalesRow } from '../../projections/package-sales.projection.js';
import { expectSame } from '../support/expect-same.js';

// An invoice against a model that keeps what was done, as lists, and works out what is owing from them anew, in currencies of no,
// two and three decimals. Amounts are minor units.

const CURRENCIES = ['JPY', 'CAD', 'KWD'] as const;
const i1 = idOf('i1');

class Model {
  issued: InvoiceContent | undefined;
  payments = new Map<number, { amount: number; voided: boolean; byCard: boolean }>();
  refunds = new Map<string, ModelRefund>(); // by their ids
  disputes = new Map<number, 'open' | 'won' | 'lost'>(); // one of each payment
  known = new Set<number>(); // overall adjustments that were ever made
  discounts = 0; // since it was last issued
  lowered = 0; // since then, by refunds that leave nothing owing
  toZero = 0;
  atZero = false;

  get total(): number {
    return sumOf(this.issued!.lines.map(({ net, taxes }) => net.amount + sumOf(taxes.map(({ amount }) => amount.amount))));
  }
  get adjustments(): number {
    return this.discounts - this.lowered - this.toZero;
  }
  get paid(): number {
    return sumOf([...this.payments.values()].map(({ amount, voided }) => (voided ? 0 : amount)));
  }
  get refunded(): number {
    return this.refundsWith((refund) => refund.status === 'succeeded');
  }
  get pending(): number {
    return this.refundsWith((refund) => refund.status === 'pending');
  }
  get refundable(): number {
    return this.paid - this.refunded - this.pending;
  }
  refundsWith(such: (refund: ModelRefund) => boolean): number {
    return sumOf([...this.refunds.values()].filter(such).map(({ amount }) => amount));
  }
  /** What is left of a payment by card. */
  leftOf(n: number): number {
    const back = this.refundsWith((refund) => refund.of === n && refund.status !== 'failed');
    return Math.max(0, this.payments.get(n)!.amount - back);
  }
  get balance(): number {
    return this.total + this.adjustments - this.paid + this.refunded;
  }
}

interface ModelRefund {
  amount: number;
  outcome: RefundOutcome;
  status: 'pending' | 'succeeded' | 'failed';
  of: number | null; // the payment by card
  off: number; // what it took off, once it succeeded
  fact: boolean; // Stripe did what our rules had not granted
  begun: boolean; // at Stripe, when it failed
}

/** A command as both sides understand it. `expected`: what the rules say becomes of it; `apply` carries it out in the model. */
interface Command {
  says: string;
  decide: Decide<InvoiceState, InvoiceEvent>;
  expected: string; // `events`, `nothing` or the code of the refusal
  again?: string; // what becomes of the same once more, if not nothing
  apply: () => void;
}
type Step = (model: Model, currency: string) => Command;

const contentOf = (nets: readonly (readonly [number, readonly string[]])[], currency: string): InvoiceContent =>
  invoiceOver(currency, {
    ...{ invoiceId: i1, kind: 'appointment', clientId: anna, packageId: null, appointmentId: idOf('a1'), packageInvoiceId: null },
    ...{ issuedOn: '2027-01-31' },
    lines: nets.map(([amount, rates], n) => ({
      ...{ description: `Line ${n}`, serviceId: null },
      ...withTaxes(
        { amount, currency },
        rates.map((rate) => ({ taxId: idOf(rate), name: `Tax of ${rate}`, rate })),
      ),
    })),
  });

const issue =
  (nets: Lines): Step =>
  (model, currency) => {
    const content = contentOf(nets, currency);
    return {
      ...{ says: `issue ${JSON.stringify(nets)}`, decide: issueInvoice(content), expected: model.issued ? 'nothing' : 'events' },
      apply: () => (model.issued = content),
    };
  };

const reissue =
  (nets: Lines): Step =>
  (model, currency) => {
    const content = contentOf(nets, currency);
    const isPaid = model.paid !== model.refunded;
    return {
      says: `reissue ${JSON.stringify(nets)}`,
      decide: reissueInvoice(content),
      expected: !model.issued ? 'NOT_FOUND' : isPaid ? 'INVOICE_PAID' : 'events',
      again: 'events', // what is the same command is told by its id, not by what it says
      apply: () => {
        Object.assign(model, { issued: content, discounts: 0, lowered: 0, toZero: 0 });
        if (model.atZero) model.toZero = model.total;
      },
    };
  };

const toZero: Step = (model) => ({
  says: 'adjust to zero',
  decide: adjustToZero({ invoiceId: i1, because: 'cancelled', consumptionId: null }),
  expected: !model.issued ? 'NOT_FOUND' : model.atZero ? 'nothing' : 'events',
  apply: () => {
    model.toZero = model.total + model.adjustments;
    model.atZero = true;
  },
});

const fromZero: Step = (model) => ({
  says: 'undo that',
  decide: undoAdjustment(i1),
  expected: !model.issued ? 'NOT_FOUND' : model.atZero ? 'events' : 'nothing',
  apply: () => {
    model.toZero = 0;
    model.atZero = false;
  },
});

const pay =
  (n: number, share: number, byCard = false): Step =>
  (model, currency) => {
    const amount = partOf(model.issued && model.balance, share);
    const expected = (): string => {
      if (!model.issued) return 'NOT_FOUND';
      if (model.payments.has(n)) return 'nothing';
      if (model.balance <= 0) return 'NOTHING_OWING';
      return amount > model.balance ? 'OVERPAID' : 'events';
    };
    const method = byCard ? ('stripe' as const) : ('cash' as const);
    const purchaseId = byCard ? purchaseOf(n) : null;
    const about = { invoiceId: i1, paymentId: idOf(`pay${n}`), method, purchaseId, reference: null, receivedOn: '2027-01-31' };
    return {
      ...{
        says: `pay ${n} by ${method}: ${amount}`,
        decide: receivePayment({ ...about, amount: { amount, currency } }),
        expected: expected(),
      },
      apply: () => model.payments.set(n, { amount, voided: false, byCard }),
    };
  };

const voiding =
  (n: number): Step =>
  (model) => {
    const payment = model.payments.get(n);
    const expected = (): string => {
      if (!payment) return 'NOT_FOUND';
      if (payment.voided) return 'nothing';
      if (payment.byCard) return 'PAID_BY_STRIPE';
      return payment.amount > model.refundable ? 'PAYMENT_REFUNDED' : 'events';
    };
    return {
      ...{ says: `void ${n}`, decide: voidPayment({ invoiceId: i1, paymentId: idOf(`pay${n}`), reason: null }), expected: expected() },
      apply: () => (payment!.voided = true),
    };
  };

const adjust =
  (n: number, share: number, back: boolean): Step =>
  (model, currency) => {
    const most = model.issued && (back ? 0 - model.discounts : model.total + model.adjustments);
    const amount = partOf(most, share) * (back ? 1 : -1);
    const expected = (): string => {
      if (!model.issued) return 'NOT_FOUND';
      if (model.known.has(n)) return 'nothing';
      if (model.atZero) return 'ADJUSTED_TO_ZERO';
      if (model.total + model.adjustments + amount < 0) return 'ADJUSTED_BELOW_ZERO';
      return model.discounts + amount > 0 ? 'NOT_TAKEN_OFF' : 'events';
    };
    const about = { invoiceId: i1, adjustmentId: idOf(`adj${n}`), reason: null };
    return {
      ...{ says: `adjust ${n}: ${amount}`, decide: adjustInvoice({ ...about, adjustment: { amount, currency } }), expected: expected() },
      apply: () => {
        model.known.add(n);
        model.discounts += amount;
      },
    };
  };

const writingOff =
  (n: number): Step =>
  (model) => {
    const losses = model.refundsWith(({ outcome, status }) => outcome === 'outstandingBalance' && status === 'succeeded');
    const unpaid = model.issued ? model.balance - losses : 0;
    return {
      says: `write off ${n}`,
      decide: writeOff({ invoiceId: i1, adjustmentId: idOf(`adj${n}`), reason: null }),
      expected: !model.issued ? 'NOT_FOUND' : model.known.has(n) || unpaid <= 0 ? 'nothing' : 'events',
      apply: () => {
        model.known.add(n);
        model.discounts -= unpaid;
      },
    };
  };

/** What refunds that wait for Stripe will take off. */
const lowering = (model: Model): number =>
  model.refundsWith(({ outcome, status }) => outcome === 'noOutstandingBalance' && status === 'pending');

const refund =
  (n: number, share: number, outcome: RefundOutcome): Step =>
  (model, currency) => {
    const refundId = idOf(`refund${n}`);
    const amount = partOf(model.issued && model.refundable, share);
    const off = outcome === 'noOutstandingBalance' ? amount : 0;
    const expected = (): string => {
      if (!model.issued) return 'NOT_FOUND';
      if (model.refunds.has(refundId)) return 'nothing';
      if (amount > model.refundable) return 'REFUND_ABOVE_PAID';
      return off > 0 && model.total + model.adjustments - lowering(model) - off < 0 ? 'NOTHING_TO_DISCOUNT' : 'events';
    };
    const about = { invoiceId: i1, refundId, method: 'cash' as const, reference: null, notes: null };
    return {
      says: `refund ${n}: ${amount}, ${outcome}`,
      decide: refundInvoice({ ...about, amount: { amount, currency }, outcome, refundedOn: '2027-01-31' }),
      expected: expected(),
      apply: () => {
        model.refunds.set(refundId, { amount, outcome, status: 'succeeded', of: null, off, fact: false, begun: true });
        model.lowered += off;
      },
    };
  };

const purchaseOf = (n: number): string => idOf(`purchase${n}`);

/** H6: of a payment by card, or of the only one. */
const request =
  (n: number, of: number | null, share: number, outcome: RefundOutcome): Step =>
  (model, currency) => {
    const refundId = idOf(`refund${n}`);
    const cards = [...model.payments].flatMap(([which, { byCard }]) => (byCard && (of ?? which) === which ? [which] : []));
    const open = cards.filter((which) => model.leftOf(which) > 0);
    const payment = open[0] ?? cards[0];
    const wanted = partOf(payment === undefined ? 0 : model.leftOf(payment), share);
    const amount = currency === 'KWD' && share % 4 > 0 ? Math.ceil(wanted / 10) * 10 : wanted; // by card, dinars end in 0
    const expected = (): string => {
      if (!model.issued) return 'NOT_FOUND';
      if (model.refunds.has(refundId)) return 'nothing';
      if (payment === undefined) return 'NOT_PAID_BY_STRIPE';
      if (open.length > 1) return 'WHICH_PAYMENT';
      if (amount > model.leftOf(payment)) return 'REFUND_ABOVE_PAYMENT';
      if (currency === 'KWD' && amount % 10 > 0) return 'AMOUNT_NOT_BY_CARD';
      if (amount > model.refundable) return 'REFUND_ABOVE_PAID';
      const off = outcome === 'noOutstandingBalance' ? amount + lowering(model) : 0;
      return off > 0 && model.total + model.adjustments - off < 0 ? 'NOTHING_TO_DISCOUNT' : 'events';
    };
    const about = { invoiceId: i1, refundId, paymentId: of === null ? null : idOf(`pay${of}`), reference: null, notes: null };
    return {
      says: `request ${n} of ${of}: ${amount}, ${outcome}`,
      decide: requestRefund({ ...about, amount: { amount, currency }, outcome, requestedOn: '2027-01-31' }),
      expected: expected(),
      apply: () => model.refunds.set(refundId, { amount, outcome, status: 'pending', of: payment!, off: 0, fact: false, begun: false }),
    };
  };

type Said = Pick<RefundAtStripe, 'stripeRefundId' | 'refundId' | 'status'> & { amount: number };

/** What Stripe says of one refund of a payment by card; of any other payment it says nothing. */
const heard = (model: Model, currency: string, of: number | undefined, { amount, ...said }: Said): Command => {
  const purchaseId = purchaseOf(of ?? 0);
  const ours = said.refundId !== null && model.refunds.has(said.refundId) ? said.refundId : undefined;
  const refundId = ours ?? idFor(purchaseId, said.stripeRefundId ?? 'refund');
  const known = model.refunds.get(refundId);
  const late = known?.status === 'failed' && !known.begun;
  const expected = (): string => {
    if (of === undefined) return 'nothing';
    if (said.status === 'succeeded') return !known || known.status === 'pending' || late ? 'events' : 'nothing';
    return said.status === 'failed' && known && known.status !== 'failed' ? 'events' : 'nothing';
  };
  const told = { ...said, amount: { amount, currency }, reason: said.status === 'failed' ? 'declined' : null };
  const decide = bringIn({ invoiceId: i1, purchaseId, on: '2027-02-10', refunds: [told], disputes: [] });
  return {
    ...{ says: `Stripe says of ${of}: ${JSON.stringify(told)}`, decide: of === undefined ? () => [] : decide, expected: expected() },
    apply: () => (said.status === 'succeeded' ? givenBack(model, refundId, { amount, of: of!, late }) : cameBack(model, known!, said)),
  };
};

const givenBack = (model: Model, refundId: string, { amount, of, late }: { amount: number; of: number; late: boolean }): void => {
  const there: ModelRefund = { amount, outcome: 'outstandingBalance', status: 'succeeded', of, off: 0, fact: true, begun: true };
  const refund = model.refunds.get(refundId) ?? there;
  const off = refund.outcome === 'noOutstandingBalance' ? Math.min(refund.amount, model.total + model.adjustments) : 0;
  model.refunds.set(refundId, { ...refund, status: 'succeeded', off, fact: refund.fact || late, begun: true });
  model.lowered += off;
};

const cameBack = (model: Model, refund: ModelRefund, { stripeRefundId }: Pick<Said, 'stripeRefundId'>): void => {
  if (refund.status === 'succeeded') {
    const off = Math.min(refund.off, model.lowered);
    model.lowered -= off;
    if (model.atZero) model.toZero += off;
  }
  Object.assign(refund, { status: 'failed', begun: stripeRefundId !== null || refund.status === 'succeeded' });
};

/** Of the nth refund of ours through Stripe, if there is one. `begun`: Stripe had taken it up. */
const settling =
  (n: number, status: RefundAtStripe['status'], begun: boolean): Step =>
  (model, currency) => {
    const refundId = idOf(`refund${n}`);
    const { of = null, amount = 1, status: was } = model.refunds.get(refundId) ?? {};
    const stripeRefundId = begun || status === 'succeeded' || was === 'succeeded' ? `re_${n}` : null;
    return heard(model, currency, of ?? undefined, { refundId, stripeRefundId, status, amount });
  };

/** In Stripe's dashboard: nothing there asks for our rules. */
const inDashboard =
  (n: number, of: number, share: number, status: RefundAtStripe['status']): Step =>
  (model, currency) => {
    const payment = model.payments.get(of);
    const stripeRefundId = `re_there_${n}`;
    const amount = model.refunds.get(idFor(purchaseOf(of), stripeRefundId))?.amount ?? partOf(payment?.amount, share);
    return heard(model, currency, payment?.byCard ? of : undefined, { refundId: null, stripeRefundId, status, amount });
  };

const RANK = { open: 0, won: 1, lost: 2 };

const disputing =
  (of: number, status: 'open' | 'won' | 'lost'): Step =>
  (model, currency) => {
    const payment = model.payments.get(of);
    const known = model.disputes.get(of);
    const dispute = { disputeId: `dp_${of}`, amount: { amount: payment?.amount ?? 0, currency }, status, reason: 'fraudulent' };
    const decide = bringIn({ invoiceId: i1, purchaseId: purchaseOf(of), on: '2027-02-10', refunds: [], disputes: [dispute] });
    return {
      says: `dispute of ${of}: ${status}`,
      decide: payment?.byCard ? decide : () => [],
      expected: payment?.byCard && (known === undefined || RANK[known] < RANK[status]) ? 'events' : 'nothing',
      apply: () => {
        model.disputes.set(of, status);
        if (status === 'lost') givenBack(model, idFor(purchaseOf(of), `dp_${of}`), { amount: payment!.amount, of, late: false });
      },
    };
  };

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);

/** So many per cent of it, at least 1: over 100 it is too much. */
const partOf = (of: number | undefined, share: number): number => Math.max(1, Math.round((Math.max(0, of ?? 0) * share) / 100));

const aRate = fc.constantFrom('5', '9.975', '13', '0.333333', '100');
const lines = fc.array(fc.tuple(fc.integer({ min: 0, max: 1_000_000 }), fc.uniqueArray(aRate, { maxLength: 3 })), {
  ...{ minLength: 1, maxLength: 3 },
});
type Lines = (readonly [number, readonly string[]])[];
const aShare = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(100, 100, 101, 150) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 99 }) },
);
const anId = fc.integer({ min: 1, max: 6 });
const aStatus = fc.constantFrom('pending', 'succeeded', 'succeeded', 'failed');
const anOutcome = fc.constantFrom<RefundOutcome>('outstandingBalance', 'noOutstandingBalance');

const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(anId, aShare).map((said) => pay(...said)) },
  { weight: 4, arbitrary: fc.tuple(anId, aShare).map((said) => pay(...said, true)) },
  { weight: 3, arbitrary: fc.tuple(anId, aShare, anOutcome).map((said) => refund(...said)) },
  { weight: 5, arbitrary: fc.tuple(anId, fc.option(anId), aShare, anOutcome).map((said) => request(...said)) },
  { weight: 6, arbitrary: fc.tuple(anId, aStatus, fc.boolean()).map((said) => settling(...said)) },
  { weight: 2, arbitrary: fc.tuple(anId, anId, aShare, aStatus).map((said) => inDashboard(...said)) },
  { weight: 1, arbitrary: fc.tuple(anId, fc.constantFrom('open', 'won', 'lost')).map((said) => disputing(...said)) },
  { weight: 2, arbitrary: anId.map(voiding) },
  { weight: 2, arbitrary: fc.tuple(anId, aShare, fc.boolean()).map((said) => adjust(...said)) },
  { weight: 1, arbitrary: anId.map(writingOff) },
  { weight: 1, arbitrary: lines.map(reissue) },
  { weight: 1, arbitrary: lines.map(issue) },
  { weight: 1, arbitrary: fc.constant(toZero) },
  { weight: 1, arbitrary: fc.constant(fromZero) },
);
const cases = fc.record({
  currency: fc.constantFrom(...CURRENCIES),
  steps: fc
    .tuple(fc.nat(9), lines, fc.array(aStep, { maxLength: 40, size: 'max' }))
    .map(([chance, first, rest]) => [...(chance > 0 ? [issue(first)] : []), ...rest]),
});

const fold = (history: readonly InvoiceEvent[]): InvoiceState => history.reduce(invoice.evolve, structuredClone(invoice.initial));

const outcomeOf = ({ decide }: Command, state: InvoiceState): InvoiceEvent[] | string => {
  try {
    return decide(state);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

/** Lines + taxes − what was taken off − payments + refunds is what is owing, and nothing is charged, paid or refunded that can't be. */
const assertSame = (state: InvoiceState, model: Model, currency: string): void => {
  if (state.status === 'none') return expect(model.issued).toBeUndefined();
  const { total, adjustments, discounts, paid, refunded, pending, balance } = model;
  const money = { total, adjustments, discounts, paid, refunded, pending, balance };
  const said = Object.fromEntries(Object.keys(money).map((name) => [name, state[name as keyof typeof money]]));
  expectSame(said, Object.fromEntries(Object.entries(money).map(([name, amount]) => [name, { amount, currency }])));
  expect(total + adjustments).toBeGreaterThanOrEqual(0);
  expect(adjustments).toBeLessThanOrEqual(0);
  expect(model.refundsWith(({ fact, status }) => !fact && status !== 'failed')).toBeLessThanOrEqual(paid);
};

/** Every command in turn, each so many times: both sides agree on what becomes of it, and the decision leaves its state alone. */
const run = ({ currency, steps }: { currency: string; steps: readonly Step[] }, times = 1): InvoiceEvent[] => {
  const model = new Model();
  const history: InvoiceEvent[] = [];
  let state = fold([]);
  for (const step of steps) {
    const command = step(model, currency);
    const { expected, again = 'nothing' } = command;
    for (let time = 0; time < times; time += 1) {
      const before = structuredClone(state);
      const outcome = outcomeOf(command, state);
      expectSame(state, before);
      const became = typeof outcome === 'string' ? outcome : outcome.length === 0 ? 'nothing' : 'events';
      expectSame([command.says, became], [command.says, time > 0 && expected === 'events' ? again : expected]);
      if (typeof outcome === 'string' || outcome.length === 0) continue;
      command.apply();
      history.push(...outcome);
      state = outcome.reduce(invoice.evolve, state);
      assertSame(state, model, currency);
    }
  }
  expectSame(fold(history), state);
  return history;
};

describe('an invoice under any commands', () => {
  const runs = { numRuns: 100 };

  it('D2, E9, H5, H6, J2: lines + taxes − adjustments − payments + refunds = balance, in currencies of 0, 2 and 3 decimals', () =>
    fc.assert(
      fc.property(cases, (given) => void run(given)),
      runs,
    ));
  it('D5: also when each command comes twice', () =>
    fc.assert(
      fc.property(cases, (given) => void run(given, 2)),
      runs,
    ));
  it('J2: every event says what is owing after it', () =>
    fc.assert(
      fc.property(cases, (given) => {
        let state = fold([]);
        for (const event of run(given)) {
          state = invoice.evolve(state, event);
          const { total, paid, refunded } = state as IssuedInvoice;
          const { adjustments, balance } = event.data;
          expect(total.amount + adjustments.amount - paid.amount + refunded.amount).toBe(balance.amount);
        }
      }),
      runs,
    ));
  it('J5, K1: every figure is explained: what the events add to it, one after the other, adds up to it', () =>
    fc.assert(
      fc.property(cases, (given) => {
        const history = run(given);
        const state = fold(history);
        fc.pre(state.status === 'issued');
        const { lines } = history.findLast((event) => event.type === 'InvoiceIssued' || event.type === 'InvoiceReissued')!
          .data as InvoiceContent;
        const taxes = lines.flatMap(({ taxes }) => taxes.map(({ amount }) => amount.amount));
        const net = sumOf(lines.map((line) => line.net.amount));
        for (const figure of INVOICE_FIGURES) {
          const shares = explainInvoice(recorded(history), figure);
          expect(shares.map(({ sum }) => sum)).toEqual(shares.map((_, n) => sumOf(shares.slice(0, n + 1).map(({ adds }) => adds!))));
          const shown = figure === 'net' ? net : figure === 'tax' ? sumOf(taxes) : state[figure].amount;
          expect([figure, shares.at(-1)?.sum ?? 0]).toEqual([figure, shown]);
        }
      }),
      runs,
    ));
  it('J2, J5, K1: each row of the report of sales is explained, after each event, and before its invoice is issued', () =>
    fc.assert(
      fc.property(cases, (given) => {
        const history = run(given);
        fc.pre(history.length > 0);
        const [sale, ...invoiced] = recorded<PackageEvent | InvoiceEvent>([
          sold({ invoice: history[0]!.data as InvoiceContent }),
          ...history,
        ]);
        const rows = new Map<string, PackageSalesRow>();
        [sale!, ...invoiced].forEach((event, n) => {
          const row = foldRows(packageSales, rows, [event]).get(p)!;
          for (const figure of SALES_FIGURES) {
            const shares = explainSale([sale as Recorded<PackageEvent>], invoiced.slice(0, n) as Recorded<InvoiceEvent>[], figure);
            expectSame([n, figure, shares.at(-1)?.sum ?? 0], [n, figure, figure === 'packages' ? 1 : row[figure]]);
          }
        });
      }),
      runs,
    ));
  it('K1: each event folded twice does no harm, and every event fits its stored shape', () =>
    fc.assert(
      fc.property(cases, (given) => {
        const history = run(given);
        expect(fold(history.flatMap((event) => [event, event]))).toEqual(fold(history));
        for (const { type, data } of history) expect(invoice.events.find((event) => event.type === type)!.data.parse(data)).toEqual(data);
      }),
      runs,
    ));

  it('H6, H7: in whichever order refunds are asked for, confirmed, refused or come back, the tax of those that stand is exact', () =>
    fc.assert(
      fc.property(cases, (given) => {
        const history = run(given);
        fc.pre(!history.some(({ type }) => type === 'InvoiceReissued'));
        const state = fold(history);
        fc.pre(state.status === 'issued' && state.total.amount > 0);
        const { taxes, refunded, total } = state;
        const parts = history.flatMap((event) => {
          if (event.type !== 'InvoiceRefunded' && event.type !== 'InvoiceRefundReturned') return [];
          return [event.data.taxes.map(({ amount }) => (event.type === 'InvoiceRefunded' ? amount.amount : -amount.amount))];
        });
        expect(taxes.map((_, n) => sumOf(parts.map((part) => part[n]!)))).toEqual(
          taxes.map(({ amount }) => inProportion(amount, refunded.amount, total.amount).amount),
        );
      }),
      runs,
    ));

  it('H7: however a refund of all is parted, each tax of each line comes back exactly', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...CURRENCIES),
        lines,
        fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 8 }),
        (currency, nets, shares) => {
          const content = contentOf(nets, currency);
          fc.pre(content.total.total.amount > 0);
          const all: Step[] = [issue(nets), pay(1, 100), ...shares.map((share, n) => refund(n + 2, share, 'outstandingBalance'))];
          const history = run({ currency, steps: [...all, refund(99, 100, 'outstandingBalance')] });
          const refunds = history.flatMap((event) => (event.type === 'InvoiceRefunded' ? [event.data] : []));
          const taxes = content.lines.flatMap((line) => line.taxes);
          expect(taxes.map((_, n) => sumOf(refunds.map((part) => part.taxes[n]!.amount.amount)))).toEqual(
            taxes.map(({ amount }) => amount.amount),
          );
          for (const { tax, taxes: parts } of refunds) expect(tax.amount).toBe(sumOf(parts.map(({ amount }) => amount.amount)));
        },
      ),
      runs,
    ));
});
