import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AlsoConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    raw?: true;
  }
}

/** The body of this operation is taken as it came, byte for byte: for what is signed. */
export const TakesRaw = (): MethodDecorator => AlsoConfig({ raw: true });

export const RawBody = createParamDecorator((_: undefined, context: ExecutionContext): Buffer => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
});
