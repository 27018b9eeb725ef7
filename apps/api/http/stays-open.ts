import { AlsoConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    staysOpen?: true;
  }
}

/** How long the answer takes is up to who reads it: it is not slow, and says nothing of how fast we are. */
export const StaysOpen = (): MethodDecorator => AlsoConfig({ staysOpen: true });
