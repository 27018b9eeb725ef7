import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import { DOCS_PATH } from '../http/security-headers.js';

const open = { config: { public: true } } as const;

const FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Punchcard API</title>
    <link rel="stylesheet" href="${DOCS_PATH}/swagger-ui.css" />
    <link rel="icon" type="image/png" href="${DOCS_PATH}/favicon-32x32.png" />
  </head>
  <body>
    <div id="api"></div>
    <script src="${DOCS_PATH}/swagger-ui-bundle.js"></script>
    <script src="${DOCS_PATH}/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, persistAuthorization: true, tryItOutEnabled: true });\n`;

/** `/openapi.json` and, for people, Swagger UI at `/docs`. */
export const serveDocument = (fastify: FastifyInstance, document: () => object): void => {
  let text: string | undefined; // written at the first request: not every process is asked for it
  fastify.get('/openapi.json', open, async (_request, reply) => {
    void reply.type('application/json; charset=utf-8');
    return (text ??= JSON.stringify(document()));
  });
  fastify.get('/', open, async (_request, reply) => reply.redirect(DOCS_PATH));
  fastify.get(DOCS_PATH, open, async (_request, reply) => reply.type('text/html; charset=utf-8').send(PAGE));
  fastify.get(`${DOCS_PATH}/start.js`, open, async (_request, reply) => reply.type(FILES['swagger-ui-bundle.js']).send(START));

  const { resolve } = createRequire(import.meta.url);
  for (const [file, type] of Object.entries(FILES)) {
    const path = resolve(`swagger-ui-dist/${file}`);
    fastify.get(`${DOCS_PATH}/${file}`, open, async (_request, reply) => reply.type(type).send(createReadStream(path)));
  }
};
