import { randomUUID } from 'node:crypto';
import { packageAggregate } from '../../libs/domain/package/package.state.js';
import { cad } from '../../libs/domain/testing/example.js';
import { sale, sold } from '../../libs/domain/testing/example-package.js';
import { type Desk, type Fleet, until } from './fleet.js';
import { openShop, paidUpfront } from './shop.js';

// A business in which nothing happens any more, and whose export is long: so much that no buffer holds it.

const PACKAGES = 300;
const LETTERS = 40_000; // of each package's name: what is exported is large, and few events make it
const SLOWLY = 1_000; // ms between two pieces of the file
const FEE = 100_00; // of the first; each costs a cent more than the one before

export interface QuietBusiness {
  desk: Desk;
  /** What all that reads it must say, whenever. */
  figures: { packages: number; fee: number; outstanding: number };
  /** Reads the file of its sales, slowly until it is told to hurry. */
  export(url: string): SlowExport;
}

interface SlowExport {
  isOver(): boolean;
  /** The figures of the file, once it was read to its end. */
  hurry(): Promise<QuietBusiness['figures']>;
}

export async function openQuietBusiness(fleet: Fleet): Promise<QuietBusiness> {
  const desk = await fleet.openDesk();
  const shop = await openShop(desk, fleet.apis[0]!.url);
  const { offeringId } = await desk.get(fleet.apis[0]!.url, paidUpfront(shop));
  const fees = Array.from({ length: PACKAGES }, (_, n) => FEE + n);
  for (const fee of fees) await sell(fleet, desk, { clientId: shop.clientId, offeringId: offeringId! }, fee);
  const sum = fees.reduce((total, fee) => total + fee, 0);
  const figures = { packages: PACKAGES, fee: sum, outstanding: sum };
  const path = '/reports/sales/totals?by=month';
  await until(async () => {
    const { body } = await desk.send(fleet.apis[0]!.url, { method: 'GET', path });
    return (body.total as typeof figures | undefined)?.packages === PACKAGES;
  }, 'all is in the report');
  return { desk, figures, export: (url) => slowExport(url, desk) };
}

async function sell(
  { reader }: Fleet,
  { business, actor: id }: Desk,
  of: { clientId: string; offeringId: string },
  fee: number,
): Promise<void> {
  const [packageId, invoiceId, commandId] = [randomUUID(), randomUUID(), randomUUID()];
  const context = { commandId, business, actor: { id, role: 'owner' as const }, correlationId: commandId, causationId: commandId };
  const { invoice } = sale({ fee: cad(fee) });
  const own = { packageId, invoiceId, clientId: of.clientId };
  const event = sold({ ...of, fee: cad(fee), packageId, name: 'x'.repeat(LETTERS), invoice: { ...invoice, ...own } });
  await reader.handle(packageAggregate, packageId, { ...context, now: reader.clock() }, () => [event], { create: 'unseen' });
}

function slowExport(url: string, { token }: Desk): SlowExport {
  let isOver = false;
  let hurry!: () => void;
  const hurried = new Promise<void>((resolve) => (hurry = resolve));
  const reading = (async () => {
    const answer = await fetch(`${url}/v1/reports/sales.csv`, { headers: { authorization: `Bearer ${token}` } });
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of answer.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      await Promise.race([hurried, new Promise((resolve) => setTimeout(resolve, SLOWLY))]);
    }
    isOver = true;
    return figuresOf(text);
  })();
  reading.catch(() => undefined); // told when it is waited for
  return {
    isOver: () => isOver,
    hurry: async () => {
      hurry();
      return reading;
    },
  };
}

function figuresOf(file: string): QuietBusiness['figures'] {
  const [head, ...rows] = file
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
  const sumOf = (name: string) => rows.reduce((sum, row) => sum + Math.round(Number(row[head!.indexOf(name)]) * 100), 0);
  return {
    packages: new Set(rows.map((row) => row[head!.indexOf('packageId')])).size,
    fee: sumOf('fee'),
    outstanding: sumOf('outstanding'),
  };
}
