import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import {
  isClean,
  isCurrency,
  isDecimalPercentage,
  isEmail,
  isId,
  isInstant,
  isInvoiceNumber,
  isLocalDate,
  isPosition,
  isTextOf,
  isTimeZone,
  isWebAddress,
} from './formats.js';

// The fields of bodies and queries. Each decorator is one rule of class-validator and its part of the OpenAPI document.

export interface FieldOptions {
  optional?: boolean; // may be left out
  nullable?: boolean; // may be null
  list?: ListBounds; // an array of them
  description?: string;
  example?: unknown;
}

export interface ListBounds {
  min?: number; // 0 unless told
  max: number;
  unique?: boolean; // no value twice; for lists of texts and numbers
}

/** What one value must be. */
export interface Rule {
  name: string;
  code: string; // of the error; stable and public
  message: string; // goes on where the field's name ends
  holds: (value: unknown) => boolean;
  schema: Record<string, unknown>; // JSON Schema of one value
  inQuery?: 'number' | 'boolean'; // what a query's text stands for
}

export type BodyClass = new () => object;

/** A UUID as ids of streams are written: in lower case. */
export const IsId = (options?: FieldOptions): PropertyDecorator =>
  Field(
    { name: 'isId', code: 'NOT_AN_ID', message: 'must be a UUID in lower case', holds: isId, schema: { type: 'string', format: 'uuid' } },
    options,
  );

/** Text of `min` (1) to `max` characters that is not blank, on one line unless `lines`. */
export const IsText = ({
  min = 1,
  max,
  lines = false,
  ...options
}: FieldOptions & { min?: number; max: number; lines?: boolean }): PropertyDecorator =>
  Field(
    {
      name: 'isText',
      code: 'NOT_A_TEXT',
      message: `must be ${lines ? 'text' : 'a line of text'} of ${min} to ${max} characters, not blank`,
      holds: (value) => isTextOf(value, min, max) && isClean(value, lines) && (min === 0 || value.trim() !== ''),
      schema: { type: 'string', minLength: min, maxLength: max },
    },
    options,
  );

export const IsInteger = ({ min, max, ...options }: FieldOptions & { min: number; max: number }): PropertyDecorator =>
  Field(
    {
      name: 'isInteger',
      code: 'NOT_AN_INTEGER',
      message: `must be a whole number from ${min} to ${max}`,
      holds: (value) => isIntegerWithin(value, min, max),
      schema: { type: 'integer', minimum: min, maximum: max },
      inQuery: 'number',
    },
    options,
  );

export const IsFlag = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isFlag',
      code: 'NOT_A_BOOLEAN',
      message: 'must be true or false',
      holds: (value) => typeof value === 'boolean',
      schema: { type: 'boolean' },
      inQuery: 'boolean',
    },
    options,
  );

export const IsOneOf = (values: readonly string[], options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isOneOf',
      code: 'NOT_ONE_OF',
      message: `must be one of ${values.join(', ')}`,
      holds: (value) => typeof value === 'string' && values.includes(value),
      schema: { type: 'string', enum: [...values] },
    },
    options,
  );

/** A day of the calendar without a zone: `2027-01-31`. */
export const IsLocalDate = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isLocalDate',
      code: 'NOT_A_DATE',
      message: 'must be a date that exists, such as 2027-01-31',
      holds: isLocalDate,
      schema: { type: 'string', format: 'date' },
    },
    options,
  );

/** A moment in UTC or with its offset, to the millisecond at most: `2027-01-31T09:30:00Z`. */
export const IsInstant = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isInstant',
      code: 'NOT_AN_INSTANT',
      message: 'must be a moment with its offset, such as 2027-01-31T09:30:00Z',
      holds: isInstant,
      schema: { type: 'string', format: 'date-time' },
    },
    options,
  );

/** K2: a position as an answer gave it, or a moment: when the answer is asked for as it was. */
export const IsAsOf = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isAsOf',
      code: 'NOT_A_POSITION_OR_INSTANT',
      message: 'must be a position as an answer gave it, or a moment with its offset, such as 2027-01-31T09:30:00Z',
      holds: (value) => isInstant(value) || isPosition(value),
      schema: {
        anyOf: [
          { type: 'string', pattern: '^\\d{1,18}$' },
          { type: 'string', format: 'date-time' },
        ],
      },
    },
    {
      description: 'as it was after the event at this position, or at this moment; needs the permission `history:read` too',
      optional: true,
      ...options,
    },
  );

/** An IANA name: `America/Toronto`. */
export const IsTimeZone = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isTimeZone',
      code: 'NOT_A_TIME_ZONE',
      message: 'must be an IANA time zone, such as America/Toronto',
      holds: isTimeZone,
      schema: { type: 'string', maxLength: 64 },
    },
    options,
  );

export const IsCurrency = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isCurrency',
      code: 'NOT_A_CURRENCY',
      message: 'must be an ISO 4217 code, such as CAD',
      holds: isCurrency,
      schema: { type: 'string', pattern: '^[A-Z]{3}$' },
    },
    options,
  );

/** An exact decimal from 0 to 100 as text, so that no float touches it: `"9.975"` (A4). */
export const IsPercentage = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isPercentage',
      code: 'NOT_A_PERCENTAGE',
      message: 'must be a decimal from 0 to 100 as text, with at most 6 decimals, such as "9.975"',
      holds: isDecimalPercentage,
      schema: { type: 'string', pattern: '^(100(\\.0{1,6})?|(0|[1-9]\\d?)(\\.\\d{1,6})?)$' },
    },
    options,
  );

/** The number of an invoice as it stands on it: year, hyphen, six digits or more (D3). */
export const IsInvoiceNumber = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isInvoiceNumber',
      code: 'NOT_AN_INVOICE_NUMBER',
      message: 'must be the number of an invoice, such as 2027-000123',
      holds: isInvoiceNumber,
      schema: { type: 'string', pattern: '^\\d{4}-\\d{6,10}$' },
    },
    options,
  );

export const IsEmailAddress = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isEmailAddress',
      code: 'NOT_AN_EMAIL',
      message: 'must be an e-mail address',
      holds: isEmail,
      schema: { type: 'string', format: 'email', maxLength: 254 },
    },
    options,
  );

const STRIPE_ACCOUNT = /^acct_[A-Za-z0-9]{1,250}$/;

/** A business's account at Stripe: `acct_1032D82eZvKYlo2C`. */
export const IsStripeAccount = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isStripeAccount',
      code: 'NOT_A_STRIPE_ACCOUNT',
      message: 'must be the id of a Stripe account, such as acct_1032D82eZvKYlo2C',
      holds: (value) => typeof value === 'string' && STRIPE_ACCOUNT.test(value),
      schema: { type: 'string', pattern: STRIPE_ACCOUNT.source },
    },
    options,
  );

/** An address that a browser can be sent to. */
export const IsWebAddress = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isWebAddress',
      code: 'NOT_A_WEB_ADDRESS',
      message: 'must be an address that begins with https:// or http://, of 2000 characters at most',
      holds: isWebAddress,
      schema: { type: 'string', format: 'uri', maxLength: 2_000 },
    },
    options,
  );

const MAX_LIMIT = 100_000;

/** How many sessions: 1 or more, or `"unlimited"` (C1). */
export const IsLimit = (options?: FieldOptions): PropertyDecorator =>
  Field(
    {
      name: 'isLimit',
      code: 'NOT_A_LIMIT',
      message: `must be a whole number from 1 to ${MAX_LIMIT}, or "unlimited"`,
      holds: (value) => value === 'unlimited' || isIntegerWithin(value, 1, MAX_LIMIT),
      schema: {
        oneOf: [
          { type: 'integer', minimum: 1, maximum: MAX_LIMIT },
          { type: 'string', enum: ['unlimited'] },
        ],
      },
    },
    options,
  );

/** A body within a body. */
export const IsNested = (shape: BodyClass, options?: FieldOptions): PropertyDecorator =>
  nested({ shapeOf: () => shape, shapes: [shape], schema: { $ref: getSchemaPath(shape) } }, options);

/** A body within a body, of which one field says which shape it has: `IsVariant('kind', { none: NoExpiry, on: ExpiryOnDate })`. */
export const IsVariant = (by: string, shapes: Record<string, BodyClass>, options?: FieldOptions): PropertyDecorator =>
  nested(
    {
      shapeOf: (value) => ownEntry(shapes, (value as Record<string, unknown>)[by]),
      variant: { by, kinds: Object.keys(shapes) },
      shapes: Object.values(shapes),
      schema: {
        oneOf: [...new Set(Object.values(shapes))].map((shape) => ({ $ref: getSchemaPath(shape) })), // several kinds may have one shape
        discriminator: {
          propertyName: by,
          mapping: Object.fromEntries(Object.entries(shapes).map(([kind, shape]) => [kind, getSchemaPath(shape)])),
        },
      },
    },
    options,
  );

/** `{ "amount": 5000, "currency": "CAD" }`: minor units, never negative, never a fraction (A4). */
export const IsMoney = (options?: FieldOptions): PropertyDecorator => IsNested(MoneyBody, options);

/** Money that may be below zero: an adjustment, a balance. */
export const IsSignedMoney = (options?: FieldOptions): PropertyDecorator => IsNested(SignedMoneyBody, options);

/** Money that a caller sets: bounded, so that what is worked out from it stays within the safe integers. */
export const IsPrice = (options?: FieldOptions): PropertyDecorator => IsNested(PriceBody, options);

/** A price that is not nothing: what is paid or given back. */
export const IsPositivePrice = (options?: FieldOptions): PropertyDecorator => IsNested(PositivePriceBody, options);

/** A field of one's own: what the decorators above are made of. */
export function Field(rule: Rule, options: FieldOptions = {}): PropertyDecorator {
  return (target, name) => {
    const { list } = options;
    mayBeAbsent(target, name, options);
    if (list) boundList(target, name, list);
    ValidateBy(
      { name: rule.name, validator: { validate: rule.holds, defaultMessage: () => `$property ${rule.message}` } },
      { each: list !== undefined, context: { code: rule.code, message: rule.message } satisfies RuleContext },
    )(target, name);
    describe(target, name, rule.schema, options);
    remember(target, name, { inQuery: rule.inQuery, list: list !== undefined });
  };
}

/** What the errors of a rule say. */
export interface RuleContext {
  code: string;
  message: string;
}

export const NOT_AN_OBJECT: RuleContext = { code: 'NOT_AN_OBJECT', message: 'must be an object' };

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What class-validator does not keep of a field. */
export interface FieldTraits {
  list: boolean;
  inQuery?: 'number' | 'boolean';
  shapeOf?: (value: object) => BodyClass | undefined;
  variant?: { by: string; kinds: string[] };
}

export const traitsOf = (shape: BodyClass, name: string): FieldTraits | undefined => {
  for (let prototype: unknown = shape.prototype; prototype; prototype = Object.getPrototypeOf(prototype)) {
    const traits = fieldTraits.get(prototype)?.get(name);
    if (traits) return traits;
  }
  return undefined;
};

const fieldTraits = new Map<unknown, Map<string, FieldTraits>>();

function remember(target: object, name: string | symbol, traits: FieldTraits): void {
  const fields = fieldTraits.get(target) ?? new Map<string, FieldTraits>();
  fieldTraits.set(target, fields.set(String(name), traits));
}

/** All bodies within bodies: the document holds each, also where a class took over the field that names it from another one. */
export const nestedShapes = new Set<BodyClass>();

interface Nesting extends Pick<FieldTraits, 'variant'> {
  shapeOf: (value: object) => BodyClass | undefined;
  shapes: BodyClass[];
  schema: Record<string, unknown>;
}

function nested({ shapeOf, shapes, schema, variant }: Nesting, options: FieldOptions = {}): PropertyDecorator {
  return (target, name) => {
    const { list } = options;
    mayBeAbsent(target, name, options);
    if (list) boundList(target, name, list);
    ValidateBy(
      { name: 'isBody', validator: { validate: isObject, defaultMessage: () => `$property ${NOT_AN_OBJECT.message}` } },
      { each: list !== undefined, context: NOT_AN_OBJECT }, // ValidateNested itself lets null pass
    )(target, name);
    ValidateNested({ each: list !== undefined })(target, name);
    for (const shape of shapes) nestedShapes.add(shape);
    describe(target, name, schema, options);
    remember(target, name, { list: list !== undefined, shapeOf, variant });
  };
}

function mayBeAbsent(target: object, name: string | symbol, { optional, nullable }: FieldOptions): void {
  if (optional) ValidateIf((_, value) => value !== undefined)(target, name);
  if (nullable) ValidateIf((_, value) => value !== null)(target, name);
}

function boundList(target: object, name: string | symbol, { min = 0, max, unique = false }: ListBounds): void {
  const message = `must be a list of ${min} to ${max}${unique ? ' different ones' : ''}`;
  const holds = (value: unknown): boolean =>
    Array.isArray(value) && value.length >= min && value.length <= max && (!unique || new Set(value).size === value.length);
  ValidateBy(
    { name: 'isBoundedList', validator: { validate: holds, defaultMessage: () => `$property ${message}` } },
    { context: { code: 'NOT_A_LIST', message } satisfies RuleContext },
  )(target, name);
}

function describe(target: object, name: string | symbol, schema: Record<string, unknown>, options: FieldOptions): void {
  const { list, optional, nullable, description, example } = options;
  const { min = 0, max, unique } = list ?? {};
  const one = nullable && '$ref' in schema ? { allOf: [schema] } : schema; // beside a bare $ref, Nest says that null is an object
  const described = list ? { type: 'array', items: schema, minItems: min, maxItems: max, ...(unique && { uniqueItems: true }) } : one;
  const about = {
    required: !optional,
    ...(nullable && { nullable }),
    ...(description && { description }),
    ...(example !== undefined && { example }),
  };
  ApiProperty({ ...described, ...about })(target, name);
}

function isIntegerWithin(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
}

const ownEntry = <T>(entries: Record<string, T>, key: unknown): T | undefined =>
  typeof key === 'string' && Object.hasOwn(entries, key) ? entries[key] : undefined;

export class MoneyBody {
  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, description: 'minor units', example: 5000 })
  amount: number;

  @IsCurrency({ example: 'CAD' })
  currency: string;
}

const MAX_PRICE = 1_000_000_000_000; // minor units; with ten taxes of 100 % each it is less than a hundredth of 2^53

export class SignedMoneyBody {
  @IsInteger({ min: -MAX_PRICE * 1_000, max: MAX_PRICE * 1_000, description: 'minor units', example: -1500 })
  amount: number;

  @IsCurrency({ example: 'CAD' })
  currency: string;
}

class PositivePriceBody {
  @IsInteger({ min: 1, max: MAX_PRICE, description: 'minor units', example: 5000 })
  amount: number;

  @IsCurrency({ example: 'CAD' })
  currency: string;
}

class PriceBody {
  @IsInteger({ min: 0, max: MAX_PRICE, description: 'minor units', example: 5000 })
  amount: number;

  @IsCurrency({ example: 'CAD' })
  currency: string;
}
