import { cad, gst, idOf, massage, qst } from '../testing/example.js';
import { adjustedToZero, adjustmentUndone, invoiceContent, issued, regularFee, reissued } from '../testing/example-invoice.js';
import { p } from '../testing/example-package.js';
import { deliveries } from '../testing/deliveries.js';
import { given } from '../testing/given.js';
import { adjustToZero, issueInvoice, reissueInvoice, undoAdjustment } from './invoice.decisions.js';
import { invoice, type IssuedInvoice } from './invoice.state.js';

const anInvoice = given(invoice);
const content = regularFee([gst, qst]); // 100.00 + 5.00 + 9.98
const fromPackage = invoiceContent({ packageId: p, lines: [{ description: 'Massage (Relax)', serviceId: massage, net: cad(0) }] });

describe('an invoice', () => {
  it('A4: its totals are the sums of its lines, each tax of each line rounded by itself', () => {
    const line = { description: 'Massage', serviceId: massage, net: cad(10), taxes: [gst] }; // 0.5 of a cent each
    expect(invoiceContent({ lines: [line, line, line] }).total).toEqual({ net: cad(30), tax: cad(3), total: cad(33) });
  });
  it('E9: is issued, and owes its total', () => {
    anInvoice([])
      .when(issueInvoice(content))
      .emits([issued(content)]);
    expect(content.total).toEqual({ net: cad(100_00), tax: cad(14_98), total: cad(114_98) });
  });
  it('D3: with zero total, for tracking', () =>
    anInvoice([])
      .when(issueInvoice(fromPackage))
      .emits([issued(fromPackage, cad(0))]));
  it('D5: once', () =>
    anInvoice([issued(content)])
      .when(issueInvoice(content))
      .emits([]));
});

describe('an invoice of an appointment that does not take place', () => {
  const adjust = adjustToZero(idOf('i1'), 'cancelled');

  it('E9: is adjusted to zero', () =>
    anInvoice([issued(content)])
      .when(adjust)
      .emits([adjustedToZero(114_98)]));
  it('E9: once', () =>
    anInvoice([issued(content), adjustedToZero(114_98)])
      .when(adjust)
      .emits([]));
  it('E9: what was paid shows as credit', () =>
    anInvoice([issued(content, cad(14_98))])
      .when(adjust)
      .emits([adjustedToZero(114_98, { balance: -100_00 })]));
  it('E9: also when nothing was owing', () =>
    anInvoice([issued(fromPackage)])
      .when(adjust)
      .emits([adjustedToZero(0)]));
  it('A3: must be there', () => anInvoice([]).when(adjust).refuses('NOT_FOUND'));

  it('H1: owes again once the no-show is undone', () =>
    anInvoice([issued(content), adjustedToZero(114_98)])
      .when(undoAdjustment(idOf('i1')))
      .emits([adjustmentUndone(114_98)]));
  it('H1: what was paid counts again', () =>
    anInvoice([issued(content, cad(14_98)), adjustedToZero(114_98, { balance: -100_00 })])
      .when(undoAdjustment(idOf('i1')))
      .emits([adjustmentUndone(114_98, 14_98)]));
  it('H1: once', () =>
    anInvoice([issued(content)])
      .when(undoAdjustment(idOf('i1')))
      .emits([]));
  it('H1: and can be adjusted again after that', () =>
    anInvoice([issued(content), adjustedToZero(114_98), adjustmentUndone(114_98)])
      .when(adjust)
      .emits([adjustedToZero(114_98)]));
});

describe('re-issuing an invoice', () => {
  it('E8, E9: with other lines', () =>
    anInvoice([issued(content)])
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage)]));
  it('E9: not while it is paid', () => {
    anInvoice([issued(content, cad(0))])
      .when(reissueInvoice(fromPackage))
      .refuses('INVOICE_PAID');
    anInvoice([issued(content, cad(100_00))])
      .when(reissueInvoice(fromPackage))
      .refuses('INVOICE_PAID');
  });
  it('E9: adjusted and undone, it is not paid', () =>
    anInvoice([issued(content), adjustedToZero(114_98), adjustmentUndone(114_98)])
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage)]));
  it('E9: a cancelled appointment owes nothing, though its package was applied before and the re-issue comes late', () => {
    const cancelled = [issued(content), adjustedToZero(114_98)];
    anInvoice(cancelled)
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage), adjustedToZero(0)]);
    const late = cancelled.reduce(invoice.evolve, invoice.initial);
    const after = reissueInvoice(content)(late).reduce(invoice.evolve, late);
    expect(after).toMatchObject({ adjustments: cad(-114_98), balance: cad(0) });
  });
  it('H1, E9: and owes what the new lines say once the no-show is undone', () =>
    anInvoice([
      ...[issued(content), adjustedToZero(114_98, { because: 'noShow' })],
      ...[reissued(regularFee()), adjustedToZero(100_00, { because: 'noShow' })],
    ])
      .when(undoAdjustment(idOf('i1')))
      .emits([adjustmentUndone(100_00)]));
  it('E9: adjusted for the reason for which it was before', () =>
    anInvoice([issued(content), adjustedToZero(114_98, { because: 'noShow' })])
      .when(reissueInvoice(regularFee()))
      .emits([reissued(regularFee()), adjustedToZero(100_00, { because: 'noShow' })]));
  it('A3: must be there', () => anInvoice([]).when(reissueInvoice(content)).refuses('NOT_FOUND'));
});

describe('folding an invoice', () => {
  const history = [
    ...[issued(content), adjustedToZero(114_98), adjustmentUndone(114_98)],
    ...[reissued(regularFee()), adjustedToZero(100_00), adjustmentUndone(100_00), adjustedToZero(100_00)],
  ];
  const fold = (events: typeof history) => events.reduce(invoice.evolve, invoice.initial);

  it.each(deliveries)('K1: is the same, events delivered %s', (_, delivered) => expect(fold(delivered(history))).toEqual(fold(history)));

  it.each(history.map((_, n) => [n + 1]))('J2: nothing paid, total + adjustments = balance: after %i', (n) => {
    const state = fold(history.slice(0, n)) as IssuedInvoice;
    expect(state.total.amount + state.adjustments.amount).toBe(state.balance.amount);
  });
});
