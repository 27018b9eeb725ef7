import { randomUUID } from 'node:crypto';
import type { Recorded } from '../libs/domain/kernel/event.js';
import type { PackageEvent } from '../libs/domain/package/package.events.js';
import { consumed, sold, soldMassage } from '../libs/domain/testing/example-package.js';

const SESSIONS = 1_000; // of each package, so that none runs out
const CLIENTS = 2_000;
const OFFERINGS = 20;
const businessId = randomUUID();
const some = (count: number): string[] => Array.from({ length: count }, () => randomUUID());

/** Packages sold, then booked from in turn: each event is of another stream than the one before it. */
export function packageHistory(events: number, streams: number): Recorded<PackageEvent>[] {
  const [clients, offerings] = [some(CLIENTS), some(OFFERINGS)];
  const sale = sold({ services: [soldMassage(SESSIONS)], expiresOn: '2027-06-30' }) as Extract<PackageEvent, { type: 'PackageSold' }>;
  const use = consumed('2027-02-01', SESSIONS - 1, { expiresOn: '2027-06-30' }) as Extract<PackageEvent, { type: 'SessionConsumed' }>;
  const packages = Array.from({ length: streams }, (_, n) => ({
    packageId: randomUUID(),
    clientId: clients[n % CLIENTS]!,
    offeringId: offerings[n % OFFERINGS]!,
  }));
  return Array.from({ length: events }, (_, i) => {
    const about = packages[i % streams]!;
    const revision = Math.floor(i / streams);
    const event: PackageEvent =
      revision === 0
        ? { type: sale.type, data: { ...sale.data, ...about } }
        : { type: use.type, data: { ...use.data, ...about, consumptionId: randomUUID(), remaining: SESSIONS - revision, used: revision } };
    return recordedAt(event, `package-${about.packageId}`, revision, i);
  });
}

/** Packages sold and nothing else, a new row each, made as they are taken. */
export function* sales(count: number): Generator<Recorded<PackageEvent>> {
  const [clients, offerings] = [some(CLIENTS), some(OFFERINGS)];
  const sale = sold({ services: [soldMassage(SESSIONS)], expiresOn: '2027-06-30' }) as Extract<PackageEvent, { type: 'PackageSold' }>;
  for (let i = 0; i < count; i += 1) {
    const packageId = randomUUID();
    const data = { ...sale.data, packageId, clientId: clients[i % CLIENTS]!, offeringId: offerings[i % OFFERINGS]! };
    yield recordedAt({ type: sale.type, data }, `package-${packageId}`, 0, i);
  }
}

function recordedAt(event: PackageEvent, stream: string, revision: number, position: number): Recorded<PackageEvent> {
  const commandId = randomUUID();
  return {
    ...event,
    id: randomUUID(),
    stream,
    revision: BigInt(revision),
    position: BigInt(position),
    metadata: {
      business: businessId,
      actor: { id: 'rita', role: 'receptionist' },
      commandId,
      $correlationId: commandId,
      $causationId: commandId,
      time: new Date(Date.UTC(2027, 0, 1) + position).toISOString(),
      version: 1,
      hash: ''.padStart(64, '0'),
    },
  };
}
