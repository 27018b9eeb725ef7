# syntax=docker/dockerfile:1
# Two images from one build: `--target api` and `--target projector`. They need EVENTSTORE_URL, DATABASE_URL and the secrets of
# docs/operations.md at run time; nothing secret is needed, or kept, at build time.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc .swcrc ./
COPY libs/api-client/package.json ./libs/api-client/
COPY tools ./tools
# Without sources this only installs, so that the layer lasts until the lock changes.
RUN node tools/prepare.mjs
COPY apps ./apps
COPY libs ./libs
COPY projections ./projections
RUN node tools/prepare.mjs --build
# The optional packages are the compiler's and the embedded Postgres's binaries.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund

FROM node:22-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node

FROM runtime AS projector
ENV HOST=0.0.0.0 PROJECTOR_PORT=3001
EXPOSE 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PROJECTOR_PORT + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/apps/projector/main.js"]

FROM runtime AS api
ENV HOST=0.0.0.0 PORT=3000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/apps/api/main.js"]
