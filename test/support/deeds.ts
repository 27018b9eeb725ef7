import fc from 'fast-check';
import type { Booked, Clinic, Sold } from './clinic.js';

// Whatever a business could do in whatever order, over HTTP: what a rule refuses is not done.

const WHAT = ['sell', 'pay', 'void', 'adjust', 'book', 'book', 'cancel', 'no-show', 'complete', 'remaining', 'end', 'refund'] as const;

export interface Deed {
  what: (typeof WHAT)[number];
  n: number; // with which package or appointment, and how
  amount: number;
}

export const deedsOf = (length: number): fc.Arbitrary<Deed[]> =>
  fc.array(fc.record({ what: fc.constantFrom(...WHAT), n: fc.nat(1_000), amount: fc.integer({ min: 1, max: 20_000 }) }), {
    ...{ minLength: length, maxLength: length },
  });

/** With two packages to begin with, one paid upfront and one paid at each appointment. */
export async function carryOut(clinic: Clinic, deeds: readonly Deed[]): Promise<void> {
  const packages: Sold[] = [await clinic.sell(), await clinic.sell(clinic.eachAppointment())];
  const appointments: Booked[] = [];
  const payments: string[] = [];
  const send = async <Body>(method: string, path: string, body?: object): Promise<Body[]> => {
    const answer = await clinic.owner.send<Body>(method, path, { body });
    return answer.status < 300 ? [answer.body] : [];
  };

  for (const { what, n, amount } of deeds) {
    const [sold, booked] = [packages[n % packages.length]!, appointments[n % appointments.length]];
    const [path, invoice, money] = [`/v1/packages/${sold.packageId}`, `/v1/invoices/${sold.invoiceId}`, clinic.money(amount)];
    switch (what) {
      case 'sell':
        packages.push(await clinic.sell({}, { clientId: sold.clientId }));
        break;
      case 'pay': {
        const paid = await send<{ paymentId: string }>('POST', `${invoice}/payments`, { amount: money, method: 'cash' });
        payments.push(...paid.map(({ paymentId }) => `${invoice}/payments/${paymentId}`));
        break;
      }
      case 'void':
        for (const payment of payments.splice(-1)) await send('POST', `${payment}/void`, {});
        break;
      case 'adjust':
        await send('POST', `${invoice}/adjustments`, { adjustment: clinic.money(-amount) });
        break;
      case 'book':
        appointments.push(
          ...(await send<Booked>('POST', '/v1/appointments', clinic.booking({ ...sold, start: clinic.in(n % 3) }, sold.packageId))),
        );
        break;
      case 'remaining':
        await send('PUT', `${path}/services/${clinic.has.massage}/remaining`, { remaining: n % 9 });
        break;
      case 'end':
        await send('POST', `${path}/cancel`, n % 2 === 0 ? {} : { unpaid: 'writeOff' });
        break;
      case 'refund':
        await send('POST', `${path}/refunds`, {
          amount: money,
          method: 'cash',
          outcome: n % 2 === 0 ? 'outstandingBalance' : 'noOutstandingBalance',
        });
        break;
      default: {
        const said = { cancel: {}, 'no-show': n % 2 === 0 ? {} : { session: 'forfeited' }, complete: undefined }[what];
        if (booked) await send('POST', `/v1/appointments/${booked.appointmentId}/${what}`, said);
      }
    }
  }
}
