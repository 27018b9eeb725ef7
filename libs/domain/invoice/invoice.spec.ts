import { anna, cad, gst, idOf, massage, qst } from '../testing/example.js';
import { invoiceContent, issued, regularFee } from '../testing/example-invoice.js';
import { p } from '../testing/example-package.js';
import { given } from '../testing/given.js';
import { adjustToZero, issueInvoice, reissueInvoice, undoAdjustment } from './invoice.decisions.js';
import type { InvoiceEvent } from './invoice.events.js';
import { invoice } from './invoice.state.js';

const anInvoice = given(invoice);
const about = { invoiceId: idOf('i1'), clientId: anna };
const content = regularFee([gst, qst]); // 100.00 + 5.00 + 9.98
const fromPackage = invoiceContent({ packageId: p, lines: [{ description: 'Massage (Relax)', serviceId: massage, net: cad(0) }] });

const adjusted = (adjustment: number, balance: number): InvoiceEvent => ({
  type: 'InvoiceAdjustedToZero',
  data: { ...about, because: 'cancelled', adjustment: cad(adjustment), balance: cad(balance) },
});
const undone = (adjustment: number, balance: number): InvoiceEvent => ({
  type: 'InvoiceAdjustmentUndone',
  data: { ...about, adjustment: cad(adjustment), balance: cad(balance) },
});
const reissued = (lines: typeof content): InvoiceEvent => ({ type: 'InvoiceReissued', data: { ...lines, balance: lines.total.total } });

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
      .emits([adjusted(114_98, 0)]));
  it('E9: once', () =>
    anInvoice([issued(content), adjusted(114_98, 0)])
      .when(adjust)
      .emits([]));
  it('E9: what was paid shows as credit', () =>
    anInvoice([issued(content, cad(14_98))])
      .when(adjust)
      .emits([adjusted(114_98, -100_00)]));
  it('E9: also when nothing was owing', () =>
    anInvoice([issued(fromPackage)])
      .when(adjust)
      .emits([adjusted(0, 0)]));
  it('A3: must be there', () => anInvoice([]).when(adjust).refuses('NOT_FOUND'));

  it('H1: owes again once the no-show is undone', () =>
    anInvoice([issued(content), adjusted(114_98, 0)])
      .when(undoAdjustment(idOf('i1')))
      .emits([undone(114_98, 114_98)]));
  it('H1: what was paid counts again', () =>
    anInvoice([issued(content, cad(14_98)), adjusted(114_98, -100_00)])
      .when(undoAdjustment(idOf('i1')))
      .emits([undone(114_98, 14_98)]));
  it('H1: once', () =>
    anInvoice([issued(content)])
      .when(undoAdjustment(idOf('i1')))
      .emits([]));
  it('H1: and can be adjusted again after that', () =>
    anInvoice([issued(content), adjusted(114_98, 0), undone(114_98, 114_98)])
      .when(adjust)
      .emits([adjusted(114_98, 0)]));
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
    anInvoice([issued(content), adjusted(114_98, 0), undone(114_98, 114_98)])
      .when(reissueInvoice(fromPackage))
      .emits([reissued(fromPackage)]));
  it('E9: a cancelled appointment owes nothing, though its package was applied before and the re-issue comes late', () => {
    const cancelled = [issued(content), adjusted(114_98, 0)];
    const late = cancelled.reduce(invoice.evolve, invoice.initial);
    const after = reissueInvoice(content)(late).reduce(invoice.evolve, late);
    expect(after).toMatchObject({ balance: cad(0) });
  });
});
