import { Controller, Get, Put, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stringify } from 'yaml';
import { CatalogueFiles } from '../catalogue-file/catalogue-files.js';
import { Allow } from '../http/access.js';
import { Call, type CallContext } from '../http/call.js';
import { Takes, TakesUpTo } from '../http/takes.js';
import { YAML, YamlBody } from '../http/yaml-body.js';
import { IsOneOf } from '../validation/fields.js';
import { checked } from '../validation/validation-pipe.js';
import { CatalogueFileBody, LoadedAnswer } from './catalogue-file.shapes.js';

const JSON_TYPE = 'application/json';
const MOST_BYTES = 8 * 1024 * 1024;

class FormatQuery {
  @IsOneOf(['json', 'yaml'], { optional: true, description: 'json unless told' })
  format?: 'json' | 'yaml';
}

/** A business from a file, and a file from a business: settings, taxes, services, providers, categories, offerings. */
@ApiTags('Moving in')
@ApiExtraModels(CatalogueFileBody)
@Controller('catalogue-file')
export class CatalogueFileController {
  constructor(private readonly files: CatalogueFiles) {}

  @Put()
  @Allow('catalogue:write')
  @Takes(JSON_TYPE, YAML)
  @TakesUpTo(MOST_BYTES)
  @ApiBody({ type: CatalogueFileBody })
  @ApiOkResponse({ type: LoadedAnswer })
  async load(@Call() call: CallContext, @Req() { body }: FastifyRequest): Promise<LoadedAnswer> {
    if (!(body instanceof YamlBody)) return this.files.load(call, checked(body, CatalogueFileBody) as CatalogueFileBody);
    const file = body.locating(() => checked(body.value ?? {}, CatalogueFileBody) as CatalogueFileBody);
    return this.files.load(call, file).catch((error: unknown) => {
      throw body.located(error);
    });
  }

  @Get()
  @Allow('catalogue:read')
  @ApiOkResponse({
    description: 'The same form as is loaded: loaded again, here it changes nothing, and elsewhere it makes the same.',
    content: { [JSON_TYPE]: { schema: { $ref: getSchemaPath(CatalogueFileBody) } }, [YAML]: { schema: { type: 'string' } } },
  })
  async read(
    @Call() call: CallContext,
    @Query() { format = 'json' }: FormatQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CatalogueFileBody | string> {
    const file = await this.files.of(call);
    if (format === 'json') return file;
    void reply.type(`${YAML}; charset=utf-8`);
    return stringify(file, { lineWidth: 120 });
  }
}
