import type { Schemas } from '../../libs/api-client/index.js';
import type { Caller } from '../support/caller.js';
import type { Clinic, Sold } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';

type Payment = Schemas['PaymentBody'];

// The offering of the clinic: 300.00 and both taxes, 344.93 in all.
const TOTAL = 34_493;

withProjectorAlone((at) => {
  let clinic: Clinic;
  let owner: Caller;
  beforeAll(() => {
    clinic = at();
    ({ owner } = clinic);
  });

  const cash = (amount: number, more: Partial<Payment> = {}): Payment => ({ amount: clinic.money(amount), method: 'cash', ...more });
  const invoice = (whose: { invoiceId: string }) => clinic.invoice(whose);
  const sold = async (payment?: Payment): Promise<Sold> => {
    const sale = await clinic.sell({}, { payment });
    await clinic.service.settled();
    return sale;
  };
  const pay = ({ invoiceId }: { invoiceId: string }, body: Payment) => owner.call('invoices.pay', { path: { invoiceId }, body });

  describe('a sale with a payment', () => {
    it('D2: all of it', async () => {
      expect(await invoice(await sold(cash(TOTAL)))).toMatchObject({
        ...{ status: 'paid', total: TOTAL, paid: TOTAL, balance: 0 },
        payments: [{ amount: clinic.money(TOTAL), method: 'cash', reference: null, voided: false }],
      });
    });
    it('D2: a part of it; the rest stays owing and is paid later there', async () => {
      const sale = await sold({ amount: clinic.money(10_000), method: 'other', reference: 'gift card 77' });
      expect(await invoice(sale)).toMatchObject({ status: 'partlyPaid', paid: 10_000, balance: TOTAL - 10_000 });
      expect(await pay(sale, cash(TOTAL - 10_000))).toMatchObject({ paid: TOTAL, balance: 0 });
      expect(await invoice(sale)).toMatchObject({ status: 'paid', payments: [{ reference: 'gift card 77' }, { method: 'cash' }] });
    });
    it('D2: none', async () => expect(await invoice(await sold())).toMatchObject({ status: 'unpaid', paid: 0, balance: TOTAL }));
    it('D2: never more than it comes to, and then nothing has happened', async () => {
      const offeringId = await clinic.offering();
      const clientId = await clinic.client();
      const sale = (payment: object) => ({ body: { offeringId, clientId, payment } });
      expect(await owner.refused(409, 'POST', '/v1/packages', sale(cash(TOTAL + 1)))).toMatchObject({ code: 'OVERPAID' });
      const { errors } = await owner.refused(
        400,
        'POST',
        '/v1/packages',
        sale({ amount: { amount: 0, currency: 'CAD' }, method: 'stripe' }),
      );
      const byCard = ['/payment/amount/amount', '/payment/successUrl', '/payment/cancelUrl'];
      expect(errors?.map(({ field }) => field)).toEqual(byCard);
      const other = await owner.refused(400, 'POST', '/v1/packages', sale(cash(1, { method: 'other' })));
      expect(other.errors).toMatchObject([{ field: '/payment/reference', code: 'REQUIRED' }]);
      const dollars = await owner.refused(400, 'POST', '/v1/packages', sale({ amount: { amount: 1, currency: 'USD' }, method: 'cash' }));
      expect(dollars.errors).toMatchObject([{ field: '/payment/amount/currency', code: 'WRONG_CURRENCY' }]);
      expect(await owner.get(`/v1/offerings/${offeringId}`)).toMatchObject({ locked: false, sold: 0 });
      expect((await owner.call('packages.list', { query: { clientId } })).items).toEqual([]);
    });
    it('C5: a sale that is refused locks nothing', async () => {
      const offeringId = await clinic.offering();
      const booked = await clinic.bookWithout({ serviceId: clinic.has.facial });
      await clinic.service.settled();
      const body = { ...{ offeringId, clientId: booked.clientId }, appointmentId: booked.appointmentId, applyToAppointment: true };
      expect(await owner.refused(409, 'POST', '/v1/packages', { body })).toMatchObject({ code: 'SERVICE_NOT_IN_PACKAGE' });
      expect(await owner.get(`/v1/offerings/${offeringId}`)).toMatchObject({ locked: false, sold: 0 });
    });
    it('D1, E9: is not applied to an appointment that is paid', async () => {
      const offeringId = await clinic.offering();
      const booked = await clinic.bookWithout();
      await clinic.service.settled();
      await pay(booked, cash(1_000));
      const body = { ...{ offeringId, clientId: booked.clientId }, appointmentId: booked.appointmentId, applyToAppointment: true };
      expect(await owner.refused(409, 'POST', '/v1/packages', { body })).toMatchObject({ code: 'INVOICE_PAID' });
      expect(await owner.get(`/v1/offerings/${offeringId}`)).toMatchObject({ locked: false, sold: 0 });
      expect((await owner.call('packages.list', { query: { clientId: booked.clientId } })).items).toEqual([]);
    });
    it('A3, D2: all that is wrong with it is named', async () => {
      const payment = { amount: { amount: 1, currency: 'USD' }, method: 'other' };
      const ids = { offeringId: await clinic.offering(), clientId: await clinic.client() };
      const wrong = await owner.refused(400, 'POST', '/v1/packages', { body: { ...ids, applyToAppointment: true, payment } });
      expect(wrong.errors?.map(({ field }) => field).sort()).toEqual(['/appointmentId', '/payment/amount/currency', '/payment/reference']);
      const nobody = '00000000-0000-4000-8000-000000000000';
      const unknown = await owner.refused(404, 'POST', '/v1/packages', {
        body: { offeringId: nobody, clientId: nobody, appointmentId: nobody },
      });
      expect(unknown.errors?.map(({ field }) => field)).toEqual(['/clientId', '/offeringId', '/appointmentId']);
    });
    it('C4: nothing is paid for a package of which each appointment is', async () => {
      const offeringId = await clinic.offering(clinic.eachAppointment());
      const body = { offeringId, clientId: await clinic.client(), payment: cash(1) };
      expect(await owner.refused(409, 'POST', '/v1/packages', { body })).toMatchObject({ code: 'NOTHING_OWING' });
    });
    it('D5: the same request sent twice sells and pays once', async () => {
      const body = { offeringId: await clinic.offering(), clientId: await clinic.client(), payment: cash(TOTAL) };
      const sell = () => owner.call('packages.sell', { body, idempotencyKey: 'sale and payment' });
      const [one, two] = await Promise.all([sell(), sell()]);
      expect(two.packageId).toBe(one.packageId);
      expect(await invoice(one)).toMatchObject({ paid: TOTAL, payments: [{ amount: clinic.money(TOTAL) }] });
    });
  });

  describe('money on an invoice', () => {
    it('D2: overpaying is refused, telling what is owing', async () => {
      const sale = await sold(cash(30_000));
      const refusal = await owner.refused(409, 'POST', `/v1/invoices/${sale.invoiceId}/payments`, { body: cash(4_494) });
      expect(refusal).toMatchObject({ code: 'OVERPAID', details: { balance: clinic.money(4_493) } });
      await pay(sale, cash(4_493));
      expect(await owner.refused(409, 'POST', `/v1/invoices/${sale.invoiceId}/payments`, { body: cash(1) })).toMatchObject({
        code: 'NOTHING_OWING',
      });
    });
    it('D2: a payment is voided with a reason, and stays in the list and the history', async () => {
      const sale = await sold();
      const { invoiceId } = sale;
      const { paymentId } = await pay(sale, cash(5_000));
      const undo = () =>
        owner.call('invoices.voidPayment', { path: { invoiceId, paymentId: paymentId! }, body: { reason: 'the wrong client' } });
      expect(await undo()).toMatchObject({ paid: 0, balance: TOTAL });
      expect(await undo()).toMatchObject({ paid: 0, balance: TOTAL });
      expect(await invoice(sale)).toMatchObject({ status: 'unpaid', payments: [{ paymentId, voided: true, reason: 'the wrong client' }] });
      const { items } = await owner.call('invoices.readHistory', { path: { invoiceId } });
      expect(items.map(({ type }) => type)).toEqual(['InvoiceIssued', 'PaymentReceived', 'PaymentVoided']);
      expect(items[1]!.after).toMatchObject({ paid: clinic.money(5_000), balance: clinic.money(TOTAL - 5_000) });
      expect(items[2]).toMatchObject({ reason: 'the wrong client', after: { paid: clinic.money(0), balance: clinic.money(TOTAL) } });
    });
    it('A2, D2: an overall adjustment takes off, and can be taken back', async () => {
      const sale = await sold();
      const path = `/v1/invoices/${sale.invoiceId}/adjustments`;
      const by = (amount: number) => ({ adjustment: clinic.money(amount), reason: 'a loyal client' });
      const adjust = (amount: number) => owner.call('invoices.adjust', { path: { invoiceId: sale.invoiceId }, body: by(amount) });
      expect(await adjust(-4_493)).toMatchObject({ total: TOTAL, adjustments: -4_493, balance: 30_000 });
      expect(await owner.refused(409, 'POST', path, { body: by(-30_001) })).toMatchObject({ code: 'ADJUSTED_BELOW_ZERO' });
      expect(await adjust(4_493)).toMatchObject({ adjustments: 0, balance: TOTAL });
      expect(await owner.refused(409, 'POST', path, { body: by(1) })).toMatchObject({ code: 'NOT_TAKEN_OFF' });
    });
    it('D2: an adjustment of nothing is none', async () => {
      const { invoiceId } = await sold();
      const body = { adjustment: clinic.money(0) };
      const { errors } = await owner.refused(400, 'POST', `/v1/invoices/${invoiceId}/adjustments`, { body });
      expect(errors).toMatchObject([{ field: '/adjustment/amount', code: 'ZERO' }]);
    });
    it('A2, H4: writing off what is owing is an overall adjustment: for owners and administrators', async () => {
      const { packageId } = await sold();
      const receptionist = await clinic.as('receptionist');
      const path = `/v1/packages/${packageId}/cancel`;
      expect(await receptionist.refused(403, 'POST', path, { body: { unpaid: 'writeOff' } })).toMatchObject({
        ...{ code: 'FORBIDDEN', details: { role: 'receptionist', needs: ['invoices:adjust'] } },
      });
      expect(await receptionist.post(path, {})).toMatchObject({ status: 'cancelled' });
    });
    it('E9: what was paid for an appointment that is cancelled shows as credit, and is given back', async () => {
      const booked = await clinic.bookWithout(); // 80.00, 4.00, 7.98
      await clinic.service.settled();
      await pay(booked, cash(9_198));
      await clinic.end(booked, 'cancel');
      expect(await invoice(booked)).toMatchObject({ status: 'credit', adjustments: -9_198, paid: 9_198, balance: -9_198 });
      const path = `/v1/invoices/${booked.invoiceId}/refunds`;
      const refund = { ...cash(9_198), outcome: 'outstandingBalance' as const, notes: 'ill' };
      expect(await owner.refused(409, 'POST', path, { body: { ...refund, outcome: 'noOutstandingBalance' } })).toMatchObject({
        code: 'NOTHING_TO_DISCOUNT',
      });
      expect(await owner.call('invoices.refund', { path: { invoiceId: booked.invoiceId }, body: refund })).toMatchObject({
        refunded: 9_198,
        balance: 0,
      });
      expect(await owner.refused(409, 'POST', path, { body: { ...refund, amount: clinic.money(1) } })).toMatchObject({
        code: 'REFUND_ABOVE_PAID',
      });
      expect(await invoice(booked)).toMatchObject({
        ...{ status: 'nothingOwing', balance: 0 },
        refunds: [{ amount: clinic.money(9_198), tax: clinic.money(1_198), outcome: 'outstandingBalance', notes: 'ill' }],
      });
    });
    it('H4: what was paid for a package is refunded through the package', async () => {
      const sale = await sold(cash(TOTAL));
      const body = { ...cash(1), outcome: 'outstandingBalance' };
      expect(await owner.refused(409, 'POST', `/v1/invoices/${sale.invoiceId}/refunds`, { body })).toMatchObject({
        ...{ code: 'REFUND_THE_PACKAGE', details: { packageId: sale.packageId } },
      });
    });
    it('L4: If-Match is honoured', async () => {
      const sale = await sold();
      const path = `/v1/invoices/${sale.invoiceId}/payments`;
      const { status } = await owner.send('POST', path, { body: cash(1), headers: { 'if-match': '"7"' } });
      expect(status).toBe(412);
      expect((await owner.send('POST', path, { body: cash(1), headers: { 'if-match': '"0"' } })).status).toBe(201);
    });
    it('D2: the list tells what is owing', async () => {
      const [owing, paid] = [await sold(), await sold(cash(TOTAL))];
      await clinic.invoice(owing);
      const idsOf = async (query: { clientId: string; owing: boolean }) =>
        (await owner.call('invoices.list', { query: { limit: 200, kind: 'package', ...query } })).items.map(({ invoiceId }) => invoiceId);
      expect(await idsOf({ clientId: owing.clientId, owing: true })).toEqual([owing.invoiceId]);
      expect(await idsOf({ clientId: owing.clientId, owing: false })).toEqual([]);
      expect(await idsOf({ clientId: paid.clientId, owing: false })).toEqual([paid.invoiceId]);
    });
  });
});
