import { Param } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { isId } from './formats.js';
import { RequestErrors } from './request-errors.js';

/** The id of a stream in the path: `@PathId('packageId') packageId: string`. */
export const PathId =
  (name: string): ParameterDecorator =>
  (target, method, index) => {
    Param(name, new IdPipe(name))(target, method, index);
    ApiParam({ name, schema: { type: 'string', format: 'uuid' } })(target, method!, Object.getOwnPropertyDescriptor(target, method!)!);
  };

class IdPipe implements PipeTransform<string, string> {
  constructor(private readonly name: string) {}

  transform(value: string): string {
    const errors = new RequestErrors('path');
    if (!isId(value)) errors.add(`/${this.name}`, 'NOT_AN_ID', 'must be a UUID in lower case');
    errors.throwAny();
    return value;
  }
}
