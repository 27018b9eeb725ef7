import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import type { RequestError } from './problems.js';

// The headers that callers send, checked. Names as in docs/api.md.

/** @throws InvalidInput unless it is 1 to 255 printable ASCII characters (L2) */
export const idempotencyKeyOf = (header: string | string[] | undefined): string | undefined => {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x20-\x7e]{1,255}$/.test(header)) return header;
  throw wrongHeader('Idempotency-Key', 'NOT_A_KEY', 'must be 1 to 255 printable ASCII characters');
};

/** `If-Match: "12"` (L4). `*` asks for nothing that a command does not ask for anyway: that the thing exists. */
export const revisionOf = (header: string | undefined): bigint | undefined => {
  if (header === undefined || header === '*') return undefined;
  const revision = /^"(\d{1,18})"$/.exec(header)?.[1];
  if (revision === undefined) throw wrongHeader('If-Match', 'NOT_AN_ETAG', 'must be one ETag as an answer gave it, such as "12"');
  return BigInt(revision);
};

/** Where two people at once would undo each other's work, a command must say what it has seen. */
export const assertSaysWhatItSaw = ({ ifMatch }: { ifMatch?: bigint }): void => {
  if (ifMatch === undefined) throw wrongHeader('If-Match', 'REQUIRED', 'must be sent: the ETag of what was seen, such as "12"');
};

/** `Punchcard-Min-Position: 123456` (L3): a position as an answer gave it. */
export const positionOf = (header: string | string[] | undefined): bigint | undefined => {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^\d{1,18}$/.test(header)) return BigInt(header);
  throw wrongHeader('Punchcard-Min-Position', 'NOT_A_POSITION', 'must be a position as an answer gave it');
};

/** `Last-Event-ID: 123456` (L6): the id of the last event that a reader of the feed has. */
export const lastEventIdOf = (header: string | undefined): bigint | undefined => {
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,18}$/.test(header)) return BigInt(header);
  throw wrongHeader('Last-Event-ID', 'NOT_A_POSITION', 'must be the id of an event of this feed');
};

const wrongHeader = (name: string, code: string, message: string): InvalidInput => {
  const error: RequestError = { field: `/${name}`, in: 'header', code, message: `${name} ${message}.` };
  return new InvalidInput([error]);
};
