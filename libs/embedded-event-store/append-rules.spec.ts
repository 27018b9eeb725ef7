import { decideAppend, type EventLookup, type StreamState } from './append-rules.js';
import { deletedStream, type ExpectedRevision } from './stored-event.js';

// The table of `IndexWriter.CheckCommit`; the contract suite shows the same through the client.

const stored = ['a', 'b', 'c']; // ids at revisions 0, 1, 2 of the stream
const place = (id: string) => ({ stream: 's', revision: BigInt(stored.indexOf(id)), position: BigInt(100 + stored.indexOf(id)) });
const remembered: EventLookup = {
  byId: (id) => (stored.includes(id) ? place(id) : undefined),
  at: (_, revision) => (stored[Number(revision)] === undefined ? undefined : { id: stored[Number(revision)]!, position: 100n + revision }),
};
const afterRestart: EventLookup = { byId: () => undefined, at: (_, revision) => (revision <= 2n ? 'unknown' : undefined) };

const written: StreamState = { revision: 2n, metadataRevision: -1n, softDeleted: false };
const unwritten: StreamState = { revision: -1n, metadataRevision: -1n, softDeleted: false };
const softDeleted: StreamState = { revision: 2n, metadataRevision: 0n, softDeleted: true };
const tombstoned: StreamState = { revision: deletedStream, metadataRevision: -1n, softDeleted: false };

const decide = (state: StreamState, expected: ExpectedRevision, ids: string, events = remembered): string => {
  const decision = decideAppend('s', state, expected, ids === '' ? [] : ids.split(' '), events);
  switch (decision.kind) {
    case 'store':
      return decision.recreate ? 'recreate' : 'store';
    case 'repeat':
      return `repeat of ${decision.revision}`;
    case 'wrongExpectedVersion':
      return `wrong, at ${decision.current}`;
    case 'readIds':
      return `read ids from ${decision.from}`;
    default:
      return decision.kind;
  }
};

it.each<[string, StreamState, ExpectedRevision, string, string]>([
  ['a stream never written', unwritten, 'any', 'x', 'store'],
  ['a stream never written', unwritten, 'noStream', 'x', 'store'],
  ['a stream never written', unwritten, 'streamExists', 'x', 'wrong, at -1'],
  ['a stream never written', unwritten, 0n, 'x', 'wrong, at -1'],
  ['a stream with metadata only', { ...unwritten, metadataRevision: 0n }, 'streamExists', 'x', 'store'],
  ['the current revision', written, 2n, 'x', 'store'],
  ['a repeat at the current revision', written, 2n, 'c', 'store'],
  ['a revision ahead', written, 3n, 'x', 'wrong, at 2'],
  ['an old revision', written, 1n, 'x', 'wrong, at 2'],
  ['a repeat at an old revision', written, 0n, 'b c', 'repeat of 2'],
  ['a repeat from the start', written, 'noStream', 'a b', 'repeat of 1'],
  ['a repeat that goes on', written, 1n, 'c x', 'wrong, at 2'],
  ['a repeat out of order', written, 0n, 'c b', 'wrong, at 2'],
  ['no events, behind', written, 1n, '', 'wrong, at 2'],
  ['no events', written, 'any', '', 'store'],
  ['known ids', written, 'any', 'a b', 'repeat of 1'],
  ['known ids in any order', written, 'any', 'c a', 'repeat of 0'],
  ['known ids', written, 'streamExists', 'c', 'repeat of 2'],
  ['known ids and then a new one', written, 'any', 'a x', 'wrong, at 2'],
  ['a new id and then known ones', written, 'any', 'x a', 'store'],
  ['a soft-deleted stream', softDeleted, 'any', 'x', 'recreate'],
  ['a soft-deleted stream', softDeleted, 'noStream', 'x', 'recreate'],
  ['a soft-deleted stream', softDeleted, 2n, 'x', 'recreate'],
  ['a soft-deleted stream', softDeleted, 0n, 'x', 'wrong, at 2'],
  ['a soft-deleted stream', softDeleted, 'streamExists', 'x', 'streamDeleted'],
  ['a repeat on a soft-deleted stream', softDeleted, 'noStream', 'a', 'repeat of 0'],
  ['a tombstoned stream', tombstoned, 'any', 'x', 'streamDeleted'],
  ['a tombstoned stream', tombstoned, 'noStream', 'x', 'streamDeleted'],
])('%s', (_, state, expected, ids, decision) => expect(decide(state, expected, ids)).toBe(decision));

it('forgets ids with a restart, but not what stands in the stream', () => {
  expect(decide(written, 'any', 'a', afterRestart)).toBe('store');
  expect(decide(written, 'noStream', 'a b', afterRestart)).toBe('read ids from 0');
});

it('knows an id by the stream it was stored in', () => {
  const elsewhere: EventLookup = { ...remembered, byId: () => ({ stream: 'other', revision: 0n, position: 1n }) };
  expect(decide(written, 'any', 'a', elsewhere)).toBe('store');
});
