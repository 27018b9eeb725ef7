import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

// L1: the OpenAPI document is exact, so every answer that a test gets is held against it.

interface Schemed {
  $ref?: string;
  content?: Record<string, unknown>;
  headers?: Record<string, unknown>;
}

export interface Operation {
  operationId: string;
  parameters: { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: Record<string, unknown> }[];
  requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, Schemed>;
  'x-permissions'?: string[];
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Record<string, unknown>>; responses: Record<string, Schemed> };
}

/** What came back, before anybody has looked at it. */
export interface Came {
  method: string;
  path: string; // without the query
  status: number;
  headers: Headers;
  body: unknown;
}

export interface Documented {
  document: OpenApi;
  /** Every status that was seen of an operation so far. */
  seen: ReadonlyMap<string, ReadonlySet<number>>;
  /** @throws Error that says what the document does not say of this answer, or of the body that it was the good answer to */
  check(came: Came, sent: unknown, sentAs?: string): void;
}

const JSON_TYPE = 'application/json';
const PROBLEM = '#/components/schemas/Problem';

/** Compiled once for each shape that is met, as quickly as can be: each shape looks at few answers. */
const COMPILING = { code: { optimize: false }, validateSchema: false } as const;

const known = new Map<string, Documented>();

/** @param text the document; all services of a spec have the same */
export const documentedBy = (text: string): Documented => {
  const documented = known.get(text) ?? documentedIn(JSON.parse(text) as OpenApi);
  known.set(text, documented);
  return documented;
};

const documentedIn = (document: OpenApi): Documented => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, ...COMPILING });
  addFormats.default(ajv);
  ajv.addSchema(document, 'api');
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (reference: string): ValidateFunction => {
    const known = validators.get(reference) ?? ajv.compile({ $ref: `api${reference}` });
    validators.set(reference, known);
    return known;
  };
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    fixed: template.replaceAll(/\{\w+\}/g, '').length,
  }));
  /** Where several fit, `/packages/available` goes before `/packages/{packageId}`. */
  const templateOf = (path: string): string | undefined =>
    templates.filter(({ pattern }) => pattern.test(path)).sort((a, b) => b.fixed - a.fixed)[0]?.template;

  const seen = new Map<string, Set<number>>();
  const schemaOf = ({ method, path, status, headers }: Came): string => {
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    const template = templateOf(path);
    const operation = template && document.paths[template]?.[method.toLowerCase()];
    if (!operation) {
      if (status < 400) throw new Error(`The document has no ${method} ${path}.`);
      return PROBLEM;
    }
    const response = operation.responses[status];
    if (!response) throw new Error(`The document does not say that ${method} ${template} can answer ${status}.`);
    seen.set(operation.operationId, (seen.get(operation.operationId) ?? new Set()).add(status));
    const where = response.$ref ?? `#/${['paths', template, method.toLowerCase(), 'responses', String(status)].map(escaped).join('/')}`;
    const content = response.$ref ? document.components.responses[response.$ref.split('/').at(-1)!]?.content : response.content;
    if (!content?.[type]) throw new Error(`The document does not say that ${method} ${template} can answer ${status} with ${type}.`);
    return `${where}/content/${escaped(type)}/schema`;
  };

  /** L3, L4: a good answer has its position and its ETag as headers too, where the document says so and nowhere else. */
  const checkHeaders = ({ method, path, status, headers, body }: Came): void => {
    const told = document.paths[templateOf(path)!]![method.toLowerCase()]!.responses[status]!.headers ?? {};
    const said = (typeof body === 'object' && body !== null ? body : {}) as { position?: string; revision?: string | null };
    const { position = null, revision = null } = said;
    const wanted = { 'Punchcard-Position': position, ETag: revision === null ? null : `"${revision}"` };
    for (const [name, value] of Object.entries(wanted))
      if (headers.get(name) !== value || (value !== null && !(name in told)))
        throw new Error(`${method} ${path} answered with ${name}: ${headers.get(name)}, otherwise than it says.`);
  };

  /** L3: a refusal tells its position where the document says that it may. */
  const checkRefused = ({ method, path, status, headers }: Came): void => {
    const template = templateOf(path);
    if (!headers.has('Punchcard-Position') || !template) return;
    const { $ref = '' } = document.paths[template]![method.toLowerCase()]!.responses[status]!;
    if (!('Punchcard-Position' in (document.components.responses[$ref.split('/').at(-1)!]?.headers ?? {})))
      throw new Error(`${method} ${path} answered ${status} with a position that it does not document.`);
  };

  const checkTaken = ({ method, path }: Came, sent: unknown, sentAs: string): void => {
    const template = templateOf(path)!;
    const where = ['paths', template, method.toLowerCase(), 'requestBody', 'content', sentAs, 'schema'].map(escaped).join('/');
    if (validatorOf(`#/${where}`)(sent)) return;
    throw new Error(`${method} ${template} took what the document does not say that it takes: ${JSON.stringify(sent)}`);
  };

  return {
    ...{ document, seen },
    check(came, sent, sentAs = JSON_TYPE) {
      const validate = validatorOf(schemaOf(came));
      if (validate(came.body)) {
        if (came.status < 300) checkHeaders(came);
        if (came.status >= 400) checkRefused(came);
        if (came.status < 300 && sent !== undefined) checkTaken(came, sent, sentAs);
        return;
      }
      const errors = validate.errors?.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
      throw new Error(
        `${came.method} ${came.path} answered ${came.status} otherwise than documented:\n${errors?.join('\n')}\n${JSON.stringify(came.body).slice(0, 2_000)}`,
      );
    },
  };
};

const escaped = (segment: string): string => encodeURIComponent(segment.replaceAll('~', '~0').replaceAll('/', '~1'));
