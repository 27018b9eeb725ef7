import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../../libs/domain/kernel/event.js';
import { idempotencyKeyOf, positionOf, revisionOf } from './headers.js';

/** Who calls and how, as far as a command or a query needs to know. */
export interface CallContext {
  business: string;
  actor: Actor;
  clientId?: string; // of a caller with the role `client`
  idempotencyKey?: string;
  correlationId: string;
  ifMatch?: bigint; // the revision that the caller has seen (L4)
  minPosition?: bigint; // that a query has seen at least (L3)
  asOf?: Then; // a query of the past: lists and reports as they were (K2)
}

/** A moment of a business's past: after the event at a position, at a time of its clocks. */
export interface Then {
  position: bigint;
  at: string;
}

const callOf = (request: FastifyRequest): CallContext => {
  const { caller, headers } = request;
  if (!caller) throw new Error(`${request.routeOptions.url} is public: nobody is known to call it.`);
  return {
    business: caller.business,
    actor: { id: caller.sub, role: caller.role },
    clientId: caller.clientId,
    idempotencyKey: idempotencyKeyOf(headers['idempotency-key']),
    correlationId: request.id,
    ifMatch: revisionOf(headers['if-match']),
    minPosition: positionOf(headers['punchcard-min-position']),
  };
};

/** The call that an operation answers: `sell(@Call() call: CallContext, @Body() body: SellPackage)`. */
export const Call = createParamDecorator((_: undefined, context: ExecutionContext) =>
  callOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** When the caller's token expires, in ms since 1970: for what goes on beyond the call. */
export const TokenEnds = createParamDecorator((_: undefined, context: ExecutionContext): number => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  return caller?.expiresAt ?? 0;
});
