import { z } from 'zod';
import { defineEvent, type EventOf } from '../kernel/event.js';
import { id, instant } from '../kernel/shapes.js';

// L7: a file of packages that is moved in, and how far that has come. The packages themselves are in their own streams.
// Nothing of what stood in the file is kept here: it tells of people.

const about = z.object({ importId: id, at: instant });
const count = z.int().nonnegative();
const attempt = z.int().positive(); // who works on it: one that was taken over by another says no more

/** Of the rows of this attempt, after the event: `skipped` were there already, the same. */
const counts = z.object({ imported: count, skipped: count, failed: count });

/** What is wrong with one row: its first line in the file, and every problem. */
export const badRow = z.object({
  line: z.int().positive(),
  problems: z.array(z.object({ column: z.string().nullable(), code: z.string(), message: z.string() })).min(1),
});

export const ImportStarted = defineEvent(
  'ImportStarted',
  about.extend({
    source: z.string(),
    dryRun: z.boolean(),
    createClients: z.boolean(),
    onError: z.enum(['continue', 'stop']),
    rows: count,
    fileHash: z.string(), // SHA-256 of the file, hex
  }),
);

/** From the first row again: those that are there already are skipped. */
export const ImportResumed = defineEvent('ImportResumed', about.extend({ attempt }));

export const ImportProgressed = defineEvent('ImportProgressed', about.extend({ attempt, ...counts.shape, badRows: z.array(badRow) }));

export const ImportEnded = defineEvent(
  'ImportEnded',
  about.extend({ attempt, ...counts.shape, outcome: z.enum(['completed', 'stoppedOnError', 'interrupted']) }),
);

export const importEvents = [ImportStarted, ImportResumed, ImportProgressed, ImportEnded] as const;
export type ImportEvent = EventOf<(typeof importEvents)[number]>;
export type ImportStartedData = EventOf<typeof ImportStarted>['data'];
export type ImportOutcome = EventOf<typeof ImportEnded>['data']['outcome'];
export type ImportCounts = z.infer<typeof counts>;
export type BadRow = z.infer<typeof badRow>;
