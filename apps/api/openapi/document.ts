import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PERMISSIONS_EXTENSION } from '../http/access.js';
import { pick } from '../../../libs/domain/kernel/pick.js';
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
      complete(operation, {
        isCommand: method !== 'get',
        hasETag: address.includes('{') || says(path.get?.responses['200'], 'revision', schemas),
      });
      for (const answer of Object.values(operation.responses))
        if (answer && !('$ref' in answer)) answer.headers = headersOf(answer, schemas);
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
  ...['events.follow', 'audit.seals', 'audit.publicKeys', 'audit.export'],
]);

/** What nobody can be wrong about: it is asked nothing. */
const NEVER_WRONG = new Set(['audit.publicKeys']);

/** Commands that no rule refuses, but for what their fields say. */
const NEVER_REFUSED = new Set([
  ...['taxes.define', 'taxes.change', 'services.define', 'services.change', 'providers.register', 'providers.change', 'settings.change'],
  ...['clients.register', 'clients.forget', 'clientLinks.unlink', 'offerings.define', 'offerings.delete', 'offerings.restore'],
  ...['offeringList.rename', 'offeringList.remove', 'offeringList.arrange', 'imports.take'],
]);

/** What changes nothing is no repeat, whatever its key. */
const NEVER_REPEATED = new Set(['series.preview']);

/** What has a field of the answer as a header too (apps/api/http/positions.ts). */
const HEADER_OF = { position: 'Punchcard-Position', revision: 'ETag' } as const;

type Response = Operation['responses'][string];

const says = (answer: Response | undefined, field: keyof typeof HEADER_OF, schemas: Schemas): boolean => {
  const schema = answer && 'content' in answer ? answer.content?.['application/json']?.schema : undefined;
  const named = schema && '$ref' in schema ? schemas[schema.$ref.split('/').at(-1)!] : undefined;
  return named !== undefined && 'properties' in named && field in (named.properties ?? {});
};

const headersOf = (answer: Response, schemas: Schemas) => {
  const told = (['position', 'revision'] as const).filter((field) => says(answer, field, schemas)).map((field) => HEADER_OF[field]);
  return pick(HEADER_REFS, ...told, 'X-Correlation-Id');
};

/** What begins something is about nothing that could have changed. */
const complete = (operation: Operation, { isCommand, hasETag }: { isCommand: boolean; hasETag: boolean }): void => {
  const guarded = PERMISSIONS_EXTENSION in operation;
  if (guarded) operation.security = [{ token: [] }];
  const own = (operation.parameters ?? []).filter((parameter) => 'name' in parameter);
  const is = (exceptions: ReadonlySet<string>): boolean => exceptions.has(operation.operationId ?? '');
  const asked = isCommand
    ? [...(is(NEVER_REPEATED) ? [] : [IDEMPOTENCY_KEY]), ...(hasETag ? [IF_MATCH] : [])]
    : is(NEVER_WRONG)
      ? []
      : [MIN_POSITION];
  const common = asked.filter(({ name }) => !own.some((parameter) => parameter.name === name));
  operation.parameters = [...own, ...common, CORRELATION];
  const problems = [
    ...(is(NEVER_WRONG) ? [] : ['400']),
    ...(guarded ? ['401', '403'] : []),
    ...(is(NEVER_MISSING) ? [] : ['404']),
    ...(isCommand && !is(NEVER_REFUSED) ? ['409'] : []),
    ...(isCommand ? [...(hasETag ? ['412'] : []), '413', '415', ...(is(NEVER_REPEATED) ? [] : ['422'])] : []),
    '429',
    '500',
    '503',
  ];
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
  Position: {
    description: 'Position in the event store that this answer has seen; of a refusal, if it has looked there.',
    schema: { type: 'string', pattern: '^\\d+$' },
  },
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

const problem = (description: string, ...told: (keyof typeof HEADER_REFS)[]) => ({
  description,
  headers: pick(HEADER_REFS, ...told, 'X-Correlation-Id'),
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const PROBLEM_RESPONSES = {
  Problem400: problem('What was sent cannot be: every offending field is named.'),
  Problem401: problem('No valid token.'),
  Problem403: problem('The role may not do this.', 'Punchcard-Position'),
  Problem404: problem("No such thing in the caller's business."),
  Problem409: problem('A rule says no; `code` says which.', 'Punchcard-Position'),
  Problem412: problem('The thing has changed since the ETag in If-Match.', 'Punchcard-Position'),
  Problem413: problem('The body is too large.'),
  Problem415: problem('The body is not application/json.'),
  Problem422: problem('The Idempotency-Key was used with another body.', 'Punchcard-Position'),
  Problem429: problem('Too many requests.'),
  Problem500: problem('A fault of the service.'),
  Problem503: problem('Not now; Retry-After says when to repeat.'),
};
