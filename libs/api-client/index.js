import { operations } from './operations.js';

const RECONNECT = 2_000; // ms, unless the stream says otherwise

/** A call that was refused, as the API says it (RFC 9457). */
export class ApiProblem extends Error {
  name = 'ApiProblem';

  constructor(problem, headers) {
    super(problem.detail);
    this.problem = problem;
    this.status = problem.status;
    this.code = problem.code;
    this.retryAfter = headers.has('retry-after') ? Number(headers.get('retry-after')) : undefined;
    this.position = headers.get('punchcard-position') ?? undefined;
  }
}

/** See index.d.ts for what it takes and gives. */
export function createClient({ baseUrl, token, fetch: send = globalThis.fetch }) {
  const ask = async (method, path, { headers = {}, ...rest }) => {
    const bearer = typeof token === 'function' ? await token() : token;
    const answer = await send(baseUrl + path, { method, headers: { authorization: `Bearer ${bearer}`, ...headers }, ...rest });
    if (!answer.ok) throw new ApiProblem(await problemIn(answer), answer.headers);
    return answer;
  };

  return {
    call: async (operation, said = {}) => {
      const { method, path } = operations[operation];
      const answer = await ask(method, addressOf(path, said), {
        headers: headersOf(said),
        body: bodyOf(said.body),
        signal: said.signal,
      });
      const { headers, status } = answer;
      const told = (name) => headers.get(name) ?? undefined;
      return { data: await dataOf(answer), status, headers, etag: told('etag'), position: told('punchcard-position') };
    },

    follow: async function* ({ after, types, signal } = {}) {
      let last = after;
      let pause = RECONNECT;
      while (!signal?.aborted) {
        try {
          const query = { ...(last !== undefined && { after: last }), ...(types && { types: types.join(',') }) };
          const answer = await ask('GET', addressOf(operations['events.follow'].path, { query }), {
            headers: { accept: 'text/event-stream' },
            signal,
          });
          for await (const { id, retry, data } of blocksOf(answer.body)) {
            if (retry !== undefined) pause = Number(retry);
            if (data !== undefined) yield JSON.parse(data);
            if (id !== undefined) last = id;
          }
        } catch (error) {
          if (signal?.aborted) return;
          if (error instanceof ApiProblem && error.status < 500 && error.status !== 429) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
  };
}

const addressOf = (path, { path: ids = {}, query = {} }) => {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined));
  return path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(ids[name])) + (asked.size > 0 ? `?${asked}` : '');
};

const headersOf = ({ idempotencyKey, ifMatch, minPosition, correlationId, contentType = 'application/json', body, headers }) => ({
  ...(body !== undefined && { 'content-type': contentType }),
  ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
  ...(ifMatch !== undefined && { 'if-match': ifMatch }),
  ...(minPosition !== undefined && { 'punchcard-min-position': minPosition }),
  ...(correlationId !== undefined && { 'x-correlation-id': correlationId }),
  ...headers,
});

const bodyOf = (body) => (body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));

const dataOf = async (answer) => {
  const type = answer.headers.get('content-type') ?? '';
  if (type.startsWith('application/json')) return answer.json();
  return type.startsWith('text/') || type === '' ? answer.text() : new Uint8Array(await answer.arrayBuffer());
};

/** What stands between us and the API may answer in its own words. */
const problemIn = async (answer) => {
  const text = await answer.text();
  if (answer.headers.get('content-type')?.startsWith('application/problem+json')) return JSON.parse(text);
  const { status, statusText } = answer;
  return {
    type: 'about:blank',
    title: statusText,
    status,
    detail: text || statusText,
    instance: '',
    code: 'NOT_OF_THE_API',
    correlationId: '',
  };
};

/** The blocks of a stream of server-sent events, as their fields. */
async function* blocksOf(body) {
  let rest = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks)
      yield Object.fromEntries(block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]));
  }
}
