import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';

/** What one decorator says of a route, beside what others say: Nest's own keeps only the last. It passes on nothing that a class says. */
export const AlsoConfig =
  (part: FastifyContextConfig): MethodDecorator =>
  (target, name, descriptor) => {
    const before = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value as object) ?? {}) as FastifyContextConfig;
    (RouteConfig({ ...before, ...part }) as MethodDecorator)(target, name, descriptor);
  };
