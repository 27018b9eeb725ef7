import { IsId, IsInstant, IsInteger, IsNested, IsText } from '../validation/fields.js';
import { PageOf } from './paging.js';

const MOST = Number.MAX_SAFE_INTEGER;
const HASH = 64;
const MOST_HEADS = 100_000;

export const MOST_SEALS = 20; // on a page

/** How far a seal page goes; seals are large. */
export class SealPageQuery {
  @IsInteger({ min: 1, max: MOST_SEALS, optional: true, description: 'seals on the page; 5 unless told' })
  limit?: number;

  @IsText({ max: 100, optional: true, description: 'the `next` of the page before' })
  cursor?: string;
}

class Head {
  @IsText({ max: 200 })
  stream: string;

  @IsText({ max: 20, description: 'of its last event' })
  revision: string;

  @IsText({ min: HASH, max: HASH, description: 'of that event' })
  hash: string;
}

/** K4: exactly as it is stored and signed (docs/stored-forms.md). */
export class SealBody {
  @IsId()
  businessId: string;

  @IsInteger({ min: 1, max: MOST })
  number: number;

  @IsInstant()
  at: string;

  @IsText({ max: 20, description: 'position of the last event that is sealed' })
  through: string;

  @IsInteger({ min: 1, max: MOST, description: 'of the business, up to there' })
  events: number;

  @IsInteger({ min: 1, max: MOST, description: 'of the business, up to there' })
  streams: number;

  @IsText({ min: HASH, max: HASH, description: 'SHA-256 over the places and hashes of all of these events' })
  log: string;

  @IsNested(Head, { list: { max: MOST_HEADS }, description: 'of the streams that changed since the seal before' })
  heads: Head[];

  @IsText({ min: HASH, max: HASH, description: 'hash of the seal before; zeros for the first' })
  previous: string;

  @IsText({ min: 43, max: 43, description: 'Ed25519, base64url' })
  publicKey: string;

  @IsText({ min: 86, max: 86, description: 'Ed25519, base64url' })
  signature: string;
}

export class SealPage extends PageOf(SealBody) {}

class PublicKey {
  @IsText({ min: 43, max: 43, description: 'Ed25519, base64url' })
  publicKey: string;

  @IsText({ max: 500, lines: true, description: 'the same, for other programs' })
  pem: string;

  @IsInstant({ description: 'when it was first seen' })
  since: string;
}

export class PublicKeys {
  @IsNested(PublicKey, { list: { max: 1_000 }, description: 'the newest first; none: this service makes no seals' })
  items: PublicKey[];
}
