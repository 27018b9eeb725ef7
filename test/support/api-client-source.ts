import type { OpenApi, Operation } from './documented.js';

// The parts of libs/api-client that follow from the OpenAPI document.

interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: unknown;
  description?: string;
}

const WRITTEN = '// Written by `npm run client` from the OpenAPI document.\n';

/** The text of each file, by its name. */
export function apiClientSource({ paths, components: { schemas } }: OpenApi): Record<string, string> {
  const operations = Object.entries(paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
    .sort((a, b) => (a.operation.operationId < b.operation.operationId ? -1 : 1));
  const addresses = operations.map(
    ({ path, method, operation }) => `  '${operation.operationId}': { method: '${method.toUpperCase()}', path: '${path}' },\n`,
  );
  const types = operations.map(
    ({ operation }) => `  '${operation.operationId}': { takes: ${takenBy(operation)}; gives: ${givenBy(operation)} };\n`,
  );
  const shapes = Object.keys(schemas)
    .sort()
    .map((name) => `  ${name}: ${typeOf(schemas[name] as Schema)};\n`);
  return {
    'operations.js': `${WRITTEN}export const operations = {\n${addresses.join('')}};\n`,
    'schema.d.ts': `${WRITTEN}export interface Operations {\n${types.join('')}}\n\nexport interface Schemas {\n${shapes.join('')}}\n`,
  };
}

function takenBy({ parameters, requestBody }: Operation): string {
  const of = (where: 'path' | 'query') =>
    parameters.filter((parameter) => parameter.in === where).map(({ name, required, schema }) => field(name, schema as Schema, required));
  const [ids, query] = [of('path'), of('query')];
  const needsQuery = parameters.some((parameter) => parameter.in === 'query' && parameter.required);
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => bodyOf(type, schema as Schema));
  const isNeeded = (requestBody as { required?: boolean } | undefined)?.required;
  const parts = [
    ...(ids.length ? [`path: { ${ids.join(' ')} };`] : []),
    ...(query.length ? [`query${needsQuery ? '' : '?'}: { ${query.join(' ')} };`] : []),
    ...(bodies.length ? [`body${isNeeded ? '' : '?'}: ${[...new Set(bodies)].join(' | ')};`] : []),
  ];
  return parts.length ? `{ ${parts.join(' ')} }` : 'object';
}

const bodyOf = (type: string, schema: Schema): string => (type.endsWith('json') ? typeOf(schema) : `string | Uint8Array`);

/** Of the good answers, and of those of several types what is given to whoever asks for none. */
function givenBy({ responses }: Operation): string {
  const good = Object.entries(responses).filter(([status]) => status < '300');
  const types = good.map(([, { content = {} }]) => {
    const entries = Object.entries(content) as [string, { schema: Schema }][];
    const [type, answer] = entries.find(([name]) => name.endsWith('json')) ?? entries[0] ?? [];
    if (!type || !answer) return 'undefined';
    if (type.endsWith('json')) return typeOf(answer.schema);
    return type.startsWith('text/') ? 'string' : 'Uint8Array';
  });
  return [...new Set(types)].join(' | ');
}

function typeOf(schema: Schema): string {
  const { $ref, enum: values, oneOf, anyOf, allOf, type } = schema;
  if ($ref) return `Schemas['${$ref.split('/').at(-1)!}']`;
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ');
  const union = oneOf ?? anyOf;
  if (union) return [...new Set(union.map(typeOf))].join(' | ');
  if (allOf) return allOf.map((part) => bracketed(typeOf(part))).join(' & ');
  if (Array.isArray(type)) return [...new Set(type.map((one) => typeOf({ ...schema, type: one })))].join(' | ');
  if (type === 'array') return `${bracketed(typeOf(schema.items ?? {}))}[]`;
  if (type === 'object') return objectOf(schema);
  if (type === 'integer' || type === 'number') return 'number';
  return type ?? 'unknown';
}

function objectOf({ properties, required = [] }: Schema): string {
  if (!properties) return 'Record<string, unknown>';
  if (Object.keys(properties).length === 0) return 'Record<string, never>';
  return `{ ${Object.entries(properties)
    .map(([name, schema]) => field(name, schema, required.includes(name)))
    .join(' ')} }`;
}

const field = (name: string, schema: Schema, required = false): string => `${name}${required ? '' : '?'}: ${typeOf(schema)};`;

const bracketed = (type: string): string => (/[|&]/.test(type) ? `(${type})` : type);
