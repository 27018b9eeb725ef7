import type Stripe from 'stripe';
import { noJournal, openJournal, type Change, type Journal } from './journal.js';

/** The first answer to an idempotency key, for its repeats. */
export interface KeptAnswer {
  id: string; // the key
  request: string; // what was asked with it
  status: number;
  body: string;
}

/** An event on its way to the webhook. */
export interface Delivery {
  id: string; // of the event
  state: 'waiting' | 'held' | 'delivered' | 'given up';
  attempts: number;
  due: number; // ms
}

/** Something that will happen to a pending refund by itself. */
export interface Settling {
  id: string; // of the refund
  outcome: 'succeeded' | 'failed';
  due: number; // ms; Infinity once it has happened is written as null
  done: boolean;
}

/** What is bought in a session, for its page. */
export interface Bought {
  id: string; // of the session
  lines: { name: string; description: string | null; quantity: number; amount: number }[];
  metadata: Stripe.Metadata; // of the payment intent to be
  description: string | null; // of the payment intent to be
}

export interface AccountLink {
  id: string;
  returnUrl: string;
  refreshUrl: string;
  expiresAt: number; // s
}

/** Things of one kind, by id, in the order of their making. They are never changed in place: what is put replaces them. */
export interface Table<Item extends { id: string }> {
  /** One that belongs to this account. */
  get(account: string, id: string): Item | undefined;
  /** One, and whose it is. */
  find(id: string): { account: string; item: Item } | undefined;
  of(account: string): Item[]; // oldest first
  all(): { account: string; item: Item }[];
  changes(): number; // so far
  put(account: string, item: Item): Item;
}

interface Written {
  note(change: Change, undo: () => void): void;
}

/** Everything that the simulator knows: in memory, and in a file if there is one. */
export const openState = (path?: string) => {
  const loaders = new Map<string, (account: string, item: { id: string }) => void>();
  let changes: Change[] | undefined; // of the open transaction
  let undos: (() => void)[] = [];
  const written: Written = {
    note(change, undo) {
      if (!changes) throw new Error('Nothing changes outside of a transaction.');
      changes.push(change);
      undos.push(undo);
    },
  };
  const table = <Item extends { id: string }>(name: string): Table<Item> => {
    const { load, ...rest } = tableOf<Item>(name, written);
    loaders.set(name, (account, item) => load(account, item as Item));
    return rest;
  };
  const tables = {
    accounts: table<Stripe.Account>('accounts'),
    accountLinks: table<AccountLink>('accountLinks'),
    sessions: table<Stripe.Checkout.Session>('sessions'),
    bought: table<Bought>('bought'),
    paymentIntents: table<Stripe.PaymentIntent>('paymentIntents'),
    charges: table<Stripe.Charge>('charges'),
    refunds: table<Stripe.Refund>('refunds'),
    settlings: table<Settling>('settlings'),
    disputes: table<Stripe.Dispute>('disputes'),
    events: table<Stripe.Event>('events'),
    deliveries: table<Delivery>('deliveries'),
    answers: table<KeptAnswer>('answers'),
  };
  const replay = (changes: Change[]) => {
    for (const [name, account, item] of changes) loaders.get(name)?.(account, item);
  };
  const journal: Journal = path === undefined ? noJournal : openJournal(path, replay);

  /** What is put within it is kept as one; if it throws, nothing of it is. */
  const transact = <Result>(work: () => Result): Result => {
    if (changes) return work(); // part of what surrounds it
    [changes, undos] = [[], []];
    try {
      const result = work();
      // A webhook that is sent once more does no harm.
      if (changes.length > 0)
        journal.append(
          changes,
          changes.every(([name]) => name === 'deliveries'),
        );
      return result;
    } catch (error) {
      for (const undo of undos.toReversed()) undo();
      throw error;
    } finally {
      changes = undefined;
    }
  };
  return { ...tables, transact, close: () => journal.close() };
};

export type State = ReturnType<typeof openState>;

const tableOf = <Item extends { id: string }>(name: string, written: Written) => {
  const rows = new Map<string, { account: string; item: Item }>();
  let changes = 0;
  const load = (account: string, item: Item): void => {
    rows.set(item.id, { account, item });
    changes += 1;
  };
  return {
    load,
    find: (id: string) => rows.get(id),
    get(account: string, id: string) {
      const row = rows.get(id);
      return row?.account === account ? row.item : undefined;
    },
    of: (account: string) => [...rows.values()].filter((row) => row.account === account).map(({ item }) => item),
    all: () => [...rows.values()],
    changes: () => changes,
    put(account: string, item: Item) {
      const before = rows.get(item.id);
      load(account, item);
      written.note([name, account, item], () => void (before ? rows.set(item.id, before) : rows.delete(item.id)));
      return item;
    },
  };
};
