import { Readable } from 'node:stream';
import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Pool } from 'pg';
import { pemOf } from '../../../libs/audit/seal.js';
import { publicKeysOf } from '../../../libs/audit/sealing.js';
import { exportOf } from '../../../libs/audit/stored-history.js';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { sealsOf } from '../../../libs/domain/seal/seal.events.js';
import { Places } from '../../../libs/reporting/places.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { PublicKeys, SealPage, SealPageQuery } from './audit.shapes.js';
import { POOL } from './reading.js';
import { revisionIn, sealPage } from './seal-page.js';

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
    const from = cursor === undefined ? undefined : revisionIn(cursor);
    const last = (await store.lastOf(sealsOf(business)))?.revision ?? -1n;
    const end = from === undefined || from > last ? last : from;
    return sealPage({ store, pool: this.pool }, { business, end, limit });
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
