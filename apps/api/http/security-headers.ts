import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

/**
 * helmet's headers. They never change, so they are asked for once and not at every request. Answers of an API load nothing;
 * the pages of the API's documentation load their own scripts and styles.
 */
export const answerSecurely = (fastify: FastifyInstance): void => {
  const forData = headersOf(
    helmet({ contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } } }),
  );
  const forPages = headersOf(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:'],
          frameAncestors: ["'none'"],
        },
      },
    }),
  );
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(isPage(request.url) ? forPages : forData);
    done();
  });
};

export const DOCS_PATH = '/docs';

const isPage = (url: string): boolean => url === DOCS_PATH || url.startsWith(`${DOCS_PATH}/`);

const headersOf = (middleware: ReturnType<typeof helmet>): Record<string, string> => {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  } as unknown as ServerResponse;
  middleware({} as IncomingMessage, response, (error) => {
    if (error) throw error as Error;
  });
  return headers;
};
