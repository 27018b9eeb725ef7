import { randomUUID } from 'node:crypto';
import { connectEventStore, type EncodedEvent, OutcomeUnknown } from '../event-store.js';

// A process that says when it begins, and appends, many at once, until its parent says "enough" and one was acknowledged, and then says
// how many were acknowledged. What the connection does meanwhile must not end it.

const store = connectEventStore({ url: process.argv[2]! });
const totals = { acknowledged: 0, unknown: 0 };
let enough = false;
process.once('message', () => (enough = true));

const event = (): EncodedEvent => {
  const [commandId, business] = [randomUUID(), randomUUID()];
  const metadata = {
    business,
    actor: { id: 'sub', role: 'owner' as const },
    commandId,
    $correlationId: commandId,
    $causationId: commandId,
  };
  return {
    id: randomUUID(),
    type: 'Happened',
    data: { text: 'x'.repeat(20_000) },
    metadata: { ...metadata, time: '2027-01-31T09:30:00.000Z', version: 1, hash: '' },
  };
};

async function appendOne(): Promise<void> {
  try {
    await store.append(`thing-${randomUUID()}`, 'no_stream', [event()]);
    totals.acknowledged += 1;
  } catch (error) {
    if (!(error instanceof OutcomeUnknown)) throw error;
    totals.unknown += 1;
  }
}

process.send?.('begun');
await Promise.all(
  Array.from({ length: 200 }, async () => {
    while (!enough || totals.acknowledged === 0) await appendOne();
  }),
);
await store.dispose();
process.send?.(totals, () => process.exit(0));
