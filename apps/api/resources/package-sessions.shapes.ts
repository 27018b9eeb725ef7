import { IsId, IsInstant, IsOneOf, IsText } from '../validation/fields.js';
import { OUTCOMES_OF_SESSIONS, Session } from './package.shapes.js';
import { PageOf, PageQuery } from './paging.js';

export class SessionsQuery extends PageQuery {
  @IsId({ optional: true })
  serviceId?: string;

  @IsOneOf(OUTCOMES_OF_SESSIONS, { optional: true, description: 'forfeited ones count as used, returned ones do not' })
  outcome?: Session['outcome'];
}

export class PackageSession extends Session {
  @IsText({ max: 200 })
  serviceName: string;

  @IsId()
  providerId: string;

  @IsInstant()
  end: string;
}

export class PackageSessionPage extends PageOf(PackageSession) {}
