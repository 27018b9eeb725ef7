/** In which way something does not hold. */
export type Why =
  | 'changed' // the event is not what its hash says
  | 'dropped' // an event is missing, with others of its stream after it
  | 'reordered' // an event stands before one that it came after
  | 'inserted' // an event that was not there when its place was sealed, or whose place is taken
  | 'truncated' // the end of a stream is missing: it was sealed further than it goes
  | 'missingStream' // a whole stream that was sealed is missing
  | 'recomputed' // the hashes follow from each other, and are not those that were sealed
  | 'sealChanged' // what is signed is not what the seal says
  | 'sealMissing' // a seal is not there that others, or one that was kept elsewhere, come after
  | 'sealReplaced' // a seal is there, signed, and not the one that others come after, or that was kept elsewhere
  | 'sealKey' // a seal is signed with another key
  | 'damaged'; // the file of an export is not whole

/** What does not hold, and where it begins not to. */
export interface Fault {
  why: Why;
  business: string;
  stream?: string;
  revision?: bigint; // of the first event of the stream that does not hold, or is missing
  eventId?: string; // of that event, if there is one
  seal?: number; // that shows it, or does not hold itself
  says: string;
}

/** What was found in the history of one business. */
export interface Verdict {
  business: string;
  events: number;
  streams: number;
  seals: number;
  sealed: number; // events that the seals cover
  faults: Fault[]; // the first one first; at most some
}

export const MOST_FAULTS = 100;
