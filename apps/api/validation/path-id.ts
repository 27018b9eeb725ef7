import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { isId } from './formats.js';
import { RequestErrors } from './request-errors.js';

/** The id of a stream in the path: `@PathId('packageId') packageId: string`. What stands in a path are ids and nothing else. */
export const PathId =
  (name: string): ParameterDecorator =>
  (target, method, index) => {
    IdInPath(name)(target, method, index);
    ApiParam({ name, schema: { type: 'string', format: 'uuid' } })(target, method!, Object.getOwnPropertyDescriptor(target, method!)!);
  };

/** Whichever is asked for first, all that are none are named. */
const IdInPath = createParamDecorator((name: string, context: ExecutionContext): string => {
  const params = context.switchToHttp().getRequest<FastifyRequest>().params as Record<string, string>;
  const errors = new RequestErrors('path');
  for (const [each, value] of Object.entries(params)) if (!isId(value)) errors.add(`/${each}`, 'NOT_AN_ID', 'must be a UUID in lower case');
  errors.throwAny();
  return params[name]!;
});
