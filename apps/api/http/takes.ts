import { applyDecorators } from '@nestjs/common';
import { ApiConsumes } from '@nestjs/swagger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from './problems.js';
import { AlsoConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    takes?: readonly string[]; // media types of the body; JSON alone unless told
    bodyLimit?: number; // bytes, where it is not that of all
  }
}

const JSON_ALONE = ['application/json'];

/** The media types of an operation's body, where that is not JSON alone. */
export const Takes = (...types: [string, ...string[]]): MethodDecorator =>
  applyDecorators(AlsoConfig({ takes: types }), ApiConsumes(...types));

/** How large the body of an operation may be, where that is more than others take. */
export const TakesUpTo = (bytes: number): MethodDecorator => AlsoConfig({ bodyLimit: bytes });

/** Told before the body is read, also of types that no operation takes. */
export const refuseOtherTypes = (fastify: FastifyInstance): void => {
  fastify.addHook('onRoute', (route) => {
    route.bodyLimit = route.config?.bodyLimit ?? route.bodyLimit;
  });
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const sent = request.headers['content-type'];
    try {
      if (request.routeOptions.config?.takes && sent !== undefined) refuseOtherType(request, sent.split(';')[0]!.trim().toLowerCase());
      done(null, payload);
    } catch (error) {
      done(error as Error);
    }
  });
};

/** @throws HttpProblem 415 when the operation takes no body of this type */
export const refuseOtherType = ({ routeOptions: { config } }: FastifyRequest, type: string): void => {
  const takes = config?.takes ?? JSON_ALONE;
  if (takes.includes(type)) return;
  throw new HttpProblem(415, 'MEDIA_TYPE_NOT_SUPPORTED', `The body must be ${takes.join(' or ')}.`, {
    headers: { accept: takes.join(', ') },
  });
};
