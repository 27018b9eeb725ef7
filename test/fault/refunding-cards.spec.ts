import { placesOf, serviceWith, type Key } from '../support/faults.js';
import { newKey, until } from '../support/fleet.js';
import { takingCards, urls } from '../support/online-shop.js';
import { packageCancellation, packageRefund, sale } from '../support/shop.js';
import { startStripe, type LocalStripe } from '../support/stripe.js';

// Who carries out a refund at Stripe is killed between any two steps; no webhook tells anybody. Afterwards it was made once, and all agree.

const PATIENCE = 600_000; // ms, most of it for processes to start
const HEALS_WITHIN = 120_000;

let stripe: LocalStripe;
beforeAll(async () => {
  stripe = await startStripe();
  await stripe.webhooks.mode('held');
}, PATIENCE);
afterAll(() => stripe?.stop());
const service = serviceWith('both', () => takingCards(stripe));
const { url, history, fleet } = service;

const payments = new Map<string, string>(); // package → its payment at Stripe
let account: string;

/** Sold at the desk, paid by card, and cancelled. */
async function paidByCard(): Promise<string> {
  const making = service.making();
  const payment = { method: 'stripe', amount: { amount: 40_000, currency: 'CAD' }, ...urls };
  const { packageId, purchase } = await making.desk.get<{ packageId: string; purchase: { purchaseId: string; url: string } }>(
    ...[url(), sale(making, await making.offeringPaidUpfront(), { payment })],
  );
  await stripe.pay(purchase.url);
  const isPaid = async () => (await history()).find(({ type, data }) => type === 'PurchasePaid' && named(data, purchase));
  await until(async () => (await isPaid()) !== undefined, 'it is paid', HEALS_WITHIN);
  payments.set(packageId, ((await isPaid())!.data as { paymentIntentId: string }).paymentIntentId);
  await making.done(packageCancellation(packageId));
  return packageId;
}
const named = (data: unknown, { purchaseId }: { purchaseId: string }): boolean =>
  (data as { purchaseId: string }).purchaseId === purchaseId;

const atStripe = async (packageId: string): Promise<number[]> =>
  (await stripe.library.refunds.list({ payment_intent: payments.get(packageId)! }, { stripeAccount: account })).data.map(
    ({ amount }) => amount,
  );

const ASKED = ['PackageRefundRequested', 'InvoiceRefundRequested'];
const GIVEN_BACK = [...ASKED, 'InvoiceRefunded', 'PackageRefunded'];
const FAILED = [...ASKED, 'InvoiceRefundFailed', 'PackageRefundRefused'];

/** What has happened because of a request, by whomever, once there is so much of it. */
const cameOf = async (key: Key, wanted: readonly string[]): Promise<string[]> => {
  await until(async () => (await service.effect(key)).length >= wanted.length, `the refund has come to its end`, HEALS_WITHIN);
  return service.effect(key);
};

let packages: string[];
beforeAll(async () => {
  account = await stripe.account();
  await service.making().done({ method: 'PATCH', path: '/settings', body: { settings: { stripeAccount: account } } });
  packages = await Promise.all([1, 2, 3, 4, 5].map(() => paidByCard()));
}, PATIENCE);

it(
  'H6: the API dies once the package has decided: it is given back, once also when sent again',
  async () => {
    const [packageId, key] = [packages[0]!, newKey()];
    const refund = packageRefund(packageId, 10_000, 'stripe');
    expect(await service.send(refund, key, { dyingAt: 'after:PackageRefundRequested' })).toBe('no answer');
    expect(await cameOf(key, GIVEN_BACK)).toEqual(GIVEN_BACK);
    await fleet().desk.get(url(), refund, key);
    expect(await service.effect(key)).toEqual(GIVEN_BACK);
    expect(await atStripe(packageId)).toEqual([10_000]);
  },
  PATIENCE,
);

it(
  'H6: the projector dies when Stripe has done it and nobody has noted that; when the invoice knows, and the package does not; when Stripe has refused',
  async () => {
    const [noted, known, refused] = packages.slice(1) as [string, string, string];
    const [projector] = fleet().projectors;
    await projector!.kill();
    await stripe.refundInDashboard(payments.get(refused)!, 35_000); // of 400.00: then Stripe has not so much left
    const dying = await Promise.all(
      (
        [
          [noted, 'before:InvoiceRefunded', GIVEN_BACK],
          [known, 'after:InvoiceRefunded', GIVEN_BACK],
          [refused, 'after:InvoiceRefundFailed', FAILED],
        ] as const
      ).map(async ([packageId, dyingAt, becomes]) => {
        const doomed = { desk: fleet().desk, sent: packageRefund(packageId, 10_000, 'stripe'), key: newKey(), dyingAt };
        await doomed.desk.get(url(), doomed.sent, doomed.key);
        return { ...doomed, becomes };
      }),
    );
    const doomed = fleet().doomed('apps/projector/main.js', placesOf(dying));
    await doomed.start();
    await doomed.ended();
    await projector!.start();
    for (const { key, becomes } of dying) expect(await cameOf(key, becomes)).toEqual(becomes);
    expect(await Promise.all([noted, known, refused].map(atStripe))).toEqual([[10_000], [10_000], [35_000]]);
    const found = async () =>
      (await history()).some(({ type, data }) => type === 'PackageRefunded' && (data as { packageId: string }).packageId === refused);
    await until(found, 'what was refunded in the dashboard is found', HEALS_WITHIN);
  },
  PATIENCE,
);

it(
  'H6: the projector dies when the invoice knows, and the money comes back before the package does: it hears both, in their order',
  async () => {
    const packageId = packages[4]!;
    const [projector] = fleet().projectors;
    await projector!.kill();
    await fleet().desk.get(url(), packageRefund(packageId, 10_000, 'stripe'));
    const doomed = fleet().doomed('apps/projector/main.js', 'after:InvoiceRefunded');
    await doomed.start();
    await doomed.ended();
    const ofIt = (data: unknown): boolean => (data as { packageId: string }).packageId === packageId;
    const { data } = await stripe.library.refunds.list({ payment_intent: payments.get(packageId)! }, { stripeAccount: account });
    await stripe.sendTo(url());
    await stripe.webhooks.mode('normal');
    await stripe.settleRefund(data[0]!.id, 'fail');
    const hears = async () => (await history()).some(({ type, data }) => type === 'PackageRefundRefused' && ofIt(data));
    await until(hears, 'the package hears of it', HEALS_WITHIN);
    await stripe.webhooks.mode('held');
    await projector!.start();
    await service.settled(HEALS_WITHIN);
    const ofPackage = (await history()).filter(({ type, data }) => /^PackageRefund/.test(type) && ofIt(data));
    expect(ofPackage.map(({ type }) => type)).toEqual(['PackageRefundRequested', 'PackageRefunded', 'PackageRefundRefused']);
  },
  PATIENCE,
);

it('H6, K3: streams and read models agree, and nothing is parked', () => service.settled(HEALS_WITHIN), PATIENCE);
