import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';

type Saying = MethodDecorator & ClassDecorator;

/** What one decorator says of a route, beside what others say: Nest's own keeps only the last. */
export const AlsoConfig = (part: FastifyContextConfig): Saying =>
  ((target: object, name: string | symbol, descriptor?: PropertyDescriptor) => {
    const handler = (descriptor?.value ?? target) as object;
    const before = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {}) as FastifyContextConfig;
    (RouteConfig({ ...before, ...part }) as MethodDecorator)(target, name, descriptor!);
  }) as Saying;
