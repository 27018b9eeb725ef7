import { serviceWith, type Key } from '../support/faults.js';
import { newKey, until } from '../support/fleet.js';
import { booking, cancellation, noShow, noShowUndone, packageCancellation, sale } from '../support/shop.js';

// A process dies, and before what follows has been carried out, somebody goes on with what there is.

const PATIENCE = 600_000; // ms for a test
const { fleet, url, making, send, effect, history, agreed, settled } = serviceWith('both');

const appointmentOf = async ({ correlationId }: Key): Promise<string> => {
  const events = (await history()).filter(({ metadata }) => metadata.$correlationId === correlationId);
  return events.find(({ type }) => type === 'AppointmentBooked')!.stream.slice('appointment-'.length);
};

/** What last happened to it. */
const lastOf = async (appointmentId: string): Promise<string | undefined> =>
  (await history()).findLast(({ stream }) => stream === `appointment-${appointmentId}`)?.type;

it(
  'E9, H2: cancelled before its invoice was issued, from a package',
  async () => {
    const [shop, key] = [making(), newKey()];
    const sent = booking(shop, await shop.sold());
    await send(sent, key, { dyingAt: 'before:InvoiceIssued' });
    await until(async () => (await effect(key)).includes('AppointmentBooked'), 'the appointment is booked');
    await shop.done(cancellation(await appointmentOf(key)));
    await agreed();
    expect((await effect(key)).sort()).toEqual(['AppointmentBooked', 'InvoiceIssued', 'SessionConsumed']);
  },
  PATIENCE,
);

it(
  'E9, H2: cancelled before its invoice was issued, at the regular fee',
  async () => {
    const [shop, key] = [making(), newKey()];
    await send(booking(shop), key, { dyingAt: 'after:AppointmentBooked' });
    expect(await effect(key)).toEqual(['AppointmentBooked']);
    await shop.done(cancellation(await appointmentOf(key)));
    await agreed();
    expect(await effect(key)).toEqual(['AppointmentBooked', 'InvoiceIssued']);
  },
  PATIENCE,
);

it(
  'E9, H1: marked as a no-show again before the undoing had reached the invoice',
  async () => {
    const [shop, key] = [making(), newKey()];
    const appointmentId = await shop.booked();
    await shop.done(noShow(appointmentId));
    await send(noShowUndone(appointmentId), key, { dyingAt: 'after:NoShowUndone' });
    await shop.done(noShow(appointmentId));
    await agreed();
    expect(await effect(key)).toEqual(['NoShowUndone', 'InvoiceAdjustmentUndone']);
  },
  PATIENCE,
);

it(
  'H4: nothing was unpaid when a package was cancelled: what is owing since is not written off by who looks at it later',
  async () => {
    const shop = making();
    const payment = { amount: { amount: 40_000, currency: 'CAD' }, method: 'cash' };
    const sold = sale(shop, await shop.offeringPaidUpfront(), { payment });
    const { packageId, invoiceId } = await fleet().desk.get(url(), sold);
    await shop.done(packageCancellation(packageId!, { unpaid: 'writeOff' }));
    const eventsOfInvoice = async () => (await history()).filter(({ stream }) => stream === `invoice-${invoiceId}`);
    const { paymentId } = (await eventsOfInvoice()).at(-1)!.data as { paymentId: string };
    await shop.done({ method: 'POST', path: `/invoices/${invoiceId}/payments/${paymentId}/void`, body: {} });
    await agreed(); // the projector has looked at it
    expect((await eventsOfInvoice()).map(({ type }) => type)).toEqual(['InvoiceIssued', 'PaymentReceived', 'PaymentVoided']);
  },
  PATIENCE,
);

it(
  'D1, H3: of two packages sold and applied to one appointment, the second gets its session back, whoever dies over it',
  async () => {
    const [shop, key] = [making(), newKey()];
    const [appointmentId, offeringId, other] = [await shop.booked(), await shop.offering(), await shop.offering()];
    const applied = { appointmentId, applyToAppointment: true };
    const [projector] = fleet().projectors;
    await projector!.kill();
    await send(sale(shop, offeringId, applied), key, { dyingAt: 'after:PackageSold' });
    await shop.done(sale(shop, other, applied));
    for (const dyingAt of ['before:SessionReturned', 'after:SessionReturned']) {
      const doomed = fleet().doomed('apps/projector/main.js', dyingAt);
      await doomed.start();
      await doomed.ended();
    }
    await projector!.start();
    await agreed();
    expect((await effect(key)).filter((type) => type === 'SessionReturned')).toHaveLength(1);
  },
  PATIENCE,
);

it(
  'H1, H3: of two who undo one no-show, one takes a session for both, whoever dies over it; sent again later, nothing comes of it',
  async () => {
    const [shop, key] = [making(), newKey()];
    const appointmentId = await shop.booked(await shop.sold());
    await shop.done(noShow(appointmentId));
    await send(noShowUndone(appointmentId), key, { dyingAt: 'after:SessionConsumed' });
    const second = newKey();
    expect(await fleet().desk.send(url(), noShowUndone(appointmentId), second)).toMatchObject({ status: 200, body: { status: 'booked' } });
    expect(await lastOf(appointmentId)).toBe('NoShowUndone');
    expect([await effect(key), await effect(second)]).toEqual([['SessionConsumed', 'NoShowUndone', 'InvoiceAdjustmentUndone'], []]);
    await shop.done(noShow(appointmentId));
    await fleet().desk.send(url(), noShowUndone(appointmentId), key);
    expect(await lastOf(appointmentId)).toBe('AppointmentMarkedNoShow');
    await settled(); // with all that came before
  },
  PATIENCE,
);
