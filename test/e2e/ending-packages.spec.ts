import type { Clinic, Sold } from '../support/clinic.js';
import { inEachPolicyMode } from '../support/policy-modes.js';

inEachPolicyMode((at) => {
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
        ...{ packageId: sold.packageId, total: clinic.money(34_493), paid: clinic.money(0), refunded: clinic.money(0) },
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
});
