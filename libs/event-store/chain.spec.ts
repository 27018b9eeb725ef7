import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Metadata } from '../domain/kernel/event.js';
import { chainHash, GENESIS, linkText, verifyChain } from './chain.js';
import type { StoredEvent } from './event-store.js';
import type { JsonObject } from './stored-json.js';

/** Events of one stream with these data, chained. */
function chained(datas: JsonObject[], stream = 'package-1'): StoredEvent[] {
  let hash = GENESIS;
  return datas.map((data, index) => {
    const event = { stream, revision: BigInt(index), id: `event-${index}`, type: 'SessionConsumed', data };
    const metadata = { business: 'b', actor: { id: 'sub', role: 'receptionist' as const }, commandId: `c${index}`, version: 1 };
    const beside = { ...metadata, $correlationId: 'c', $causationId: 'c', time: '2027-01-31T09:30:00.000Z' };
    hash = chainHash(hash, linkText({ ...event, metadata: beside }));
    return { ...event, position: BigInt(index * 100), metadata: { ...beside, hash } };
  });
}

const stream = () => chained([{ remaining: 4 }, { remaining: 3 }, { remaining: 2 }, { remaining: 1 }]);
const changed = (at: number, change: Partial<StoredEvent>) => stream().map((event, n) => (n === at ? { ...event, ...change } : event));
const metadataOf = (at: number) => stream()[at]!.metadata;

it('K4: holds over an untouched stream, and over none', () => {
  expect(verifyChain(stream())).toBeUndefined();
  expect(verifyChain([])).toBeUndefined();
});

it('K4: holds over a part, given what comes before it', () => {
  const { revision, metadata } = stream()[1]!;
  expect(verifyChain(stream().slice(2), { revision, hash: metadata.hash })).toBeUndefined();
});

it.each([
  ['data', changed(2, { data: { remaining: 7 } }), 2n, 'hash'],
  ['a type', changed(2, { type: 'SessionReturned' }), 2n, 'hash'],
  ['an event id', changed(1, { id: 'event-9' }), 1n, 'hash'],
  ['a version', changed(1, { metadata: { ...metadataOf(1), version: 2 } }), 1n, 'hash'],
  ['who did it', changed(3, { metadata: { ...metadataOf(3), actor: { id: 'other', role: 'owner' } } }), 3n, 'hash'],
  ['when', changed(0, { metadata: { ...metadataOf(0), time: '2027-01-30T09:30:00.000Z' } }), 0n, 'hash'],
  ['a hash', changed(3, { metadata: { ...metadataOf(3), hash: GENESIS } }), 3n, 'hash'],
  ['a field added to the metadata', changed(1, { metadata: { ...metadataOf(1), note: 'x' } as Metadata }), 1n, 'hash'],
  ['one that is missing', stream().filter((_, n) => n !== 1), 1n, 'gap'],
  ['the first that is missing', stream().slice(1), 0n, 'gap'],
  ['two in the other order', [0, 2, 1, 3].map((n) => stream()[n]!), 1n, 'gap'],
  ['one from another stream', changed(2, { stream: 'package-2' }), 2n, 'otherStream'],
])('K4: names the first event that does not hold: %s', (_, events, revision, why) =>
  expect(verifyChain(events)).toMatchObject({ revision, why }),
);

it('K4: a whole stream under another name does not hold', () =>
  expect(verifyChain(stream().map((event) => ({ ...event, stream: 'package-2' })))).toMatchObject({ revision: 0n, why: 'hash' }));

it('K4: an event rewritten with a hash of its own breaks the one after it', () => {
  const [first, second, ...rest] = stream();
  const { hash: _, ...metadata } = second!.metadata;
  const forged = { ...second!, data: { remaining: 5 } };
  const hash = chainHash(first!.metadata.hash, linkText({ ...forged, metadata }));
  expect(verifyChain([first!, { ...forged, metadata: { ...metadata, hash } }, ...rest])).toMatchObject({ revision: 2n, why: 'hash' });
});

it('K4: does not depend on the order in which fields are stored', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          fc.oneof(fc.string(), fc.integer()),
        ),
      ),
      (datas) => {
        const reordered = (object: object) => Object.fromEntries(Object.entries(object).reverse());
        const events = chained(datas).map((event) => {
          return { ...event, data: reordered(event.data), metadata: reordered(event.metadata) as unknown as Metadata };
        });
        expect(verifyChain(events)).toBeUndefined();
      },
    ),
  ));

it('K4: is what docs/stored-forms.md shows', () => {
  const page = readFileSync(new URL('../../docs/stored-forms.md', import.meta.url), 'utf8');
  const example = JSON.parse(/```json chain\n([^]*?)```/.exec(page)![1]!) as (Omit<StoredEvent, 'revision'> & { revision: string })[];
  const events = example.map((event) => ({ ...event, revision: BigInt(event.revision) }));
  expect(events.length).toBeGreaterThan(1);
  expect(verifyChain(events)).toBeUndefined();
});
