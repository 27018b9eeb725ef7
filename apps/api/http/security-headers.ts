import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

type Directives = Record<string, string[]>;

/** helmet's headers with these directives. They never change, so helmet is asked once and not at every request. */
const headersWith = (directives: Directives): Record<string, string> => {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  };
  const middleware = helmet({ contentSecurityPolicy: { useDefaults: false, directives }, frameguard: { action: 'deny' } });
  middleware({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error) throw error as Error;
  });
  return headers;
};

/** Answers of an API load nothing; */
export const secureDataHeaders = headersWith({ defaultSrc: ["'none'"], frameAncestors: ["'none'"] });

/** the pages of its documentation load their own scripts and styles. */
const securePageHeaders = headersWith({
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  frameAncestors: ["'none'"],
});

export const DOCS_PATH = '/docs';

const isPage = (url: string): boolean => url === DOCS_PATH || url.startsWith(`${DOCS_PATH}/`);

export const answerSecurely = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(isPage(request.url) ? securePageHeaders : secureDataHeaders);
    done();
  });
};
