import { mintToken } from '../../libs/auth/tokens.js';
import { CALLER_ROLES, type CallerRole } from '../../libs/auth/roles.js';
import type { DemoInfo } from './demo.js';

const TOKEN_LIFE = '30d';

interface Addresses {
  api: string;
  stripe: { url: string; api: string } | undefined; // the simulated one, and where it sends people back to
}

/** What is printed when all runs: where it is, a token per role, and commands to paste. */
export async function whatNext({ api, stripe }: Addresses, data: string, demo: DemoInfo | undefined, jwtSecret?: string): Promise<string> {
  const cards =
    stripe === undefined ? '' : `\n  Stripe   ${stripe.url}/dashboard\n           Simulated: no card is charged, no money moves`;
  const addresses = `  API      ${api}/v1\n  OpenAPI  ${api}/docs${cards}`;
  if (!demo)
    return `${addresses}

A business, and a token for its owner:

  npm run business:create -- --data '${data}' --name 'My clinic' --time-zone America/Toronto --currency CAD`;
  if (jwtSecret === undefined) return `${addresses}\n\nTokens come from your issuer (JWKS_URL); the demo business is ${demo.businessId}.`;
  const tokens = await tokensOf(demo, jwtSecret);
  return `${addresses}

A token for each role of the demo business, good for 30 days:

${CALLER_ROLES.map((role) => `  ${role.padEnd(13)}  ${tokens[role]}`).join('\n')}

Paste these, one after the other: sell, book, cancel, adjust, history.

${commands(api, demo, tokens.owner)}${stripe === undefined ? '' : buying(api, `${stripe.api}/docs`, demo, tokens.client)}`;
}

async function tokensOf({ businessId: business, clientId }: DemoInfo, secret: string): Promise<Record<CallerRole, string>> {
  const tokens = CALLER_ROLES.map(async (role) => {
    const who = { secret, business, role, sub: `demo-${role}`, expiresIn: TOKEN_LIFE };
    return [role, await mintToken(role === 'client' ? { ...who, clientId } : who)] as const;
  });
  return Object.fromEntries(await Promise.all(tokens)) as Record<CallerRole, string>;
}

const callsOf =
  (api: string, variable: string) =>
  (method: string, path: string, body?: object): string =>
    [
      `curl -sS -X ${method} ${api}/v1/${path} -H "authorization: Bearer $${variable}"`,
      body && `-H 'content-type: application/json' -d '${JSON.stringify(body)}'`,
    ]
      .filter(Boolean)
      .join(' ');

function buying(api: string, back: string, { offeringId }: DemoInfo, token: string): string {
  const call = callsOf(api, 'CLIENT');
  return `

Or buy online, as a client: open the \`url\` that comes back in a browser, and pay there. Then it is among the packages.

${[`CLIENT=${token}`, call('POST', 'me/purchases', { offeringId, successUrl: back, cancelUrl: back }), call('GET', 'me/packages')].join('\n\n')}`;
}

function commands(api: string, demo: DemoInfo, token: string): string {
  const { clientId, offeringId, packageId, serviceId, providerId, appointmentId } = demo;
  const start = new Date(Math.ceil(Date.now() / HOUR_MS + 24) * HOUR_MS).toISOString(); // a full hour, tomorrow
  const call = callsOf(api, 'TOKEN');
  return [
    `TOKEN=${token}`,
    call('POST', 'packages', { clientId, offeringId }),
    call('POST', 'appointments', { clientId, serviceId, providerId, start, packageId }),
    call('POST', `appointments/${appointmentId}/cancel`, {}),
    call('PUT', `packages/${packageId}/services/${serviceId}/remaining`, { remaining: 5, reason: 'A gift' }),
    call('GET', `packages/${packageId}/history`),
  ].join('\n\n');
}

const HOUR_MS = 3_600_000;
