import type { Caller } from './caller.js';
import type { Page } from './clinic.js';

// Every number on the screen is explained by what the histories tell: added up here from the entries alone, one after the other.

interface Entry<Data, After> {
  type: string;
  revision: string;
  data: Data;
  after: After;
}

interface Amount {
  amount: number;
}

interface PackageEntryData {
  serviceId: string;
  services: { serviceId: string; limit: number | 'unlimited' }[];
  from: number;
  to: number;
  amount: Amount;
  refundId: string;
}
interface Left {
  status: string;
  expiresOn: string | null;
  refunded: Amount;
  pending: Amount;
  services: { serviceId: string; remaining: number | null; used: number }[];
}
type PackageEntry = Entry<PackageEntryData, Left>;

interface InvoiceEntryData {
  total: { total: Amount };
  adjustment: Amount;
  amount: Amount;
  refundId: string;
}
interface Owing {
  total: Amount;
  adjustments: Amount;
  paid: Amount;
  refunded: Amount;
  pending: Amount;
  balance: Amount;
}
type InvoiceEntry = Entry<InvoiceEntryData, Owing>;

interface PackageOnScreen {
  packageId: string;
  status: string;
  expiresOn: string | null;
  refunded: number;
  pending: number;
  services: { serviceId: string; remaining: number | null; used: number }[];
}
interface InvoiceOnScreen {
  invoiceId: string;
  total: number;
  adjustments: number;
  paid: number;
  refunded: number;
  pending: number;
  balance: number;
}
interface ExpiryStep {
  from: string | null;
  to: string | null;
}
interface Tag {
  revision: string;
  what: string;
  serviceId: string | null;
  to: string | null;
}

/** What the screen shows otherwise than the histories explain, over all packages and invoices of a business. Empty: nothing. */
export async function unexplained(reader: Caller): Promise<string[]> {
  const packages = await everyOf<PackageOnScreen>(reader, '/v1/packages');
  const invoices = await everyOf<InvoiceOnScreen>(reader, '/v1/invoices');
  const found = await Promise.all([
    ...packages.map((shown) => ofPackage(reader, shown)),
    ...invoices.map(async (shown) => {
      const { items } = await reader.get<{ items: InvoiceEntry[] }>(`/v1/invoices/${shown.invoiceId}/history`);
      return addedUp(`invoice ${shown.invoiceId}`, items, new Money(), moneyOn(shown));
    }),
  ]);
  if (packages.length === 0 || invoices.length === 0) return ['There is nothing to explain.'];
  return found.flat();
}

async function ofPackage(reader: Caller, shown: PackageOnScreen): Promise<string[]> {
  const path = `/v1/packages/${shown.packageId}`;
  const { items } = await reader.get<{ items: PackageEntry[] }>(`${path}/history`);
  const expiry = await reader.get<{ items: ExpiryStep[] }>(`${path}/expiry/explanation`);
  const tags = await everyOf<Tag>(reader, `${path}/audit-tags`);
  const sessions = await everyOf<{ serviceId: string; outcome: string }>(reader, `${path}/sessions`);
  const standing = shown.services.map(
    ({ serviceId }) => sessions.filter((session) => session.serviceId === serviceId && session.outcome !== 'returned').length,
  );
  const { status, expiresOn } = items.at(-1)!.after;
  return [
    ...differing(`package ${shown.packageId} on the screen`, [shown.status, shown.expiresOn], [status, expiresOn]),
    ...differing(`expiry of package ${shown.packageId}`, shown.expiresOn, goneThrough(expiry.items)),
    ...addedUp(`package ${shown.packageId}`, items, new Counts(), countsOn(shown)),
    ...differing(
      `sessions of package ${shown.packageId}`,
      standing,
      shown.services.map(({ used }) => used),
    ),
    ...tags.flatMap((tag) => ofTag(tag, items)),
  ];
}

/** The day to which one step after the other leads. */
const goneThrough = (steps: readonly ExpiryStep[]): string | null | undefined =>
  steps.reduce<string | null | undefined>((day, { from, to }) => (from === day ? to : undefined), null);

/** F3: a tag's number is the one of the entry that it stands for. */
function ofTag({ revision, serviceId, what, to }: Tag, items: readonly PackageEntry[]): string[] {
  const after = items.find((entry) => entry.revision === revision)?.after;
  const left = after?.services.find((service) => service.serviceId === serviceId);
  if (what === 'sessionMoved' || !left) return differing(`tag ${what}`, after !== undefined, true);
  return differing(`tag ${what} at ${revision}`, to, String(left.remaining ?? left.used));
}

interface Sums<Data, After> {
  add(type: string, data: Data): void;
  readonly sums: unknown;
  of(after: After): unknown;
}

/** The sums are what each entry says was left after it, and in the end what the screen shows. */
function addedUp<Data, After>(
  about: string,
  items: readonly Entry<Data, After>[],
  counting: Sums<Data, After>,
  onScreen: unknown,
): string[] {
  const steps = items.flatMap(({ type, revision, data, after }) => {
    counting.add(type, data);
    return differing(`${about}, ${type} at ${revision}`, counting.of(after), counting.sums);
  });
  return [...steps, ...differing(`${about} on the screen`, onScreen, counting.sums)];
}

/** Of each service: what remains (null: unlimited) and is used. */
class Counts implements Sums<PackageEntryData, Left> {
  private readonly services: Record<string, [remaining: number | null, used: number]> = {};
  private readonly refunds = new Refunds();

  get sums() {
    return { services: this.services, ...this.refunds.sums };
  }

  add(type: string, { services, serviceId, from, to, amount, refundId }: PackageEntryData): void {
    if (type === 'PackageSold')
      for (const sold of services) this.services[sold.serviceId] = [sold.limit === 'unlimited' ? null : sold.limit, 0];
    if (type === 'SessionConsumed') this.count(serviceId, -1, 1);
    if (type === 'SessionReturned') this.count(serviceId, 1, -1);
    if (type === 'RemainingAdjusted') this.count(serviceId, to - from, 0);
    this.refunds.add(type, refundId, amount);
  }

  of({ services, refunded, pending }: Left) {
    return countsOn({ services, refunded: refunded.amount, pending: pending.amount });
  }

  private count(serviceId: string, remaining: number, used: number): void {
    const [left, taken] = this.services[serviceId]!;
    this.services[serviceId] = [left === null ? null : left + remaining, taken + used];
  }
}

const countsOn = ({ services, refunded, pending }: Pick<PackageOnScreen, 'services' | 'refunded' | 'pending'>) => ({
  services: Object.fromEntries(services.map(({ serviceId, remaining, used }) => [serviceId, [remaining, used]])),
  ...{ refunded, pending },
});

/** H5, H6: each refund by itself: asked for, given back, or neither any more. */
class Refunds {
  private readonly refunds = new Map<string, { amount: number; is: 'refunded' | 'pending' }>();

  add(type: string, refundId: string, amount: Amount): void {
    if (type.endsWith('RefundRequested')) this.refunds.set(refundId, { ...amount, is: 'pending' });
    if (type.endsWith('Refunded')) this.refunds.set(refundId, { ...amount, is: 'refunded' });
    if (/Refund(Refused|Failed|Returned)$/.test(type)) this.refunds.delete(refundId);
  }

  get sums() {
    return { refunded: this.all('refunded'), pending: this.all('pending') };
  }

  private all(which: 'refunded' | 'pending'): number {
    return [...this.refunds.values()].reduce((sum, { amount, is }) => (is === which ? sum + amount : sum), 0);
  }
}

/** J2: total + adjustments − paid + refunded = what is owing. */
class Money implements Sums<InvoiceEntryData, Owing> {
  private readonly parts = { total: 0, adjustments: 0, paid: 0 };
  private readonly refunds = new Refunds();

  add(type: string, { total, adjustment, amount, refundId }: InvoiceEntryData): void {
    if (type === 'InvoiceIssued' || type === 'InvoiceReissued') Object.assign(this.parts, { total: total.total.amount, adjustments: 0 });
    if (type.startsWith('InvoiceAdjust')) this.parts.adjustments += adjustment.amount;
    if (type === 'PaymentReceived') this.parts.paid += amount.amount;
    if (type === 'PaymentVoided') this.parts.paid -= amount.amount;
    if (type === 'InvoiceRefunded' || type === 'InvoiceRefundReturned') this.parts.adjustments += adjustment.amount;
    this.refunds.add(type, refundId, amount);
  }

  get sums() {
    const { total, adjustments, paid } = this.parts;
    const { refunded, pending } = this.refunds.sums;
    return { total, adjustments, paid, refunded, pending, balance: total + adjustments - paid + refunded };
  }

  of({ total, adjustments, paid, refunded, pending, balance }: Owing) {
    return moneyOn({
      ...{ total: total.amount, adjustments: adjustments.amount, paid: paid.amount, refunded: refunded.amount },
      ...{ pending: pending.amount, balance: balance.amount },
    });
  }
}

const moneyOn = ({ total, adjustments, paid, refunded, pending, balance }: Omit<InvoiceOnScreen, 'invoiceId'>) => ({
  ...{ total, adjustments, paid, refunded, pending, balance },
});

const differing = (about: string, shown: unknown, explained: unknown): string[] => {
  const [is, should] = [JSON.stringify(shown), JSON.stringify(explained)];
  return is === should ? [] : [`${about}: ${is}, explained: ${should}`];
};

/** All pages of a list. */
export async function everyOf<Item>(reader: Caller, path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<Item> = await reader.get<Page<Item>>(`${path}?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`);
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}
