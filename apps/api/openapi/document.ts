import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PERMISSIONS_EXTENSION } from '../http/access.js';
import { nestedShapes } from '../validation/fields.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** The document of the API (L1): what the controllers and bodies say of themselves, and what holds for every operation. */
export const documentOf = (app: NestFastifyApplication): OpenAPIObject => {
  const about = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Punchcard')
    .setDescription('Sell packages of sessions and count them down. See docs/api.md for tokens, errors, idempotency, freshness and paging.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'token')
    .build();
  const document = SwaggerModule.createDocument(app, about, { operationIdFactory: operationId, extraModels: [...nestedShapes] });
  document.components = {
    ...document.components,
    schemas: { ...closed(document.components?.schemas ?? {}), Problem: PROBLEM, FieldError: FIELD_ERROR },
    responses: { ...document.components?.responses, ...PROBLEM_RESPONSES },
    headers: { ...document.components?.headers, ...ANSWER_HEADERS },
  };
  const { schemas = {} } = document.components;
  for (const [address, path] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (!operation) continue;
      complete(operation, { isCommand: method !== 'get', hasETag: address.includes('{') || isVersioned(path.get, schemas) });
      const body = operation.requestBody;
      if (body && 'content' in body && 'application/json' in body.content)
        body.required = hasRequiredFields(body.content['application/json']?.schema, schemas);
    }
  }
  return document;
};

/** `PackagesController.sell` → `packages.sell` */
const operationId = (controller: string, method: string): string => {
  const resource = controller.replace(/(Controller|Resource)$/, '');
  return `${resource.charAt(0).toLowerCase()}${resource.slice(1)}.${method}`;
};

/** Unknown fields are refused, and answers have no others than they say. */
const closed = (schemas: Schemas): Schemas =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, 'properties' in schema ? { ...schema, additionalProperties: false } : schema]),
  );

/** A body in which nothing must be said can be left out. */
const hasRequiredFields = (schema: Schemas[string] | undefined, schemas: Schemas): boolean => {
  if (schema && '$ref' in schema) return hasRequiredFields(schemas[schema.$ref.split('/').at(-1)!], schemas);
  return (schema?.required ?? []).length > 0;
};

/** Lists, which are empty where there is nothing. */
const NEVER_MISSING = new Set([
  ...['taxes.list', 'services.list', 'providers.list', 'clients.list', 'offerings.list', 'offeringList.read'],
  ...['appointments.list', 'invoices.list', 'imports.list', 'purchases.list', 'own.services', 'own.providers', 'ownPurchases.list'],
  ...['events.follow', 'stripe.account', 'audit.seals', 'audit.publicKeys', 'audit.export'],
]);

/** What is read there has an ETag. */
const isVersioned = (read: Operation | undefined, schemas: Schemas): boolean => {
  const answer = read?.responses['200'];
  const schema = answer && 'content' in answer ? answer.content?.['application/json']?.schema : undefined;
  const named = schema && '$ref' in schema ? schemas[schema.$ref.split('/').at(-1)!] : undefined;
  return named !== undefined && 'properties' in named && 'revision' in (named.properties ?? {});
};

/** What begins something is about nothing that could have changed. */
const complete = (operation: Operation, { isCommand, hasETag }: { isCommand: boolean; hasETag: boolean }): void => {
  const guarded = PERMISSIONS_EXTENSION in operation;
  if (guarded) operation.security = [{ token: [] }];
  const own = (operation.parameters ?? []).filter((parameter) => 'name' in parameter);
  const common = (isCommand ? [IDEMPOTENCY_KEY, ...(hasETag ? [IF_MATCH] : [])] : [MIN_POSITION]).filter(
    ({ name }) => !own.some((parameter) => parameter.name === name),
  );
  operation.parameters = [...own, ...common, CORRELATION];
  const problems = [
    '400',
    ...(guarded ? ['401', '403'] : []),
    ...(NEVER_MISSING.has(operation.operationId ?? '') ? [] : ['404']),
    ...(isCommand ? ['409', ...(hasETag ? ['412'] : []), '413', '415', '422'] : []),
    '429',
    '500',
    '503',
  ];
  for (const response of Object.values(operation.responses)) {
    if (response && !('$ref' in response)) response.headers = { ...response.headers, ...HEADER_REFS };
  }
  for (const status of problems) operation.responses[status] ??= { $ref: `#/components/responses/Problem${status}` };
};

const header = (name: string, description: string, schema: object) => ({
  name,
  in: 'header' as const,
  required: false,
  description,
  schema,
});

const IDEMPOTENCY_KEY = header(
  'Idempotency-Key',
  'The same key and body have one effect and the same answer, however often they are sent.',
  { type: 'string', minLength: 1, maxLength: 255 },
);
const IF_MATCH = header('If-Match', 'The ETag that the caller has seen: refused with 412 if the thing has changed since.', {
  type: 'string',
});
const MIN_POSITION = header(
  'Punchcard-Min-Position',
  'Wait, at most some seconds, until the answer is at least as fresh as this position.',
  {
    type: 'string',
    pattern: '^\\d{1,18}$',
  },
);
const CORRELATION = header('X-Correlation-Id', 'A UUID under which the call is logged and its events are stored; made up if not sent.', {
  type: 'string',
  format: 'uuid',
});

const ANSWER_HEADERS = {
  Position: { description: 'Position in the event store that this answer has seen.', schema: { type: 'string', pattern: '^\\d+$' } },
  ETag: { description: 'The revision of the thing, for If-Match.', schema: { type: 'string' } },
  CorrelationId: { description: 'The id under which the call is logged.', schema: { type: 'string', format: 'uuid' } },
};

const HEADER_REFS = {
  'Punchcard-Position': { $ref: '#/components/headers/Position' },
  ETag: { $ref: '#/components/headers/ETag' },
  'X-Correlation-Id': { $ref: '#/components/headers/CorrelationId' },
};

const FIELD_ERROR = {
  type: 'object',
  required: ['field', 'code', 'message'],
  properties: {
    field: { type: 'string', description: 'JSON pointer to the field' },
    in: { type: 'string', enum: ['path', 'query', 'header'], description: 'where the field stood, if not in the body' },
    line: { type: 'integer', minimum: 1, description: 'of the file that was sent' },
    code: { type: 'string' },
    message: { type: 'string' },
  },
};

const PROBLEM = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'correlationId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string', description: 'stable; what programs should look at' },
    correlationId: { type: 'string', format: 'uuid' },
    errors: { type: 'array', items: { $ref: '#/components/schemas/FieldError' }, description: 'every offending field' },
    details: { type: 'object', additionalProperties: true, description: 'what the refusing rule looked at' },
  },
};

const problem = (description: string) => ({
  description,
  headers: { 'X-Correlation-Id': HEADER_REFS['X-Correlation-Id'] },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const PROBLEM_RESPONSES = {
  Problem400: problem('What was sent cannot be: every offending field is named.'),
  Problem401: problem('No valid token.'),
  Problem403: problem('The role may not do this.'),
  Problem404: problem("No such thing in the caller's business."),
  Problem409: problem('A rule says no; `code` says which.'),
  Problem412: problem('The thing has changed since the ETag in If-Match.'),
  Problem413: problem('The body is too large.'),
  Problem415: problem('The body is not application/json.'),
  Problem422: problem('The Idempotency-Key was used with another body.'),
  Problem429: problem('Too many requests.'),
  Problem500: problem('A fault of the service.'),
  Problem503: problem('Not now; Retry-After says when to repeat.'),
};
