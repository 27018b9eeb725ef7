import type { FileTerms } from '../../../libs/command-handling/commands/catalogue-file.commands.js';
import type { ExpiryRule, Limit } from '../../../libs/domain/kernel/shapes.js';
import {
  IsCurrency,
  IsFlag,
  IsInteger,
  IsLimit,
  IsNested,
  IsOneOf,
  IsPercentage,
  IsPrice,
  IsText,
  IsTimeZone,
  IsVariant,
  MoneyBody,
} from '../validation/fields.js';
import { EXPIRY } from './expiry.shapes.js';

// What a business has and sells, as a file: the same fields as everywhere, with keys of the file in place of ids.

const MOST = 5_000;
const A_DAY = 24 * 60; // minutes
const TWO_MONTHS = 60 * 24 * 60; // minutes
const OUTCOMES = ['returned', 'forfeited'];
const KEY = { max: 100, description: 'its name in this file, and in later ones' };
const KEYS = { max: 100, list: { max: MOST, unique: true } };
const REFERENCE = { max: 200, optional: true, nullable: true };

class Keyed {
  @IsText(KEY)
  key: string;
}

class FileSettings {
  @IsFlag()
  clientsSeeInvoices: boolean;

  @IsFlag()
  clientsMayBuyOnline: boolean;

  @IsOneOf(OUTCOMES)
  onNoShow: 'returned' | 'forfeited';

  @IsOneOf(OUTCOMES)
  onLateCancellation: 'returned' | 'forfeited';

  @IsInteger({ min: 0, max: TWO_MONTHS })
  lateCancellationWindowMinutes: number;
}

class FileBusiness {
  @IsText({ max: 200 })
  name: string;

  @IsTimeZone()
  timeZone: string;

  @IsCurrency({ description: 'that of the business: it is fixed' })
  currency: string;

  @IsNested(FileSettings)
  settings: FileSettings;
}

class FileTax extends Keyed {
  @IsText({ max: 100 })
  name: string;

  @IsPercentage({ example: '9.975' })
  rate: string;
}

class FileService extends Keyed {
  @IsText({ max: 200 })
  name: string;

  @IsText({ max: 2000, min: 0, lines: true, optional: true })
  description: string;

  @IsInteger({ min: 1, max: A_DAY })
  durationMinutes: number;

  @IsPrice()
  price: MoneyBody;

  @IsText({ ...KEYS, list: { max: 10, unique: true }, optional: true, description: 'keys of taxes' })
  taxes: string[];

  @IsFlag({ optional: true, description: 'true unless told' })
  active: boolean;

  @IsFlag({ optional: true, description: 'true unless told' })
  publiclyDisplayed: boolean;

  @IsText(REFERENCE)
  externalReference: string | null;
}

class FileProvider extends Keyed {
  @IsText({ max: 200 })
  name: string;

  @IsText({ ...KEYS, list: { max: 500, unique: true }, description: 'keys of services' })
  services: string[];

  @IsFlag({ optional: true, description: 'true unless told' })
  active: boolean;

  @IsText(REFERENCE)
  externalReference: string | null;
}

class FileCategory extends Keyed {
  @IsText({ max: 200 })
  name: string;

  @IsText({ ...KEYS, description: 'keys of the offerings below it, in order' })
  offerings: string[];
}

class FileOfferedService {
  @IsText({ max: 100, description: 'the key of a service' })
  service: string;

  @IsLimit()
  limit: Limit;
}

class FileFee {
  @IsText({ max: 100, description: 'the key of a service' })
  service: string;

  @IsPrice()
  fee: MoneyBody;
}

class FilePaidUpfront {
  @IsOneOf(['paidUpfront'])
  method: 'paidUpfront';

  @IsPrice()
  fee: MoneyBody;

  @IsText({ ...KEYS, list: { max: 10, unique: true }, description: 'keys of taxes' })
  taxes: string[];
}

class FilePaidEachAppointment {
  @IsOneOf(['paidEachAppointment'])
  method: 'paidEachAppointment';

  @IsNested(FileFee, { list: { max: 100 } })
  fees: FileFee[];
}

class FileOffering extends Keyed {
  @IsText({ max: 200 })
  name: string;

  @IsText({ max: 2000, min: 0, lines: true, optional: true })
  description: string;

  @IsOneOf(['active', 'inactive'], { optional: true, description: 'inactive unless told' })
  status: 'active' | 'inactive';

  @IsNested(FileOfferedService, { list: { max: 100 }, optional: true })
  services: FileOfferedService[];

  @IsVariant('kind', EXPIRY, { optional: true, description: 'none unless told' })
  expiryRule: ExpiryRule;

  @IsVariant('method', { paidUpfront: FilePaidUpfront, paidEachAppointment: FilePaidEachAppointment }, { optional: true, nullable: true })
  payment: FileTerms['payment'];

  @IsFlag({ optional: true })
  soldOnline: boolean;

  @IsText(REFERENCE)
  externalReference: string | null;
}

/** Whatever is left out stays as it is in the business. */
export class CatalogueFileBody {
  @IsNested(FileBusiness, { optional: true })
  business?: FileBusiness;

  @IsNested(FileTax, { list: { max: MOST }, optional: true })
  taxes?: FileTax[];

  @IsNested(FileService, { list: { max: MOST }, optional: true })
  services?: FileService[];

  @IsNested(FileProvider, { list: { max: MOST }, optional: true })
  providers?: FileProvider[];

  @IsNested(FileCategory, {
    list: { max: 500 },
    optional: true,
    description: 'in order; offerings that are in none stand before the first',
  })
  categories?: FileCategory[];

  @IsNested(FileOffering, { list: { max: MOST }, optional: true, description: 'those in no category, in order' })
  offerings?: FileOffering[];
}

export class LoadedAnswer {
  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, description: 'things that the business did not have' })
  created: number;

  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER })
  changed: number;

  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, description: 'things that were as the file says already' })
  unchanged: number;

  @IsText({ max: 20, description: 'position in the event store, for Punchcard-Min-Position' })
  position: string;
}
