import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../http/problems.js';
import { refuseOtherType } from '../http/takes.js';
import { CsvFile } from './csv-file.js';

export const CSV = 'text/csv';

/** Takes files of CSV, for the operations that take them: on disk, whatever their size up to `limit` bytes. */
export const readCsvBodies = (fastify: FastifyInstance, limit: number): void => {
  fastify.addContentTypeParser(CSV, { bodyLimit: limit }, async (request: FastifyRequest, payload: FastifyRequest['raw']) => {
    refuseOtherType(request, CSV);
    return CsvFile.take(payload, limit);
  });
  fastify.addHook('onResponse', async ({ body }) => {
    if (body instanceof CsvFile && !body.inUse) await body.close();
  });
};

/** The file that was sent. */
export const CsvBody = createParamDecorator((_: undefined, context: ExecutionContext): CsvFile => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  if (body instanceof CsvFile) return body;
  throw new HttpProblem(400, 'NO_FILE', `The body is the file, as ${CSV}.`);
});
