import { setTimeout as delay } from 'node:timers/promises';
import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiCreatedResponse } from '@nestjs/swagger';
import { Pool } from 'pg';
import { mintToken } from '../../../libs/auth/tokens.js';
import type { CallerRole } from '../../../libs/auth/roles.js';
import { NotFound, Refusal } from '../../../libs/domain/kernel/refusal.js';
import { createDatabase } from '../../../test/support/postgres.js';
import { createApp } from '../app.js';
import { NO_CARDS } from '../../../libs/payments/settings.js';
import type { ApiConfig } from '../config.js';
import { Allow, Public } from '../http/access.js';
import { createLogger } from '../http/logging.js';
import { Call } from '../http/call.js';
import type { CallContext } from '../http/call.js';
import type { Parts } from '../parts.js';
import { EmptyBody } from '../resources/empty-body.js';
import {
  IsFlag,
  IsId,
  IsInstant,
  IsInteger,
  IsLimit,
  IsLocalDate,
  IsMoney,
  IsNested,
  IsOneOf,
  IsPercentage,
  IsText,
  IsTimeZone,
  IsVariant,
  MoneyBody,
} from '../validation/fields.js';
import { PathId } from '../validation/path-id.js';

// A small resource with a body of every kind, to show what the door does without anything behind it.

export class SoldServiceBody {
  @IsId()
  serviceId: string;

  @IsLimit()
  limit: number | 'unlimited';

  @IsMoney({ optional: true })
  fee?: MoneyBody;
}

class NoExpiryBody {
  @IsOneOf(['none'])
  kind: 'none';
}

class ExpiryOnDateBody {
  @IsOneOf(['on'])
  kind: 'on';

  @IsLocalDate()
  date: string;
}

export class OfferBody {
  @IsText({ max: 20 })
  name: string;

  @IsText({ max: 100, lines: true, optional: true, nullable: true })
  description?: string | null;

  @IsNested(SoldServiceBody, { list: { min: 1, max: 50 } })
  services: SoldServiceBody[];

  @IsVariant('kind', { none: NoExpiryBody, on: ExpiryOnDateBody })
  expiry: NoExpiryBody | ExpiryOnDateBody;

  @IsMoney()
  fee: MoneyBody;

  @IsPercentage({ optional: true })
  rate?: string;

  @IsInstant({ optional: true })
  startsAt?: string;

  @IsTimeZone({ optional: true })
  zone?: string;

  @IsId({ list: { max: 3, unique: true }, optional: true })
  taxIds?: string[];

  @IsFlag({ optional: true })
  online?: boolean;
}

class OffersQuery {
  @IsInteger({ min: 1, max: 100, optional: true })
  limit?: number;

  @IsOneOf(['active', 'inactive'], { list: { max: 2 }, optional: true })
  status?: string[];

  @IsFlag({ optional: true })
  deleted?: boolean;
}

class Offer {
  @IsId()
  offerId: string;

  @IsText({ max: 20 })
  position: string;

  @IsText({ max: 20 })
  revision: string;
}

class RefuseBody {
  @IsText({ max: 50 })
  code: string;
}

@Controller('offers')
class OffersController {
  @Post()
  @Allow('catalogue:write')
  @ApiCreatedResponse({ type: Offer })
  create(@Call() call: CallContext, @Body() body: OfferBody): object {
    return { offerId: call.correlationId, name: body.name, key: call.idempotencyKey, position: '42', revision: '7' };
  }

  @Get()
  @Allow('catalogue:read', 'own:read')
  list(@Call() call: CallContext, @Query() query: OffersQuery): object {
    return { items: [], query, business: call.business, actor: call.actor };
  }

  @Get('hello')
  @Allow('catalogue:read')
  hello(): object {
    return { hello: 'world' };
  }

  @Get('open')
  @Public()
  open(): object {
    return { open: true };
  }

  @Get('broken')
  @Allow('catalogue:read')
  broken(): never {
    throw new Error('secret inside');
  }

  @Get('unreachable')
  @Allow('catalogue:read')
  unreachable(): never {
    throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
  }

  @Get('crowded')
  @Allow('catalogue:read')
  async crowded(): Promise<void> {
    const database = await createDatabase();
    const pool = new Pool({ connectionString: database.url, max: 1, connectionTimeoutMillis: 1_000 });
    const taken = await pool.connect();
    try {
      await pool.query('SELECT 1');
    } finally {
      taken.release();
      await pool.end();
      await database.drop();
    }
  }

  @Get('slow')
  @Allow('catalogue:read')
  async slow(): Promise<object> {
    await delay(300);
    return { slow: true };
  }

  @Get(':offerId')
  @Allow('catalogue:read')
  get(@PathId('offerId') offerId: string): never {
    throw new NotFound('offer', offerId);
  }

  @Post(':offerId/withdraw')
  @Allow('packages:sell')
  withdraw(@PathId('offerId') offerId: string, @Body() _: EmptyBody): object {
    return { offerId };
  }

  @Post(':offerId/refuse')
  @Allow('packages:sell')
  refuse(@Call() call: CallContext, @PathId('offerId') offerId: string, @Body() { code }: RefuseBody): never {
    throw new Refusal(code, 'A rule says no.', { offerId, ifMatch: call.ifMatch?.toString() });
  }
}

@Controller('gates')
class UnguardedController {
  @Get()
  open(): object {
    return {};
  }
}

export const SECRET = 'a secret for tests only, of enough bytes';
export const BUSINESS = '0b7a4a5e-3d3a-4d0e-9d6c-0f3a3f5d1a11';

export const testConfig = (changes: Partial<ApiConfig> = {}): ApiConfig => ({
  host: '127.0.0.1',
  port: 0,
  databaseUrl: 'postgres://nowhere',
  eventStoreUrl: 'esdb://nowhere',
  policies: 'api',
  tokens: { secret: SECRET, issuer: 'punchcard', audience: 'punchcard-api' },
  requestHashKey: SECRET,
  operatorKey: SECRET,
  cards: NO_CARDS,
  logLevel: 'warn',
  slowMs: 10_000,
  trustProxy: false,
  rateLimit: 0,
  importLimit: 64 * 1024,
  bodyLimit: 64 * 1024,
  requestTimeoutMs: 10_000,
  shutdownTimeoutMs: 5_000,
  ...changes,
});

export const tokenOf = (role: CallerRole, changes: Partial<Parameters<typeof mintToken>[0]> = {}): Promise<string> =>
  mintToken({
    secret: SECRET,
    sub: `some-${role}`,
    business: BUSINESS,
    role,
    ...(role === 'client' && { clientId: '5b0f8a2c-7c0a-4a55-8b43-6d7f2b8f9a10' }),
    expiresIn: 300,
    ...changes,
  });

export const noParts: Parts = { modules: [], checks: {}, close: async () => undefined };

export interface Shop {
  app: NestFastifyApplication;
  logLines: Record<string, unknown>[];
  url: string;
}

/** The API with the offers above, on a free port. */
export const openShop = async (changes: Partial<ApiConfig> = {}, parts: Partial<Parts> = {}): Promise<Shop> => {
  const config = testConfig(changes);
  const logLines: Record<string, unknown>[] = [];
  const logger = createLogger(config, { write: (line) => void logLines.push(JSON.parse(line) as Record<string, unknown>) });
  const connect = async (): Promise<Parts> => ({
    ...noParts,
    modules: [{ module: OffersModule, controllers: [OffersController] }],
    ...parts,
  });
  const app = await createApp(config, { logger, connect });
  await app.listen(0, config.host);
  return { app, logLines, url: await app.getUrl() };
};

class OffersModule {}

/** One that forgot to say whom it allows. */
export const unguarded = { module: OffersModule, controllers: [UnguardedController] };
