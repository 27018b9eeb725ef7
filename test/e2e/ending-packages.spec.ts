import { ReinstatePackage } from '../../libs/command-handling/commands/package-ending.commands.js';
import type { Money } from '../../libs/domain/kernel/shapes.js';
import type { Clinic, Sold } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';

interface Refunded {
  refunds: { refundId: string; amount: Money; tax: Money; outcome: string; refused: boolean }[];
}

withProjectorAlone((at, policies) => {
  let clinic: Clinic;
  beforeAll(() => (clinic = at()));

  const pathOf = ({ packageId }: Pick<Sold, 'packageId'>) => `/v1/packages/${packageId}`;
  const cancel = (sold: Sold, said: object = {}): Promise<Sold> => clinic.owner.post<Sold>(`${pathOf(sold)}/cancel`, said);
  const reinstate = (sold: Sold, said: object = {}): Promise<Sold> => clinic.owner.post<Sold>(`${pathOf(sold)}/reinstate`, said);
  const tagsOf = async (sold: Sold) => {
    await clinic.service.settled();
    const { items } = await clinic.owner.get<{ items: { what: string; from: string | null; to: string | null; reason: string | null }[] }>(
      `${pathOf(sold)}/audit-tags`,
    );
    return items;
  };

  describe('cancelling a package', () => {
    it('H4: what is unpaid is written off when asked, and only once', async () => {
      const sold = await clinic.sell();
      expect(await cancel(sold, { unpaid: 'writeOff', reason: 'Moves away' })).toMatchObject({ status: 'cancelled' });
      await cancel(sold, { unpaid: 'writeOff' });
      expect(await clinic.invoice(sold)).toMatchObject({
        ...{ total: 34_493, adjustments: -34_493, balance: 0 },
        overallAdjustments: [{ adjustment: { amount: -34_493 }, because: 'writtenOff', reason: 'Moves away' }],
      });
      expect((await tagsOf(sold)).map(({ what }) => what)).toEqual(['sold', 'cancelled']);
    });

    it('H4: those not yet started move to the regular fee when asked; what has started, or is paid, stays', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      const [past, coming] = [await clinic.book(sold, { start: clinic.in(0) }), await clinic.book(sold, { start: clinic.in(3) })];
      await clinic.service.settled();
      await cancel(sold, { appointments: 'regularFee' });
      expect(await clinic.appointment(past)).toMatchObject({ status: 'booked', packageId: sold.packageId });
      expect(await clinic.appointment(coming)).toMatchObject({ status: 'booked', packageId: null, consumptionId: null });
      expect(await clinic.invoice(past)).toMatchObject({ balance: 6_899 });
      expect(await clinic.invoice(coming)).toMatchObject({ total: 9_198, balance: 9_198, packageId: null });
      expect(await clinic.package(sold)).toMatchObject({ status: 'cancelled', remaining: 4, services: [{ used: 1 }] });
      expect(await reinstate(sold)).toMatchObject({ status: 'sold', services: [{ remaining: 4 }] });
      expect(await clinic.appointment(coming)).toMatchObject({ packageId: null }); // stays at the regular fee
    });

    it('H4: reinstated weeks later, one that stayed because it was paid stays, though its payment was voided since', async () => {
      const sold = await clinic.sell(clinic.eachAppointment());
      const booked = await clinic.book(sold, { start: clinic.in(60) });
      await clinic.service.settled();
      const payments = `/v1/invoices/${booked.invoiceId}/payments`;
      const { paymentId } = await clinic.owner.post<{ paymentId: string }>(payments, { amount: clinic.money(6_899), method: 'cash' });
      await cancel(sold, { appointments: 'regularFee' });
      await clinic.service.settled();
      await clinic.owner.post(`${payments}/${paymentId}/void`, {});
      const { packageId } = sold;
      await clinic.service.at(clinic.in(30), clinic.business, (caller) => new ReinstatePackage(caller, { packageId, reason: null }));
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId });
      expect(await clinic.invoice(booked)).toMatchObject({ total: 6_899, packageId });
    });

    it('H4: nothing was unpaid when it was cancelled: what is owing since, because a payment was voided, is never written off', async () => {
      const sold = await clinic.sell();
      await clinic.service.settled();
      const payments = `/v1/invoices/${sold.invoiceId}/payments`;
      const { paymentId } = await clinic.owner.post<{ paymentId: string }>(payments, { amount: clinic.money(34_493), method: 'cash' });
      await cancel(sold, { unpaid: 'writeOff' });
      if (policies === 'projector') await clinic.service.settled(); // what follows has followed
      await clinic.owner.post(`${payments}/${paymentId}/void`, {});
      expect(await clinic.invoice(sold)).toMatchObject({ adjustments: 0, balance: 34_493 }); // once the projector has looked at it too
      await reinstate(sold);
      expect(await clinic.invoice(sold)).toMatchObject({ adjustments: 0, balance: 34_493 });
    });

    it('H4: one that was cancelled in another way says so', async () => {
      const sold = await clinic.sell();
      await cancel(sold);
      expect(await clinic.owner.refused(409, 'POST', `${pathOf(sold)}/cancel`, { body: { unpaid: 'writeOff' } })).toMatchObject({
        ...{ code: 'PACKAGE_CANCELLED', details: { appointments: 'stay', unpaid: 'owing' } },
      });
    });

    it('H4: reinstated, it can be booked from again, and what was written off is owing', async () => {
      const sold = await clinic.sell();
      const booked = await clinic.book(sold);
      await cancel(sold, { unpaid: 'writeOff' });
      expect(await reinstate(sold, { reason: 'Stays after all' })).toMatchObject({ status: 'sold' });
      expect(await reinstate(sold)).toMatchObject({ status: 'sold' }); // a repeat changes nothing
      expect(await clinic.invoice(sold)).toMatchObject({ adjustments: 0, balance: 34_493 });
      expect((await clinic.book(sold, { start: clinic.in(2) })).session).toMatchObject({ remaining: 3 });
      expect(await clinic.package(sold)).toMatchObject({ status: 'sold', remaining: 3 });
      expect(await clinic.appointment(booked)).toMatchObject({ status: 'booked', packageId: sold.packageId });
      expect((await tagsOf(sold)).slice(2)).toMatchObject([
        { what: 'cancelled' },
        { what: 'reinstated', reason: 'Stays after all' },
        { what: 'sessionConsumed', from: '4', to: '3' },
      ]);
      await cancel(sold, { unpaid: 'writeOff' }); // and again
      expect(await clinic.invoice(sold)).toMatchObject({ balance: 0 });
    });

    it('H4: the suggested refund, with its working', async () => {
      const sold = await clinic.sell();
      await clinic.book(sold);
      await clinic.end(await clinic.book(sold, { start: clinic.in(2) }), 'no-show', { session: 'forfeited' });
      await clinic.service.settled();
      const path = `${pathOf(sold)}/suggested-refund`;
      expect(await clinic.owner.get(path)).toEqual({
        ...{ packageId: sold.packageId, total: clinic.money(34_493), paid: clinic.money(0) },
        ...{ refunded: clinic.money(0), pending: clinic.money(0) },
        services: [
          {
            ...{ serviceId: clinic.has.massage, name: 'Massage', limit: 5, price: clinic.money(8_000), weight: 8_000 },
            ...{ used: 1, forfeited: 1, booked: 1, counted: 1, sessionValue: clinic.money(6_899), valueUsed: clinic.money(6_899) },
          },
        ],
        ...{
          weights: '40000',
          valueUsed: clinic.money(6_899),
          valueBooked: clinic.money(6_899),
          suggested: clinic.money(0),
          because: null,
        },
      });
      const auditor = await clinic.as('auditor');
      expect(await auditor.get(path)).toMatchObject({ suggested: clinic.money(0) });
      await clinic.owner.refused(404, 'GET', `/v1/packages/${clinic.has.massage}/suggested-refund`);
    });
  });

  describe('refunding a package', () => {
    /** 344.93 with 44.93 of tax, of which so much is paid, in minor units; cancelled. */
    const endedPaid = async (paid = 34_493): Promise<Sold> => {
      const sold = await clinic.sell({}, { payment: { amount: clinic.money(paid), method: 'cash' } });
      await clinic.service.settled();
      await cancel(sold);
      return sold;
    };
    const refundOf = (amount: number, outcome: string, more: object = {}) => ({
      ...{ amount: clinic.money(amount), outcome, method: 'cash' },
      ...more,
    });
    const refund = async (sold: Sold, amount: number, outcome: string, more: object = {}): Promise<Refunded> => {
      await clinic.service.settled();
      return clinic.owner.post<Refunded>(`${pathOf(sold)}/refunds`, refundOf(amount, outcome, more));
    };
    const refused = (sold: Sold, body: object) => clinic.owner.refused(409, 'POST', `${pathOf(sold)}/refunds`, { body });

    it('H4: of one that is not cancelled says how', async () => {
      const sold = await clinic.sell({}, { payment: { amount: clinic.money(34_493), method: 'cash' } });
      expect(await refused(sold, refundOf(1, 'outstandingBalance'))).toMatchObject({
        ...{ code: 'PACKAGE_NOT_CANCELLED', detail: 'A package is refunded once it is cancelled: cancel it first, then refund it.' },
      });
    });

    it('H5: both outcomes, part-paid, two refunds', async () => {
      const sold = await endedPaid(20_000);
      expect(await refund(sold, 5_000, 'outstandingBalance', { notes: 'A loss' })).toMatchObject({
        refunds: [{ amount: { amount: 5_000 }, tax: { amount: 651 }, outcome: 'outstandingBalance', refused: false }],
      });
      expect(await clinic.invoice(sold)).toMatchObject({ paid: 20_000, refunded: 5_000, adjustments: 0, balance: 19_493 });
      expect(await refund(sold, 15_000, 'noOutstandingBalance')).toMatchObject({
        refunds: [{ amount: { amount: 5_000 } }, { amount: { amount: 15_000 }, tax: { amount: 1_954 } }],
      });
      expect(await clinic.invoice(sold)).toMatchObject({ paid: 20_000, refunded: 20_000, adjustments: -15_000, balance: 19_493 });
      await clinic.service.settled();
      expect(await refused(sold, refundOf(1, 'outstandingBalance'))).toMatchObject({
        ...{ code: 'REFUND_ABOVE_PAID', details: { refundable: clinic.money(0) } },
      });
      expect(await clinic.package(sold)).toMatchObject({ status: 'cancelled', refunded: 20_000 });
    });

    it('H7: three partial refunds sum to the tax', async () => {
      const sold = await endedPaid();
      for (const amount of [11_497, 11_498, 11_498]) await refund(sold, amount, 'noOutstandingBalance');
      await clinic.service.settled();
      const { refunds } = await clinic.owner.get<Refunded>(`${pathOf(sold)}/as-of?revision=1000`);
      expect(refunds.reduce((sum, { tax }) => sum + tax.amount, 0)).toBe(4_493);
      expect(await clinic.invoice(sold)).toMatchObject({ adjustments: -34_493, balance: 0, refunds: refunds.map(({ tax }) => ({ tax })) });
    });

    it('H4: what was refunded cannot be reinstated; F3, K1: tags and history say what was given back, by whom and why', async () => {
      const sold = await endedPaid();
      await refund(sold, 10_000, 'noOutstandingBalance', { notes: 'Moves away' });
      expect(await clinic.owner.refused(409, 'POST', `${pathOf(sold)}/reinstate`, { body: {} })).toMatchObject({
        code: 'PACKAGE_REFUNDED',
      });
      expect((await tagsOf(sold)).at(-1)).toMatchObject({ what: 'refunded', from: '0', to: '10000', reason: 'Moves away' });
      const { items } = await clinic.owner.get<{ items: { type: string; after: { refunded: object } }[] }>(`${pathOf(sold)}/history`);
      expect(items.at(-1)).toMatchObject({ type: 'PackageRefunded', after: { refunded: clinic.money(10_000) } });
      expect(await clinic.owner.get(`${pathOf(sold)}/suggested-refund`)).toMatchObject({
        ...{ paid: clinic.money(34_493), refunded: clinic.money(10_000), suggested: clinic.money(24_493) },
      });
    });

    // Only the projector leaves time between the package's decision and its invoice's.
    if (policies === 'projector')
      it('H5: its payment is voided before its invoice hears of the refund: nothing was given back, and it is told', async () => {
        const sold = await endedPaid();
        const { payments } = (await clinic.invoice(sold)) as unknown as { payments: { paymentId: string }[] };
        await clinic.service.stopProjector();
        const body = refundOf(10_000, 'outstandingBalance');
        expect(await clinic.owner.post<Refunded>(`${pathOf(sold)}/refunds`, body)).toMatchObject({ refunds: [{ refused: false }] });
        await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/payments/${payments[0]!.paymentId}/void`, {});
        await clinic.service.startProjector();
        await clinic.service.settled();

        expect(await clinic.owner.get<Refunded>(`${pathOf(sold)}/as-of?revision=1000`)).toMatchObject({
          refunds: [{ amount: clinic.money(10_000), refused: true }],
        });
        expect((await tagsOf(sold)).slice(-2)).toMatchObject([
          { what: 'refunded', from: '0', to: '10000' },
          { what: 'refundRefused', from: '10000', to: '0' },
        ]);
        expect(await clinic.package(sold)).toMatchObject({ refunded: 0 });
        expect(await clinic.invoice(sold)).toMatchObject({ paid: 0, refunded: 0, balance: 34_493, refunds: [] });
        expect(await refused(sold, body)).toMatchObject({ code: 'REFUND_ABOVE_PAID' });
        expect(await reinstate(sold)).toMatchObject({ status: 'sold' }); // nothing was refunded
      });

    it('L2: the same refund sent twice gives back once; A2: not by the front desk', async () => {
      const sold = await endedPaid();
      await clinic.service.settled();
      const send = () =>
        clinic.owner.post<Refunded>(`${pathOf(sold)}/refunds`, refundOf(10_000, 'outstandingBalance'), {
          'idempotency-key': sold.packageId,
        });
      const [first, again] = [await send(), await send()];
      expect(again).toEqual(first);
      expect(await clinic.invoice(sold)).toMatchObject({ refunded: 10_000 });
      const receptionist = await clinic.as('receptionist');
      const body = refundOf(1, 'outstandingBalance');
      await receptionist.refused(403, 'POST', `${pathOf(sold)}/refunds`, { body });
    });

    it('L2, H5: a refund that was refused, sent again with the same key, is decided anew', async () => {
      const sold = await endedPaid(5_000);
      await clinic.service.settled();
      const headers = { 'idempotency-key': `refused ${sold.packageId}` };
      const path = `${pathOf(sold)}/refunds`;
      const body = refundOf(10_000, 'outstandingBalance');
      expect(await clinic.owner.refused(409, 'POST', path, { body, headers })).toMatchObject({ code: 'REFUND_ABOVE_PAID' });
      await clinic.owner.post(`/v1/invoices/${sold.invoiceId}/payments`, { amount: clinic.money(7_000), method: 'cash' });
      const given = { refunds: [{ amount: clinic.money(10_000), refused: false }] };
      for (let n = 0; n < 2; n += 1) expect(await clinic.owner.post(path, body, headers)).toMatchObject(given);
      expect(await clinic.invoice(sold)).toMatchObject({ paid: 12_000, refunded: 10_000 });
    });

    it('H6: where no cards are taken, it says what to set', async () =>
      expect(await refused(await endedPaid(), refundOf(1, 'outstandingBalance', { method: 'stripe' }))).toMatchObject({
        ...{ code: 'STRIPE_NOT_CONFIGURED', detail: expect.stringContaining('STRIPE_SECRET_KEY') as string },
      }));

    it('L1: bad input names every field, and nothing is given back', async () => {
      const sold = await endedPaid();
      const body = { amount: clinic.money(0), outcome: 'gone', method: 'cheque', extra: 1 };
      const { errors } = await clinic.owner.refused(400, 'POST', `${pathOf(sold)}/refunds`, { body });
      expect(errors?.map(({ field }) => field).sort()).toEqual(['/amount/amount', '/extra', '/method', '/outcome']);
      expect(await clinic.package(sold)).toMatchObject({ refunded: 0 });
    });
  });
});
