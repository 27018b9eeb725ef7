import { Readable } from 'node:stream';
import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Pool } from 'pg';
import { pemOf } from '../../../libs/audit/seal.js';
import { sealIn } from '../../../libs/audit/seal-stream.js';
import { publicKeysOf } from '../../../libs/audit/sealing.js';
import { exportOf } from '../../../libs/audit/stored-history.js';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import { sealsOf } from '../../../libs/domain/seal/seal.events.js';
import { Places } from '../../../libs/reporting/places.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import type { RequestError } from '../http/problems.js';
import { PublicKeys, SealPage, SealPageQuery } from './audit.shapes.js';
import { POOL } from './reading.js';

const PAGE = 5;
const LINES = 'application/x-ndjson';
const AT_ONCE = { ofABusiness: 1, inAll: 2 }; // exports: each reads the events of all businesses

/** K4: what an auditor needs to prove that nothing was changed or taken away (docs/auditing.md). */
@ApiTags('Auditing')
@Controller('audit')
export class AuditController {
  private readonly places = new Places(AT_ONCE);

  constructor(
    @Inject(PARTS) private readonly parts: Pick<Parts, 'store' | 'clock'>,
    @Inject(POOL) private readonly pool: Pool,
  ) {}

  /** The seals of the business, the newest first. */
  @Get('seals')
  @Allow('history:read')
  @ApiOkResponse({ type: SealPage })
  async seals(@Call() { business }: CallContext, @Query() { limit = PAGE, cursor }: SealPageQuery): Promise<SealPage> {
    const { store } = this.parts;
    const stream = sealsOf(business);
    const end = cursor === undefined ? ((await store.lastOf(stream))?.revision ?? -1n) : revisionIn(cursor);
    const from = end - BigInt(limit) + 1n;
    const events = end < 0n ? [] : await store.readStream(stream, { from: from < 0n ? 0n : from, to: end });
    const seals = events.flatMap((event) => sealIn(event, business) ?? []); // somebody else may have written there too
    return { items: seals.reverse(), next: from > 0n ? cursorTo(from - 1n) : null };
  }

  /** The keys that seals are signed with. Compare them with what you were told in another way. */
  @Get('public-keys')
  @Allow('history:read')
  @ApiOkResponse({ type: PublicKeys })
  async publicKeys(): Promise<PublicKeys> {
    return { items: (await publicKeysOf(this.pool)).map((key) => ({ ...key, pem: pemOf(key.publicKey) })) };
  }

  /** The whole history of the business as it is stored, with its seals: to be verified without this service. */
  @Get('export')
  @Allow('history:read')
  @ApiOkResponse({
    description:
      'JSON lines: a header, the events, the seals, an end. One at once for a business, two in all: 503 TOO_BUSY says when to come again.',
    content: { [LINES]: { schema: { type: 'string' } } },
  })
  export(@Call() { business }: CallContext): StreamableFile {
    const { store, clock } = this.parts;
    const now = clock();
    const leave = this.places.take(business);
    const lines = Readable.from(exportOf(store, business, now), { highWaterMark: 1 }).once('close', leave);
    const disposition = `attachment; filename="history-${business}-${now.slice(0, 10)}.jsonl"`;
    return new StreamableFile(lines, { type: LINES, disposition });
  }
}

const PREFIX = 'seals before ';

const cursorTo = (revision: bigint): string => Buffer.from(`${PREFIX}${revision}`).toString('base64url');

const revisionIn = (cursor: string): bigint => {
  const text = Buffer.from(cursor, 'base64url').toString();
  const revision = text.slice(PREFIX.length);
  if (text.startsWith(PREFIX) && /^\d{1,18}$/.test(revision)) return BigInt(revision);
  const message = 'The cursor is not one that this list gave.';
  const error: RequestError = { field: '/cursor', in: 'query', code: 'NOT_A_CURSOR', message };
  throw new InvalidInput([error]);
};
