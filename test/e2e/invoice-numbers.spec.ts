import { BookAppointment } from '../../libs/command-handling/commands/appointment.commands.js';
import { openClinic, type Clinic, type Invoice, type Page } from '../support/clinic.js';
import { withProjectorAlone } from '../support/policy-modes.js';

withProjectorAlone((at) => {
  let clinic: Clinic;
  beforeAll(() => (clinic = at()));

  /** The invoice once everything that was issued has its number. */
  const numbered = async (whose: Clinic, { invoiceId }: { invoiceId: string }): Promise<Invoice> => {
    await whose.service.settled();
    whose.business.seen.position = await whose.service.lastPosition();
    return whose.invoice({ invoiceId });
  };
  const numberOf = async (whose: Clinic, what: { invoiceId: string }): Promise<string | null> => (await numbered(whose, what)).number;
  const byNumber = async (whose: Clinic, number: string): Promise<string[]> =>
    (await whose.owner.get<Page<Invoice>>(`/v1/invoices?number=${number}`)).items.map(({ invoiceId }) => invoiceId);
  const thisYear = (whose: Clinic): string => whose.day(0).slice(0, 4);

  it('D3: each invoice has its number moments after, counted from 1: of a sale, one of zero for tracking, of an appointment', async () => {
    const own = await openClinic(clinic.service);
    const upfront = await own.sell();
    expect(await numberOf(own, upfront)).toBe(`${thisYear(own)}-000001`);
    const tracked = await own.sell(own.eachAppointment());
    expect(await numbered(own, tracked)).toMatchObject({ number: `${thisYear(own)}-000002`, total: 0 });
    expect(await numberOf(own, await own.bookWithout())).toBe(`${thisYear(own)}-000003`);
    expect(await numbered(own, await own.book(upfront))).toMatchObject({ number: `${thisYear(own)}-000004`, balance: 0 });
    const listed = await own.owner.get<Page<Invoice>>('/v1/invoices');
    expect(listed.items.map(({ number }) => number?.slice(-1)).sort()).toEqual(['1', '2', '3', '4']);
  });

  it('A3, D3: an invoice is found by its number, in its own business alone', async () => {
    const [one, other] = [await openClinic(clinic.service), await openClinic(clinic.service)];
    const [ofOne, ofOther] = [await one.bookWithout(), await other.bookWithout()];
    const number = await numberOf(one, ofOne);
    expect(await numberOf(other, ofOther)).toBe(number);
    expect(await byNumber(one, number!)).toEqual([ofOne.invoiceId]);
    expect(await byNumber(other, number!)).toEqual([ofOther.invoiceId]);
    expect(await byNumber(one, `${thisYear(one)}-000002`)).toEqual([]);
  });

  it('D3, E8: an invoice that is issued anew keeps its number', async () => {
    const booked = await clinic.bookWithout();
    const before = await numbered(clinic, booked);
    const sold = await clinic.sell({}, { clientId: booked.clientId, appointmentId: booked.appointmentId, applyToAppointment: true });
    const after = await numbered(clinic, booked);
    expect(after).toMatchObject({ number: before.number, packageId: sold.packageId, total: 0 });
    expect(before.number).not.toBeNull();
    expect(await numberOf(clinic, sold)).not.toBe(before.number);
  });

  it('D3: counts in the year of the local date on which it was issued: at New Year another one in Tokyo than in Toronto', async () => {
    const [toronto, tokyo] = [
      await openClinic(clinic.service),
      await openClinic(clinic.service, { timeZone: 'Asia/Tokyo', currency: 'JPY' }),
    ];
    const bookedAt = async (whose: Clinic, now: string): Promise<string | null> => {
      const { massage: serviceId, providerId } = whose.has;
      const input = {
        clientId: await whose.client(),
        serviceId,
        providerId,
        start: whose.in(1),
        end: null,
        packageId: null,
        externalReference: null,
      };
      return numberOf(whose, await whose.service.at(now, whose.business, (caller) => new BookAppointment(caller, input)));
    };
    expect(await bookedAt(tokyo, '2025-12-31T14:59:59.999Z')).toBe('2025-000001');
    expect(await bookedAt(tokyo, '2025-12-31T15:00:00.000Z')).toBe('2026-000001');
    expect(await bookedAt(toronto, '2025-12-31T15:00:00.000Z')).toBe('2025-000001');
    expect(await bookedAt(toronto, '2026-01-01T04:59:59.999Z')).toBe('2025-000002');
    expect(await bookedAt(toronto, '2026-01-01T05:00:00.000Z')).toBe('2026-000001');
    expect(await bookedAt(toronto, '2025-12-31T23:00:00.000Z')).toBe('2025-000003'); // carried out late
  });
});
