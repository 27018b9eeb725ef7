import { Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import { PARTS } from '../../../libs/command-handling/handler.js';
import type { Parts } from '../../../libs/command-handling/operation.js';
import { isSilent } from '../../../libs/domain/import/import.decisions.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
import { badRows } from '../../../projections/bad-rows.projection.js';
import { importList } from '../../../projections/import-list.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { Takes } from '../http/takes.js';
import { CSV, CsvBody } from '../imports/csv-body.js';
import type { CsvFile } from '../imports/csv-file.js';
import { MAX_ROWS } from '../imports/import-run.js';
import { Imports } from '../imports/imports.js';
import { IsFlag, IsId, IsInstant, IsInteger, IsNested, IsOneOf, IsText } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Changed, Versioned } from './answered.js';
import { PageOf, PageQuery } from './paging.js';
import { Reading } from './reading.js';

const STATUS = ['running', 'completed', 'stoppedOnError', 'interrupted'] as const;
const ON_ERROR = ['continue', 'stop'] as const;

class ImportQuery {
  @IsText({
    max: 100,
    optional: true,
    description: 'where the packages were sold; within it, each reference is moved in once. `import` unless told',
  })
  source?: string;

  @IsFlag({ optional: true, description: 'only say what would become of each row' })
  dryRun?: boolean;

  @IsFlag({ optional: true, description: 'register clients that are not there, under their clientName' })
  createClients?: boolean;

  @IsOneOf(ON_ERROR, { optional: true, description: 'whether rows after a bad one are moved in; they are unless told' })
  onError?: (typeof ON_ERROR)[number];
}

class Import {
  @IsId()
  importId: string;

  @IsText({ max: 100 })
  source: string;

  @IsOneOf(STATUS, { description: 'interrupted: nobody works on it any more; send the file again' })
  status: (typeof STATUS)[number];

  @IsFlag()
  dryRun: boolean;

  @IsFlag()
  createClients: boolean;

  @IsOneOf(ON_ERROR)
  onError: (typeof ON_ERROR)[number];

  @IsInteger({ min: 0, max: MAX_ROWS, description: 'that the file has' })
  rows: number;

  @IsInteger({ min: 0, max: MAX_ROWS, description: 'packages that are here now, or would be' })
  imported: number;

  @IsInteger({ min: 0, max: MAX_ROWS, description: 'packages that were here before, the same' })
  skipped: number;

  @IsInteger({ min: 0, max: MAX_ROWS, description: 'rows that could not be moved in' })
  failed: number;

  @IsInteger({ min: 1, max: Number.MAX_SAFE_INTEGER, description: '2 and more: it was taken up again, from the first row' })
  attempt: number;

  @IsInstant()
  startedAt: string;

  @IsInstant({ description: 'when it last said how far it has come' })
  heardAt: string;
}

class RowProblem {
  @IsText({ max: 110, nullable: true, description: 'null: the row as a whole' })
  column: string | null;

  @IsText({ max: 50 })
  code: string;

  @IsText({ max: 500 })
  message: string;
}

class BadRow {
  @IsInteger({ min: 1, max: Number.MAX_SAFE_INTEGER, description: 'of the file' })
  line: number;

  @IsNested(RowProblem, { list: { min: 1, max: 10 } })
  problems: RowProblem[];
}

class ImportAnswer extends IntersectionType(Import, Changed) {}
class ImportRead extends IntersectionType(Import, Versioned) {}
class ImportPage extends PageOf(ImportRead) {}
class BadRowPage extends PageOf(BadRow) {}

/** L7: packages that were sold elsewhere are moved in. The columns are in docs/moving-in.md. */
@ApiTags('Moving in')
@Controller('imports')
export class ImportsController {
  constructor(
    private readonly imports: Imports,
    private readonly reading: Reading,
    @Inject(PARTS) private readonly parts: Pick<Parts, 'clock'>,
  ) {}

  @Post()
  @Allow('packages:import')
  @Takes(CSV)
  @ApiBody({ schema: { type: 'string' }, description: 'the file, its first line naming the columns', required: true })
  @HttpCode(202)
  @ApiAcceptedResponse({ type: ImportAnswer, description: 'The file is well-formed, and is worked on from now on.' })
  async take(@Call() call: CallContext, @CsvBody() file: CsvFile, @Query() query: ImportQuery): Promise<ImportAnswer> {
    const { source = 'import', dryRun = false, createClients = false, onError = 'continue' } = query;
    const { at, fileHash: _, ...started } = await this.imports.take(call, file, { source, dryRun, createClients, onError });
    return { ...started, startedAt: at };
  }

  @Get()
  @Allow('imports:read')
  @ApiOkResponse({ type: ImportPage })
  async list(@Call() call: CallContext, @Query() page: PageQuery): Promise<ImportPage> {
    const { items, next } = await this.reading.page(importList, call, page, { by: 'startedAt', descending: true });
    return { items: items.map((row) => this.asOfNow(row)), next };
  }

  @Get(':importId')
  @Allow('imports:read')
  @ApiOkResponse({ type: ImportRead })
  async read(@Call() call: CallContext, @PathId('importId') importId: string): Promise<ImportRead> {
    return this.asOfNow(await this.reading.one(importList, call, 'import', importId));
  }

  @Get(':importId/bad-rows')
  @Allow('imports:read')
  @ApiOkResponse({ type: BadRowPage })
  async badRows(@Call() call: CallContext, @PathId('importId') importId: string, @Query() page: PageQuery): Promise<BadRowPage> {
    await this.reading.one(importList, call, 'import', importId); // A3: one of another business is 404
    const minPosition = await this.reading.reached(importList, call); // whoever sees that it is over sees all of its bad rows
    const { items, next } = await this.reading.page(badRows, { ...call, minPosition }, page, { by: 'line', where: { importId } });
    return { items: items.map((row) => pick(row, 'line', 'problems')), next };
  }

  /** A process that died says nothing: that nobody works on it follows from the silence, it is never stored. */
  private asOfNow(row: ImportRead): ImportRead {
    return row.status === 'running' && isSilent(row.heardAt, this.parts.clock()) ? { ...row, status: 'interrupted' } : row;
  }
}
