import { Body, Controller, Delete, Get, Patch, Post, Put, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiTags, IntersectionType } from '@nestjs/swagger';
import {
  ArrangeOfferings,
  CreateCategory,
  RemoveCategory,
  RenameCategory,
} from '../../../libs/command-handling/commands/offering-list.commands.js';
import { withoutDeleted } from '../../../libs/domain/offering-list/offering-list.state.js';
import { offeringArrangement } from '../../../projections/offering-arrangement.projection.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { assertSaysWhatItSaw } from '../http/headers.js';
import { IsFlag, IsId, IsNested, IsText } from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';
import { Changed } from './answered.js';
import { EmptyBody } from './empty-body.js';
import { Reading } from './reading.js';

const MOST_OFFERINGS = 10_000; // the bound of the body comes before
const MOST_CATEGORIES = 500;
const IN_ORDER = { list: { max: MOST_OFFERINGS } };

class ArrangedCategory {
  @IsId()
  categoryId: string;

  @IsId({ ...IN_ORDER, description: 'the offerings below it, in order' })
  offeringIds: string[];
}

class ArrangementBody {
  @IsId({ ...IN_ORDER, description: 'the offerings in no category, in order; they stand before the first category' })
  ungrouped: string[];

  @IsNested(ArrangedCategory, { list: { max: MOST_CATEGORIES }, description: 'all categories, in order' })
  categories: ArrangedCategory[];
}

class NamedCategory extends ArrangedCategory {
  @IsText({ max: 200 })
  name: string;
}

class ListVersion {
  @IsText({ max: 20, nullable: true, description: 'revision of the whole list, for If-Match; null: nothing was ever in it' })
  revision: string | null;
}

class OfferingList extends ListVersion {
  @IsId(IN_ORDER)
  ungrouped: string[];

  @IsNested(NamedCategory, { list: { max: MOST_CATEGORIES } })
  categories: NamedCategory[];
}

class CategoryBody {
  @IsText({ max: 200, example: 'Massages' })
  name: string;
}

class Category {
  @IsId()
  categoryId: string;

  @IsText({ max: 200 })
  name: string;
}

class OfferingListAnswer extends IntersectionType(OfferingList, Changed) {}
class CategoryAnswer extends IntersectionType(Category, Changed) {}

class OfferingListQuery {
  @IsFlag({ optional: true, description: 'deleted ones, in their places, are left out unless asked for' })
  includeDeleted?: boolean;
}

/** C8: how offerings are arranged: categories, and the order of everything. */
@ApiTags('Offerings')
@Controller()
export class OfferingListController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reading: Reading,
  ) {}

  @Get('offering-list')
  @Allow('catalogue:read')
  @ApiOkResponse({ type: OfferingList })
  async read(@Call() call: CallContext, @Query() { includeDeleted = false }: OfferingListQuery): Promise<OfferingList> {
    const row = await this.reading.oneOrNone(offeringArrangement, call, call.business);
    if (!row) return { ungrouped: [], categories: [], revision: null };
    const { ungrouped, categories } = includeDeleted ? row : withoutDeleted(row);
    return { ungrouped, categories, revision: row.revision };
  }

  @Put('offering-list')
  @Allow('catalogue:write')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag of the list that was seen: 412 if it has changed since.' })
  @ApiOkResponse({ type: OfferingListAnswer })
  async arrange(@Call() call: CallContext, @Body() body: ArrangementBody): Promise<OfferingListAnswer> {
    assertSaysWhatItSaw(call);
    return this.commands.execute(new ArrangeOfferings(call, body));
  }

  @Post('categories')
  @Allow('catalogue:write')
  @ApiCreatedResponse({ type: CategoryAnswer })
  create(@Call() call: CallContext, @Body() body: CategoryBody): Promise<CategoryAnswer> {
    return this.commands.execute(new CreateCategory(call, body));
  }

  @Patch('categories/:categoryId')
  @Allow('catalogue:write')
  @ApiOkResponse({ type: CategoryAnswer })
  rename(@Call() call: CallContext, @PathId('categoryId') categoryId: string, @Body() { name }: CategoryBody): Promise<CategoryAnswer> {
    return this.commands.execute(new RenameCategory(call, { categoryId, name }));
  }

  @Delete('categories/:categoryId')
  @Allow('catalogue:write')
  @ApiOkResponse({ type: OfferingListAnswer })
  remove(@Call() call: CallContext, @PathId('categoryId') categoryId: string, @Body() _: EmptyBody): Promise<OfferingListAnswer> {
    return this.commands.execute(new RemoveCategory(call, { categoryId }));
  }
}
