import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { apiOf } from './api/api.js';
import { expireSessions } from './api/checkout-sessions.js';
import { told } from './control.js';
import { dashboardPage, press } from './pages/dashboard.js';
import { pageOf, POLICY } from './pages/layout.js';
import { onboard, onboardingPage } from './pages/onboarding.js';
import type { PageAnswer } from './pages/page-answer.js';
import { pay, payPage } from './pages/pay.js';
import { settleRefunds } from './refunds.js';
import { simulatorOf, type Simulator } from './simulator.js';
import { openState } from './state/state.js';
import { startSending, type Webhook } from './webhooks.js';

export interface SimulatorOptions {
  host?: string;
  port?: number; // 0 (the default): any free one
  stateFile?: string; // without it, what happened is forgotten when it stops
  webhook: Webhook;
  log: Logger;
}

export interface SimulatorServer {
  url: string;
  stop(): Promise<void>;
}

const BODY_LIMIT = 1024 * 1024; // bytes
const TICK = 250; // ms between looks at what happens by itself

/** A Stripe of one's own: its API, the pages that people see, and webhooks. */
export const startSimulator = async ({
  host = '127.0.0.1',
  port = 0,
  stateFile,
  webhook,
  log,
}: SimulatorOptions): Promise<SimulatorServer> => {
  const state = openState(stateFile);
  const simulator = simulatorOf({ state, log });
  const tick = () =>
    state.transact(() => {
      expireSessions(simulator);
      settleRefunds(simulator);
    });
  const answer = answering(simulator, webhook, tick);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'The simulator failed');
      if (!response.headersSent) response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  simulator.url = `http://${host}:${(server.address() as AddressInfo).port}`;
  const sending = startSending(simulator, webhook);
  const ticking = setInterval(tick, TICK);
  return {
    url: simulator.url,
    stop: async () => {
      clearInterval(ticking);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, sending.stop()]);
      state.close();
    },
  };
};

const answering = (simulator: Simulator, webhook: Webhook, tick: () => void) => {
  const api = apiOf(simulator);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname: path, search } = new URL(request.url ?? '/', 'http://simulator');
    const method = request.method ?? 'GET';
    const body = await bodyOf(request);
    if (body === undefined) return void response.writeHead(413).end();
    tick();
    if (path.startsWith('/v1/')) {
      const header = (name: string) => [request.headers[name]].flat()[0];
      const answered = await api({ method, path, query: search.slice(1), body, header });
      simulator.log.debug({ method, path, status: answered === 'reset' ? answered : answered.status }, 'A call');
      if (answered === 'reset') return void request.socket.destroy();
      return void response.writeHead(answered.status, answered.headers).end(answered.body);
    }
    if (path.startsWith('/_simulator/')) {
      const { status, body: said } = told(simulator, webhook, `${method} ${path}`, body);
      return void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    }
    show(response, visited(simulator, method, path, new URLSearchParams(body)));
  };
};

const visited = (simulator: Simulator, method: string, path: string, form: URLSearchParams): PageAnswer => {
  const [where, first = '', second = '', third = ''] = path.slice(1).split('/');
  const isPost = method === 'POST';
  if (where === 'pay') return isPost ? pay(simulator, first, second) : payPage(simulator, first);
  if (where === 'onboarding') return isPost ? onboard(simulator, first, second, third) : onboardingPage(simulator, first, second);
  if (where === 'dashboard') return isPost ? press(simulator, first, second, third, form) : dashboardPage(simulator);
  return { seeOther: '/dashboard' };
};

const show = (response: ServerResponse, answer: PageAnswer): void => {
  const safe = { 'content-security-policy': POLICY, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  if ('seeOther' in answer) response.writeHead(303, { ...safe, location: answer.seeOther }).end();
  else response.writeHead(answer.status, { ...safe, 'content-type': 'text/html; charset=utf-8' }).end(pageOf(answer.page));
};

/** The whole body; undefined if it is more than anybody should send. */
const bodyOf = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};
