import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { isCallerRole, permits, permitsAny } from '../../../libs/auth/roles.js';
import type { Permission } from '../../../libs/auth/roles.js';
import { InvalidToken } from '../../../libs/auth/tokens.js';
import type { Caller, TokenVerifier } from '../../../libs/auth/tokens.js';
import type { Role } from '../../../libs/domain/kernel/event.js';
import { HttpProblem } from './problems.js';
import { AlsoConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null; // null on public routes alone
  }
  interface FastifyContextConfig {
    allow?: readonly Permission[];
    public?: true;
  }
}

export const PERMISSIONS_EXTENSION = 'x-permissions';

/** Whoever has one of these permissions may call the operation (product A2). */
export const Allow = (...permissions: [Permission, ...Permission[]]): MethodDecorator =>
  applyDecorators(AlsoConfig({ allow: permissions }), ApiExtension(PERMISSIONS_EXTENSION, permissions));

/** Anybody may call the operation, without a token. */
export const Public = (): MethodDecorator => AlsoConfig({ public: true });

/** For what only some of those who may call an operation may ask of it; `what` says it. */
export const assertMay = ({ actor: { role } }: { actor: { role: Role } }, permission: Permission, what?: string): void => {
  if (!isCallerRole(role) || !permits(role, permission)) throw forbidden(role, [permission], what);
};

const forbidden = (role: Role, needs: readonly Permission[], what = 'do this'): HttpProblem =>
  new HttpProblem(403, 'FORBIDDEN', `The role "${role}" may not ${what}.`, { details: { role, needs } });

/**
 * Who may call what, before the body is even read: 401, then 403 (A3). Default deny: a route that says neither whom it
 * allows nor that it is public stops the start. An unknown address is told only to those with a token.
 */
export const guardRoutes = (fastify: FastifyInstance, verifier: TokenVerifier): void => {
  fastify.decorateRequest('caller', null);
  fastify.addHook('onRoute', refuseUnguarded);

  const admit = (request: FastifyRequest, caller: Caller, allow: readonly Permission[] | undefined): void => {
    request.caller = caller;
    if (allow && !permitsAny(caller.role, allow)) throw forbidden(caller.role, allow);
  };

  fastify.addHook('onRequest', (request, _reply, done) => {
    const { config } = request.routeOptions;
    if (config?.public) return done();
    try {
      const token = bearerToken(request.headers.authorization);
      const known = verifier.known(token);
      if (known) {
        admit(request, known, config?.allow);
        return done();
      }
      verifier
        .verify(token)
        .then((caller) => admit(request, caller, config?.allow))
        .then(() => done(), done);
    } catch (error) {
      done(error as Error);
    }
  });
};

const bearerToken = (header: string | undefined): string => {
  if (header === undefined) throw new InvalidToken('TOKEN_MISSING', 'The call needs a token: Authorization: Bearer …');
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) throw new InvalidToken('TOKEN_MALFORMED', 'The header Authorization does not hold a bearer token.');
  return token;
};

const refuseUnguarded = ({ config, method, url }: RouteOptions): void => {
  if (!config?.public && !config?.allow) throw new Error(`${String(method)} ${url} says neither @Allow(…) nor @Public().`);
};
