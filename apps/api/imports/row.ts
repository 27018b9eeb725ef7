import type { BadRow } from '../../../libs/domain/import/import.events.js';
import { minorUnitsOf, placesOf } from '../../../libs/domain/kernel/money.js';
import type { Limit, Money } from '../../../libs/domain/kernel/shapes.js';
import type { ClientDescription } from '../../../libs/domain/client/client.events.js';
import type { MovedPackage } from '../../../libs/command-handling/commands/import.commands.js';
import { isClean, isEmail, isId, isLocalDate, isTextOf } from '../validation/formats.js';
import type { Columns } from './columns.js';
import type { CsvRow } from './csv-file.js';
import { newClientId, type FoundClients, type Offered, type Places } from './places.js';

// From the texts of a row to the package that they say, or to everything that is wrong with them. No message says again
// what stood in a cell: it may be about a person, and is kept.

export type Problem = BadRow['problems'][number];

/** What a row says, column by column: '' where it says nothing. */
export interface SaidRow {
  line: number;
  cell: (column: string) => string;
  remaining: readonly { header: string; service: string | null; text: string }[]; // null: of the one service that the offering has
  overlong: boolean;
}

export interface WantedPackage {
  moved: MovedPackage;
  register: ClientDescription | null; // the client, who is not there yet
}

const MAX_REMAINING = 100_000;
const MAX_AMOUNT = 1_000_000_000_000; // minor units, as prices anywhere
const MAX_PROBLEMS = 10; // of one row

export const saidBy = ({ line, cells }: CsvRow, { at, count, remaining }: Columns): SaidRow => {
  const cell = (column: string): string => cells[at.get(column) ?? -1] ?? '';
  return {
    ...{ line, cell, overlong: cells.slice(count).some((extra) => extra !== '') },
    remaining: [
      ...(at.has('remaining') ? [{ header: 'remaining', service: null, text: cell('remaining') }] : []),
      ...remaining.map(({ at: n, header, service }) => ({ header, service, text: cells[n] ?? '' })),
    ],
  };
};

interface Manner {
  places: Places;
  source: string;
  createClients: boolean;
}

interface Surroundings extends Manner {
  clients: FoundClients; // those that the row may name
  seenAt: (reference: string) => number | undefined; // an earlier line of the file with this reference
  introduced: Map<string, ClientDescription>; // those who are not there yet, by id: whoever an earlier line has named, needs no name again
}

/** Reads the rows of one file, in their order: of those with one reference, the first has it. */
export const rowReader = (manner: Manner): ((row: SaidRow, clients: FoundClients) => WantedPackage | Problem[]) => {
  const seen = new Map<string, number>();
  const introduced = new Map<string, ClientDescription>();
  return (row, clients) => {
    const wanted = readRow(row, { ...manner, clients, seenAt: (reference) => seen.get(reference), introduced });
    const reference = row.cell('reference');
    if (reference !== '' && !seen.has(reference)) seen.set(reference, row.line);
    return wanted;
  };
};

/** The package that a row says, or every problem that it has. */
const readRow = (row: SaidRow, around: Surroundings): WantedPackage | Problem[] => {
  const problems: Problem[] = [];
  const say: Say = (column, code, message) => void problems.push({ column, code, message });
  if (row.overlong) say(null, 'TOO_MANY_CELLS', 'This row has more cells than there are columns: is a cell with the delimiter not quoted?');

  const reference = referenceOf(row, around, say);
  const offered = offeringOf(row, around, say);
  const who = clientOf(row, around, say);
  const days = daysOf(row, around.places.today, say);
  const amountPaid = amountOf(row, around.places.currency, say);
  const remaining = offered ? remainingOf(row, offered, around.places, say) : [];
  if (problems.length > 0 || !offered || !who) return problems.slice(0, MAX_PROBLEMS);

  const { offeringId } = offered;
  const moved = { source: around.source, reference, offeringId, clientId: who.clientId, ...days, remaining, amountPaid };
  return { moved, register: who.register };
};

type Say = (column: string | null, code: string, message: string) => void;

const referenceOf = ({ cell }: SaidRow, { seenAt }: Surroundings, say: Say): string => {
  const reference = cell('reference');
  const before = seenAt(reference);
  if (reference === '') say('reference', 'REQUIRED', 'A package needs its reference: by it, it is never moved in twice.');
  else if (!isLine(reference, 200)) say('reference', 'NOT_A_TEXT', 'A reference is a line of text of at most 200 characters.');
  else if (before !== undefined) say('reference', 'REPEATED', `Line ${before} has this reference already.`);
  return reference;
};

const offeringOf = ({ cell }: SaidRow, { places }: Surroundings, say: Say): Offered | undefined => {
  const [offered, ...others] = places.offerings(cell('offering'));
  if (cell('offering') === '') say('offering', 'REQUIRED', 'Which offering? Its id, its reference or its exact name.');
  else if (!offered) say('offering', 'UNKNOWN_OFFERING', 'There is no offering with this id, reference or exact name.');
  else if (others.length > 0) say('offering', 'AMBIGUOUS', 'Several offerings have this reference or name: use the id.');
  else return offered;
  return undefined;
};

/** Somebody who is there; or, when that is wanted, somebody who is going to be. */
const clientOf = (
  { cell }: SaidRow,
  around: Surroundings,
  say: Say,
): { clientId: string; register: ClientDescription | null } | undefined => {
  const named = cell('client');
  const [clientId, ...others] = around.clients(named);
  if (named === '') say('client', 'REQUIRED', 'Whose package? The id, reference or e-mail address of the client.');
  else if (others.length > 0) say('client', 'AMBIGUOUS', 'Several clients have this reference or e-mail address: use the id.');
  else if (clientId) return { clientId, register: null };
  else if (!around.createClients || isId(named))
    say(
      'client',
      'UNKNOWN_CLIENT',
      'There is no client with this id, reference or e-mail address; createClients registers those that are not there.',
    );
  else return newClient(named, cell, around, say);
  return undefined;
};

const newClient = (named: string, cell: SaidRow['cell'], { places, introduced }: Surroundings, say: Say) => {
  const clientId = newClientId(places.business, named);
  const before = introduced.get(clientId);
  const byEmail = isEmail(named);
  const name = cell('clientName') || (before?.name ?? '');
  const email = byEmail ? named : cell('clientEmail') || (before?.email ?? null);
  if (name === '') say('clientName', 'REQUIRED', 'This client is not there yet: under which name shall they be registered?');
  else if (!isLine(name, 200)) say('clientName', 'NOT_A_TEXT', 'A name is a line of text of at most 200 characters.');
  if (email !== null && !isEmail(email)) say('clientEmail', 'NOT_AN_EMAIL', 'This is no e-mail address.');
  if (!byEmail && !isLine(named, 200)) say('client', 'NOT_A_TEXT', 'A reference is a line of text of at most 200 characters.');
  const register = { clientId, name, email, phone: null, externalReference: byEmail ? null : named };
  if (!before && isLine(name, 200) && (email === null || isEmail(email))) introduced.set(clientId, register);
  return { clientId, register };
};

const daysOf = ({ cell }: SaidRow, today: string, say: Say): { soldOn: string; expiresOn: string | null } => {
  const [soldOn, expiresOn] = [cell('soldOn'), cell('expiresOn')];
  if (!isLocalDate(soldOn))
    say('soldOn', soldOn === '' ? 'REQUIRED' : 'NOT_A_DATE', 'When it was sold: a date that exists, such as 2027-01-31.');
  else if (soldOn > today) say('soldOn', 'IN_THE_FUTURE', `Today is ${today}: it cannot have been sold later.`);
  if (expiresOn !== '' && !isLocalDate(expiresOn))
    say('expiresOn', 'NOT_A_DATE', 'The last valid day: a date that exists, such as 2027-01-31; empty: by the rule of the offering.');
  else if (expiresOn !== '' && isLocalDate(soldOn) && expiresOn < soldOn)
    say('expiresOn', 'BEFORE_SALE', 'The last valid day is before the day of the sale.');
  return { soldOn, expiresOn: expiresOn || null };
};

const amountOf = ({ cell }: SaidRow, currency: string, say: Say): Money | null => {
  if (!['', currency].includes(cell('currency'))) say('currency', 'WRONG_CURRENCY', `The currency of the business is ${currency}.`);
  const text = cell('amountPaid');
  if (text === '') return null;
  const amount = minorUnitsOf(text, currency);
  if (amount !== undefined && amount <= MAX_AMOUNT) return { amount, currency };
  const places = placesOf(currency);
  const example = places === 0 ? '450' : `450.${'0'.repeat(places)}`;
  say('amountPaid', 'NOT_AN_AMOUNT', `An amount in ${currency} is written like ${example}: at most ${places} decimals after a point.`);
  return null;
};

/** Every service of the offering has its number, or is unlimited on both sides; sorted by service, as it is stored. */
const remainingOf = (row: SaidRow, offered: Offered, places: Places, say: Say): MovedPackage['remaining'] => {
  const columns = row.remaining.map((column) => ({ ...column, meant: servicesMeant(column.service, offered, places) }));
  const told = columns.filter(({ text }) => text !== '');
  for (const { header, meant } of told) {
    if (meant.length === 0) say(header, 'NOT_IN_OFFERING', 'This service is not in the offering: leave the cell empty.');
    if (meant.length > 1) say(header, 'AMBIGUOUS', 'Of which service? Use a column for each: remaining:<service>.');
  }
  const left = offered.services.flatMap(({ serviceId, limit }) => {
    const own = columns.filter(({ meant }) => meant.length === 1 && meant[0] === serviceId);
    if (own.length === 0 && told.some(({ meant }) => meant.includes(serviceId))) return []; // told above
    return leftOf(own, limit, `remaining:${places.serviceName(serviceId)}`, say).map((remaining) => ({ serviceId, remaining }));
  });
  return left.sort((a, b) => (a.serviceId < b.serviceId ? -1 : 1));
};

/** The services of the offering that a column may be about. */
const servicesMeant = (service: string | null, { services }: Offered, places: Places): string[] => {
  const ids = services.map(({ serviceId }) => serviceId);
  return service === null ? ids : ids.filter((id) => places.services(service).has(id));
};

/** What remains of one service, from its columns: null is unlimited. Empty: it is not said, or not well. */
const leftOf = (columns: readonly { header: string; text: string }[], limit: Limit, missing: string, say: Say): (number | null)[] => {
  const told = columns.filter(({ text }) => text !== '');
  const header = (told[0] ?? columns[0])?.header ?? missing;
  const text = told[0]?.text.toLowerCase() ?? '';
  if (told.length > 1) say(header, 'REPEATED', 'Two columns say what remains of this service.');
  else if (limit === 'unlimited') {
    if (['', 'unlimited'].includes(text)) return [null];
    say(header, 'UNLIMITED', 'This service is unlimited in the offering: write unlimited, or nothing.');
  } else if (text === '') say(header, 'REQUIRED', 'The offering has this service: what remains of it?');
  else if (text === 'unlimited') say(header, 'NOT_UNLIMITED', 'This service is limited in the offering: write a number.');
  else if (/^\d{1,6}$/.test(text) && Number(text) <= MAX_REMAINING) return [Number(text)];
  else say(header, 'NOT_AN_INTEGER', `What remains is a whole number from 0 to ${MAX_REMAINING}.`);
  return [];
};

const isLine = (text: string, max: number): boolean => isTextOf(text, 1, max) && isClean(text, false);
