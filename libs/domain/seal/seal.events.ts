import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id, instant, position } from '../kernel/shapes.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * K4: how far a business's streams were, signed, so that what is taken away or written anew later shows (docs/stored-forms.md). A business's
 * seals are a chain: each holds the hash of the one before it.
 */
export const HistorySealed = defineEvent(
  'HistorySealed',
  z.object({
    businessId: id,
    number: z.int().positive(), // from 1, without a gap: the revision of the event, and 1
    at: instant,
    through: position, // of the last event that is sealed: all of the business's up to here are
    events: z.int().positive(), // of the business up to there, the seals left out
    streams: z.int().positive(),
    log: sha256, // over the places and hashes of all of these events, in their order
    heads: z.array(z.object({ stream: z.string(), revision: position, hash: sha256 })), // of the streams that changed since the seal before, by name
    previous: sha256, // of the seal before; 64 zeros for the first
    publicKey: z.string().regex(/^[\w-]{43}$/), // Ed25519, 32 bytes in base64url
    signature: z.string().regex(/^[\w-]{86}$/), // of all fields but itself, 64 bytes in base64url
  }),
);

export const sealEvents = [HistorySealed] as const;
export type Seal = EventOf<typeof HistorySealed>['data'];
export type Head = Seal['heads'][number];

/** The seals of a business, one event each. No command handling: whoever seals appends after the last seal that was read. */
export const SEALS = 'seals';
export const sealsOf = (business: string): string => `${SEALS}-${business}`;
export const isSeal = ({ stream }: { stream: string }): boolean => stream.startsWith(`${SEALS}-`);

const OF_A_BUSINESS = /^seals-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Whose seals stand in the stream of an event; undefined: nobody's, though it may be called like that. */
export const businessOfSeals = ({ stream }: { stream: string }): string | undefined => OF_A_BUSINESS.exec(stream)?.[1];
