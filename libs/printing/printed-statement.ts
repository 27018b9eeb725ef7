import { localDateOf } from '../domain/kernel/calendar.js';
import type { Money } from '../domain/kernel/shapes.js';
import type { Fact, Figure, PrintedEntry, PrintedPage } from './printed-page.js';
import { amountsIn, dateText, momentText } from './wording.js';

/** J3: what was used of one owner's packages, with all that its print names; the oldest first. */
export interface PrintedStatement {
  business: string;
  owner: string;
  currency: string;
  timeZone: string;
  today: string; // local date
  from: string | null; // local dates; null: from the first on, until today
  until: string | null;
  entries: readonly StatementEntry[];
}

export interface StatementEntry {
  at: string;
  packageId: string;
  packageName: string;
  clientName: string;
  serviceId: string;
  serviceName: string;
  what: 'sold' | 'consumed' | 'moved' | 'returned' | 'forfeited' | 'forfeitUndone' | 'adjusted';
  effect: number;
  remaining: number | null; // null: unlimited
  start: string | null;
  fee: Money | null;
}

export const statementPage = (statement: PrintedStatement): PrintedPage => {
  const { business, owner, currency, today, entries } = statement;
  const isEmpty = entries.length === 0;
  return {
    ...{ title: 'Statement', name: `Statement · ${owner} · ${business}`, file: `statement-${today}`, business, issuedOn: today },
    ...{ addressee: { label: 'For', value: owner }, facts: factsOf(statement), headline: usedOf(statement), stamp: null },
    note: isEmpty ? 'Nothing was sold or used in this time.' : null,
    ...{ tables: isEmpty ? [] : ['entries'], lines: [], movements: [], entries: entries.map((entry) => entryOf(entry, statement)) },
    ...{ totals: leftOf(entries), footer: `Statement of ${dateText(today)}` },
    captions: { lines: '', movements: '', entries: `What was used, fees in ${currency}`, totals: 'Sessions left' },
  };
};

const factsOf = ({ from, until, today }: PrintedStatement): Fact[] => [
  { label: 'From', value: from === null ? 'the beginning' : dateText(from) },
  { label: 'Until', value: dateText(until ?? today) },
  { label: 'Printed on', value: dateText(today) },
];

const usedOf = ({ entries }: PrintedStatement): Figure => {
  const used = entries.reduce((sum, { what }) => sum + (what === 'consumed' ? 1 : what === 'returned' ? -1 : 0), 0);
  return { label: 'Sessions used', amount: String(used) };
};

const entryOf = (
  { at, packageName, clientName, serviceName, what, effect, remaining, start, fee }: StatementEntry,
  { owner, currency, timeZone }: PrintedStatement,
): PrintedEntry => ({
  on: dateText(localDateOf(at, timeZone)),
  what:
    WHAT[what] + (start === null ? '' : `, ${momentText(start, timeZone)}`) + (clientName === owner ? '' : `, \u2068${clientName}\u2069`),
  service: `\u2068${serviceName}\u2069 (\u2068${packageName}\u2069)`,
  effect: effect > 0 ? `+${effect}` : String(effect),
  remaining: leftText(remaining),
  fee: fee === null || fee.amount === 0 ? '' : amountsIn(currency).plain(fee.amount),
});

const WHAT: Record<StatementEntry['what'], string> = {
  sold: 'Package sold',
  consumed: 'Session taken',
  moved: 'Session moved',
  returned: 'Session given back',
  forfeited: 'Session forfeited',
  forfeitUndone: 'Session no longer forfeited',
  adjusted: 'Adjusted',
};

const leftText = (remaining: number | null): string => (remaining === null ? 'unlimited' : String(remaining));

/** Of each service of each package, as the last of its entries says. */
const leftOf = (entries: readonly StatementEntry[]): Figure[] => {
  const left = new Map<string, Figure>();
  for (const { packageId, packageName, serviceId, serviceName, remaining } of entries)
    left.set(`${packageId} ${serviceId}`, {
      label: `\u2068${serviceName}\u2069 (\u2068${packageName}\u2069)`,
      amount: leftText(remaining),
    });
  return [...left.values()];
};
