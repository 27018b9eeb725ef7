import type { Seal } from '../domain/seal/seal.events.js';
import type { StoredEvent } from '../event-store/event-store.js';
import { isSigned, pemOf, sealHash, sealKeyOf } from './seal.js';
import { BUSINESS, chained, eventAfter, type History, KEY, OTHER_KEY, rechained, sealed, sourceOf } from './testing/example-history.js';
import { verify, type VerifyOptions } from './verify.js';

// Two packages and a client, sealed after 4, after 7 and after 9 of 10 events.
const [a, b, c] = ['package-a', 'package-b', 'client-c'] as const;
const events = chained([c, a, a, b, a, b, a, c, b, a]);
const history: History = { events, seals: sealed(events, [4, 7, 9]) };
const at = (stream: string, revision: number): StoredEvent =>
  events.find((one) => one.stream === stream && one.revision === BigInt(revision))!;

const faultsOf = async (tampered: { events?: readonly StoredEvent[]; seals?: readonly unknown[] }, options?: VerifyOptions) =>
  (await verify(sourceOf({ ...history, ...tampered }), options)).flatMap(({ faults }) => faults);
const first = async (...tampered: Parameters<typeof faultsOf>) => (await faultsOf(...tampered))[0];
const without = (...gone: StoredEvent[]) => events.filter((event) => !gone.includes(event));
const instead = (event: StoredEvent, ...others: StoredEvent[]) => events.flatMap((one) => (one === event ? others : [one]));

describe('verifying a history', () => {
  it('K4: an untouched one holds, and says what it is', async () => {
    const [verdict] = await verify(sourceOf(history));
    expect(verdict).toEqual({ business: BUSINESS, events: 10, streams: 3, seals: 3, sealed: 9, faults: [] });
  });
  it('K4: one without a seal holds by its hashes', async () => expect(await faultsOf({ seals: [] })).toEqual([]));
  it('K4: one without an event holds', async () => expect(await faultsOf({ events: [], seals: [] })).toEqual([]));

  it('K4: a changed event is named', async () => {
    const event = at(a, 1);
    expect(await first({ events: instead(event, { ...event, data: { remaining: 77 } }) })).toMatchObject({
      ...{ why: 'changed', stream: a, revision: 1n, eventId: event.id },
    });
  });
  it('K4: a dropped event is named', async () =>
    expect(await first({ events: without(at(a, 1)) })).toMatchObject({ why: 'dropped', stream: a, revision: 1n }));
  it('K4: a dropped event is named though its stretch ends before the stream goes on', async () =>
    expect(await first({ events: without(at(b, 0)) })).toMatchObject({ why: 'dropped', stream: b, revision: 0n }));
  it('K4: reordered events of a stream are named', async () => {
    const [one, two] = [at(a, 1), at(a, 2)];
    const swapped = events.map((event) =>
      event === one ? { ...two, position: one.position } : event === two ? { ...one, position: two.position } : event,
    );
    expect(await first({ events: swapped })).toMatchObject({ why: 'reordered', stream: a, revision: 1n, eventId: one.id });
  });
  it('K4: reordered events of different streams are named by their positions', async () => {
    const [one, two] = [at(a, 0), at(b, 0)];
    const swapped = events.map((event) => (event === one ? two : event === two ? one : event));
    expect(await first({ events: swapped })).toMatchObject({ why: 'reordered', stream: a, revision: 1n });
  });
  it('K4: reordered events whose positions were written anew do not fit their seal', async () => {
    const [one, two] = [at(a, 0), at(c, 0)];
    const swapped = [{ ...one, position: two.position }, { ...two, position: one.position }, ...events.slice(2)];
    expect(await first({ events: swapped })).toMatchObject({ why: 'reordered', seal: 1 });
  });
  it('K4: an event that stands there twice is named', async () =>
    expect(await first({ events: instead(at(a, 1), at(a, 1), { ...at(a, 1), position: 250n }) })).toMatchObject({
      ...{ why: 'inserted', stream: a, revision: 1n },
    }));
  it('K4: an inserted event is named, though its own hash follows from the one before it', async () => {
    const more = eventAfter(at(b, 0), { stream: b, position: 350n, data: { remaining: 9 }, id: 'inserted' });
    expect(await first({ events: instead(at(b, 0), at(b, 0), more) })).toMatchObject({ why: 'inserted', stream: b, revision: 1n });
  });
  it('K4: an event inserted at the end of a stream is named by the seal', async () => {
    const more = eventAfter(at(c, 1), { stream: c, position: 750n, data: { remaining: 9 }, id: 'inserted' });
    expect(await first({ events: instead(at(c, 1), at(c, 1), more) })).toMatchObject({ why: 'inserted', stream: c, revision: 2n, seal: 3 });
  });
  it('K4: an inserted stream is named by the seal', async () => {
    const more = eventAfter(undefined, { stream: 'package-x', position: 350n, data: { remaining: 9 }, id: 'inserted' });
    expect(await first({ events: instead(at(b, 0), at(b, 0), more) })).toMatchObject({
      ...{ why: 'inserted', stream: 'package-x', revision: 0n, eventId: 'inserted', seal: 2 },
    });
  });
  it('K4: a truncated tail is named by the seal', async () =>
    expect(await first({ events: without(at(b, 2)) })).toMatchObject({ why: 'truncated', stream: b, revision: 2n, seal: 3 }));
  it('K4: a tail truncated over several seals is named where it begins', async () =>
    expect(await first({ events: without(at(b, 1), at(b, 2)) })).toMatchObject({ why: 'truncated', stream: b, revision: 1n, seal: 2 }));
  it('K4: a missing stream is named by the seal', async () =>
    expect(await first({ events: events.filter(({ stream }) => stream !== b) })).toMatchObject({
      ...{ why: 'missingStream', stream: b, revision: 0n, seal: 1 },
    }));
  it('K4: a chain recomputed as a whole is named by the seal', async () => {
    const event = at(a, 2);
    const forged = rechained(instead(event, { ...event, data: { remaining: 77 } }));
    expect(await first({ events: forged })).toMatchObject({ why: 'recomputed', stream: a, revision: 2n, seal: 2 });
  });
  it('K4: an event of another business is named', async () => {
    const foreign = { ...at(a, 1), metadata: { ...at(a, 1).metadata, business: 'another' } };
    expect(await first({ events: instead(at(a, 1), foreign) })).toMatchObject({
      why: 'inserted',
      stream: a,
      revision: 1n,
      eventId: foreign.id,
    });
  });
  it('K4: an event without a hash is named, and is none of those that are sealed', async () => {
    const metadata = { business: BUSINESS } as StoredEvent['metadata'];
    const foreign = { ...at(a, 1), stream: 'package-x', revision: 0n, position: 250n, id: 'foreign', metadata };
    expect(await faultsOf({ events: instead(at(a, 1), at(a, 1), foreign) })).toMatchObject([
      { why: 'inserted', stream: 'package-x', revision: 0n, eventId: 'foreign' },
    ]);
  });

  it('K4: is the same, however often it has to be read for want of memory', async () => {
    const tamperings = [events, without(at(b, 2)), without(at(a, 1)), events.filter(({ stream }) => stream !== c)];
    for (const tampered of tamperings)
      expect(await faultsOf({ events: tampered }, { streamsAtOnce: 1 })).toEqual(await faultsOf({ events: tampered }));
    const [verdict] = await verify(sourceOf(history), { streamsAtOnce: 1 });
    expect(verdict).toMatchObject({ events: 10, streams: 3, faults: [] });
  });
});

describe('verifying seals', () => {
  const [one, two, three] = history.seals as [Seal, Seal, Seal];

  it('K4: a changed seal is named', async () =>
    expect(await first({ seals: [one, { ...two, events: 8 }, three] })).toMatchObject({ why: 'sealChanged', seal: 2 }));
  it('K4: one that is none is named', async () =>
    expect(await first({ seals: [one, 'two', three] })).toMatchObject({ why: 'sealChanged', seal: 2 }));
  it('K4: a wrong signature is named', async () =>
    expect(await first({ seals: [one, two, { ...three, signature: two.signature }] })).toMatchObject({ why: 'sealChanged', seal: 3 }));
  it('K4: a signature written in another way is named', async () => {
    const otherwise = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(
      (last) => three.signature.slice(0, -1) + last,
    );
    for (const signature of otherwise.filter((other) => other !== three.signature)) expect(isSigned({ ...three, signature })).toBe(false);
  });
  it('K4: a missing seal is named', async () => {
    expect(await first({ seals: [one, three] })).toMatchObject({ why: 'sealMissing', seal: 2 });
    expect(await first({ seals: [two, three] })).toMatchObject({ why: 'sealMissing', seal: 1 });
  });
  it('K4: that there is no seal is named, where it is known with which key all is sealed', async () => {
    const publicKeys = [KEY.publicKey];
    expect(await first({ seals: [] }, { publicKeys })).toMatchObject({ why: 'sealMissing', seal: 1 });
    expect(await faultsOf({ events: [], seals: [] }, { publicKeys })).toEqual([]);
  });
  it('K4: seals of before and after a change of the key hold where both keys are known', async () => {
    const changed = [...sealed(events, [4])];
    changed.push(
      ...sealed(events, [4, 7], OTHER_KEY)
        .slice(1)
        .map((seal) => OTHER_KEY.seal({ ...seal, previous: sealHash(changed[0]!) })),
    );
    const publicKeys = [KEY.publicKey, OTHER_KEY.publicKey];
    expect(await faultsOf({ seals: changed }, { publicKeys })).toEqual([]);
    expect(await first({ seals: changed }, { publicKeys: [KEY.publicKey] })).toMatchObject({ why: 'sealKey', seal: 2 });
    expect(await first({ seals: changed })).toMatchObject({
      why: 'sealKey',
      seal: 2,
      says: expect.stringContaining('give all that were used'),
    });
  });
  it('K4: a seal in the place of another is named', async () => {
    const forged = KEY.seal({ ...two, heads: two.heads.slice(1) });
    expect(await first({ seals: [one, forged, three] })).toMatchObject({ why: 'sealReplaced', seal: 3 });
  });
  it('K4: what somebody else wrote between the seals is named, and those after it are held to', async () => {
    const forged = OTHER_KEY.seal({ ...three, previous: sealHash(two) });
    for (const stray of [null, 'a stray', one, { ...two, events: 8 }, forged]) {
      const seals = [one, two, stray, three];
      const stands = { why: 'inserted', stream: `seals-${BUSINESS}`, revision: 2n };
      expect(await faultsOf({ seals })).toMatchObject([stands]);
      const [verdict] = await verify(sourceOf({ ...history, seals }));
      expect(verdict).toMatchObject({ seals: 3, sealed: 9 });
      expect(await faultsOf({ seals, events: without(at(b, 2)) })).toMatchObject([{ why: 'truncated', stream: b, seal: 3 }, stands]);
    }
  });
  it('K4: a seal of ours that does not go on from the one before is no stray, and what comes after it vouches for nothing', async () => {
    const again = KEY.seal({ ...two, previous: sealHash(one), heads: two.heads.slice(1) });
    const publicKeys = [KEY.publicKey];
    for (const [seals, fault] of [
      [[one, { ...two, events: 8 }, three, again], { why: 'sealChanged', seal: 2 }],
      [[one, three, again], { why: 'sealMissing', seal: 2 }],
      [[three, one, two], { why: 'sealMissing', seal: 1 }],
      [[one, KEY.seal({ ...two, previous: sealHash(three) }), two], { why: 'sealReplaced', seal: 2 }],
    ] as const) {
      expect(await faultsOf({ seals }, { publicKeys })).toMatchObject([fault]);
      const [verdict] = await verify(sourceOf({ ...history, seals }), { publicKeys });
      expect(verdict!.seals).toBe(seals[0] === one ? 1 : 0);
    }
  });
  it('K4: a first seal of somebody else is named, and those with the key that was given hold', async () => {
    const seals = [OTHER_KEY.seal({ ...one, through: '9000000000000000000' }), one, two, 'a stray', three];
    const stands = [0n, 3n].map((revision) => ({ why: 'inserted', revision }));
    expect(await faultsOf({ seals }, { publicKeys: [KEY.publicKey] })).toMatchObject(stands);
  });
  it('K4: what somebody wrote after the last seal is named', async () =>
    expect(await first({ seals: [one, two, three, one] })).toMatchObject({ why: 'sealReplaced', seal: 1 }));
  it('K4: seals made anew with another key are named', async () => {
    const forged = rechained(instead(at(a, 2), { ...at(a, 2), data: { remaining: 77 } }));
    const seals = sealed(forged, [4, 7, 9], OTHER_KEY);
    expect(await first({ events: forged, seals })).toBeUndefined(); // whose key it is, nobody said
    expect(await first({ events: forged, seals }, { publicKeys: [KEY.publicKey] })).toMatchObject({ why: 'sealKey', seal: 1 });
    expect(await first({ seals: [one, ...sealed(events, [4, 7, 9], OTHER_KEY).slice(1)] })).toMatchObject({ why: 'sealKey', seal: 2 });
  });

  it('K4: a history and its seals made anew with the same key differ from a seal that was kept elsewhere', async () => {
    const forged = rechained(instead(at(a, 2), { ...at(a, 2), data: { remaining: 77 } }));
    const seals = sealed(forged, [4, 7, 9]);
    expect(await first({ events: forged, seals })).toBeUndefined();
    expect(await first({ events: forged, seals }, { kept: [three] })).toMatchObject({ why: 'sealReplaced', seal: 3 });
    const faults = await faultsOf({ events: forged, seals }, { kept: [two] });
    expect(faults).toMatchObject([
      { why: 'recomputed', stream: a, revision: 2n },
      { why: 'sealReplaced', seal: 2 },
    ]);
  });
  it('K4: what was truncated together with its seals is named by a seal that was kept elsewhere', async () => {
    const short = events.slice(0, 7);
    expect(await first({ events: short, seals: [one, two] })).toBeUndefined();
    const faults = await faultsOf({ events: short, seals: [one, two] }, { kept: [three] });
    expect(faults).toMatchObject([
      { why: 'truncated', stream: c, revision: 1n, seal: 3 },
      { why: 'truncated', stream: b, revision: 2n, seal: 3 },
      { why: 'sealMissing', seal: 3 },
    ]);
    expect(await faultsOf({ events: short, seals: [one] }, { kept: [three] })).toContainEqual(
      expect.objectContaining({ why: 'sealMissing', seal: 2 }),
    );
  });
  it('K4: a business that is gone is named by a seal that was kept elsewhere', async () =>
    expect((await faultsOf({ events: [], seals: [] }, { kept: [one] })).map(({ why }) => why)).toEqual([
      ...['missingStream', 'missingStream', 'missingStream'],
      'sealMissing',
    ]));
  it('K4: a seal that was kept elsewhere and is not signed is not believed', async () =>
    expect(await first({}, { kept: [{ ...three, number: 4 }] })).toMatchObject({ why: 'sealChanged', seal: 4 }));
});

describe('a seal', () => {
  it('K4: names the streams that have changed since the one before, and that one', () => {
    const [one, two] = history.seals;
    expect(one!.heads.map(({ stream, revision }) => `${stream}@${revision}`)).toEqual(['client-c@0', 'package-a@1', 'package-b@0']);
    expect(two!.heads.map(({ stream, revision }) => `${stream}@${revision}`)).toEqual(['package-a@3', 'package-b@1']);
    expect(two).toMatchObject({ number: 2, previous: sealHash(one!), events: 7, streams: 3, through: '600' });
  });
  it('K4: is signed with a key of 32 bytes, in hex or base64url, that any program can check', () => {
    expect(sealKeyOf(Buffer.alloc(32, 0x11).toString('base64url')).publicKey).toBe(KEY.publicKey);
    expect(pemOf(KEY.publicKey)).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(() => sealKeyOf('too short')).toThrow('32 bytes');
  });
});
