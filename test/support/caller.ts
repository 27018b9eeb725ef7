import { parse as fromYaml } from 'yaml';
import { createClient, type Client, type Operations, type Said } from '../../libs/api-client/index.js';
import type { Documented } from './documented.js';

export interface Sent {
  body?: unknown; // text and bytes are sent as they are
  headers?: Record<string, string>;
}

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface Problem {
  type: string;
  status: number;
  code: string;
  detail: string;
  correlationId: string;
  errors?: { field: string; code: string; message: string; in?: string }[];
  details?: Record<string, unknown>;
}

/** The newest position that any caller of a business has been told. */
export interface Seen {
  position: bigint;
}

interface Surroundings {
  urls: readonly string[];
  documented: Documented;
  seen: Seen;
  headers: Record<string, string>;
  isBroken?: boolean; // the API: a 500 is what is looked for
}

const MIN_POSITION = 'punchcard-min-position';
const INSIDE = /node_modules|\.[jt]s:\d|\bat \S+ \(|SELECT |INSERT /;

/**
 * A caller with a token. Every answer is held against the OpenAPI document (L1); queries read at least what commands of
 * the same business were told (L3). Calls take turns on the API processes.
 */
export class Caller {
  private turn = 0;
  private readonly client: Client;

  constructor(private readonly around: Surroundings) {
    const token = around.headers.authorization?.replace('Bearer ', '') ?? '';
    this.client = createClient({ baseUrl: '', token, fetch: async (path, init) => (await this.exchange(path as string, init)).answer });
  }

  /**
   * What an operation gives, by its name, through the typed client: that of integrators.
   * @throws ApiProblem when it is refused
   */
  async call<Name extends keyof Operations>(
    operation: Name,
    ...said: object extends Said<Name> ? [said?: Said<Name>] : [said: Said<Name>]
  ): Promise<Operations[Name]['gives']> {
    return onceFresh(async () => (await this.client.call(operation, ...said)).data);
  }

  /** What is read from now on is at least as fresh as this. */
  reach(position: bigint): void {
    const { seen } = this.around;
    if (position > seen.position) seen.position = position;
  }

  /** The same, with other headers. */
  with(headers: Record<string, string>): Caller {
    return new Caller({ ...this.around, headers: { ...this.around.headers, ...headers } });
  }

  /** The same, of another API. */
  at(url: unknown, { isBroken }: Pick<Surroundings, 'isBroken'> = {}): Caller {
    return new Caller({ ...this.around, urls: [url as string], isBroken });
  }

  /** What comes back, whatever it is. */
  async send<Body = unknown>(method: string, path: string, { body, headers }: Sent = {}): Promise<Answer<Body>> {
    const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const typed = body !== undefined && { 'content-type': 'application/json' };
    const init = { method, headers: { ...typed, ...this.around.headers, ...headers }, body: raw ? body : JSON.stringify(body) };
    const { answer, came } = await this.exchange(path, init);
    return { status: answer.status, headers: answer.headers, body: came as Body };
  }

  /** One call and its answer, which is held against the document. */
  private async exchange(path: string, init: RequestInit = {}): Promise<{ answer: Response; came: unknown }> {
    const { urls, documented, seen, isBroken = false } = this.around;
    const url = urls[this.turn++ % urls.length]!;
    const { method = 'GET', body } = init;
    const headers = new Headers(init.headers);
    if (method === 'GET' && seen.position > 0n && !headers.has(MIN_POSITION)) headers.set(MIN_POSITION, String(seen.position));
    const answer = await fetch(url + path, { ...init, headers });
    const text = await answer.clone().text();
    const came = { method, path: path.split('?')[0]!, status: answer.status, headers: answer.headers, body: parsed(text) };
    if (answer.status === 500 && !isBroken) throw new Error(`${method} ${path} answered 500: ${text}`);
    if (answer.status >= 400 && INSIDE.test(text)) throw new Error(`${method} ${path} shows its inside: ${text}`);
    const sentAs = headers.get('content-type') ?? undefined;
    documented.check(came, typeof body === 'string' && answer.ok ? said(body, sentAs) : (body ?? undefined), sentAs);
    const position = answer.headers.get('punchcard-position');
    if (position !== null) this.reach(BigInt(position));
    return { answer, came: came.body };
  }

  get<Body>(path: string, headers?: Record<string, string>): Promise<Body> {
    return this.succeed<Body>('GET', path, { headers });
  }

  post<Body>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Body> {
    return this.succeed<Body>('POST', path, { body, headers });
  }

  put<Body>(path: string, body: unknown, headers?: Record<string, string>): Promise<Body> {
    return this.succeed<Body>('PUT', path, { body, headers });
  }

  patch<Body>(path: string, body: unknown, headers?: Record<string, string>): Promise<Body> {
    return this.succeed<Body>('PATCH', path, { body, headers });
  }

  delete<Body>(path: string, headers?: Record<string, string>): Promise<Body> {
    return this.succeed<Body>('DELETE', path, { headers });
  }

  /** The problem of a call that must be refused. */
  async refused(status: number, method: string, path: string, sent: Sent = {}): Promise<Problem> {
    const answer = await this.send<Problem>(method, path, sent);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} for ${status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  private async succeed<Body>(method: string, path: string, sent: Sent): Promise<Body> {
    return onceFresh(async () => {
      const { status, body } = await this.send<Body>(method, path, sent);
      if (status >= 300) throw new Refused(method, path, body as Problem);
      return body;
    });
  }
}

class Refused extends Error {
  readonly code: string | undefined;

  constructor(method: string, path: string, problem: Problem | undefined) {
    super(`${method} ${path} was refused: ${JSON.stringify(problem)}`);
    this.code = problem?.code;
  }
}

const TIMES = 12;

/** As those who call are told: what is not yet fresh is asked for again. */
const onceFresh = async <Body>(ask: () => Promise<Body>): Promise<Body> => {
  for (let times = 1; ; times += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'NOT_YET_FRESH' || times === TIMES) throw error;
    }
  }
};

/** A text as the document describes it: YAML and JSON as the data that they say. */
const said = (body: string, sentAs = 'application/json'): unknown => {
  if (sentAs === 'application/json') return parsed(body);
  return sentAs === 'application/yaml' ? fromYaml(body) : body;
};

const parsed = (text: string): unknown => {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
};
