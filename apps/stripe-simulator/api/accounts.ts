import type Stripe from 'stripe';
import { z } from 'zod';
import { PLATFORM, type Cause, type Simulator } from '../simulator.js';
import { newId } from '../state/ids.js';
import { Failure, missing } from './failure.js';
import { expand, metadata, read, webAddress } from './params.js';
import { route, type Route } from './route.js';

const anything = z.unknown().optional();
const createParams = z.strictObject({
  type: z.enum(['standard', 'express', 'custom']).optional(),
  country: z.string().length(2).optional(),
  email: z.string().optional(),
  default_currency: z.string().length(3).optional(),
  business_type: z.enum(['company', 'individual', 'non_profit', 'government_entity']).optional(),
  business_profile: z.looseObject({ name: z.string().optional() }).optional(),
  metadata: metadata.optional(),
  controller: anything, // who bears fees and losses: nobody here
  capabilities: anything,
  expand,
});
const linkParams = z.strictObject({
  account: z.string(),
  refresh_url: webAddress,
  return_url: webAddress,
  type: z.enum(['account_onboarding', 'account_update']),
  collect: z.string().optional(),
  collection_options: anything,
  expand,
});

const NEEDED = ['business_profile.url', 'external_account', 'tos_acceptance.date'];
const LINK_LIFE = 300; // s

export const newAccount = (id: string, created: number, said: z.output<typeof createParams> = {}) =>
  ({
    ...{ id, object: 'account', created, charges_enabled: false, payouts_enabled: false, details_submitted: false },
    ...{ type: said.type ?? 'standard', country: said.country ?? 'CA', default_currency: said.default_currency ?? 'cad' },
    email: said.email ?? null,
    business_type: said.business_type ?? null,
    business_profile: {
      ...{ mcc: null, minority_owned_business_designation: null, specified_commercial_transactions_act_url: null },
      ...{ support_address: null, support_email: null, support_phone: null, support_url: null, url: null, product_description: null },
      name: said.business_profile?.name ?? null,
    },
    capabilities: { card_payments: 'inactive', transfers: 'inactive' },
    metadata: said.metadata ?? {},
    requirements: requirementsOf(NEEDED),
  }) satisfies Stripe.Account;

const requirementsOf = (needed: string[]) =>
  ({
    ...{ alternatives: [], current_deadline: null, errors: [], past_due: needed, pending_verification: [] },
    ...{ currently_due: needed, eventually_due: needed, disabled_reason: needed.length > 0 ? 'requirements.past_due' : null },
  }) satisfies Stripe.Account.Requirements;

/** As a business that has told Stripe all that it asks. Nothing, if it has before. */
export const completeOnboarding = ({ state, emit }: Simulator, id: string, cause?: Cause): void => {
  const account = state.accounts.find(id)?.item;
  if (!account || account.charges_enabled) return;
  const complete = {
    ...{ ...account, charges_enabled: true, payouts_enabled: true, details_submitted: true },
    ...{ capabilities: { card_payments: 'active', transfers: 'active' }, requirements: requirementsOf([]) },
  } satisfies Stripe.Account;
  emit(id, 'account.updated', state.accounts.put(PLATFORM, complete), cause);
};

export const accountNamed = ({ business_profile: profile, id }: Stripe.Account): string => profile?.name ?? id;

/** Throws as Stripe does over an account that the platform's key may not act for. */
export const checkAccess = ({ state }: Simulator, account: string, key: string): void => {
  if (account === PLATFORM || state.accounts.find(account)) return;
  const message = `The provided key '${key.slice(0, 11)}…' does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`;
  throw new Failure(403, { type: 'invalid_request_error', code: 'account_invalid', message });
};

const accountOf = ({ state }: Simulator, id: string, param?: string): Stripe.Account => {
  const account = state.accounts.get(PLATFORM, id);
  if (!account) throw missing('account', id, param);
  return account;
};

export const accountRoutes: Route[] = [
  route('POST', '/v1/accounts', ({ state, now }, { form }) =>
    state.accounts.put(PLATFORM, newAccount(newId('acct_1', 15), now(), read(createParams, form))),
  ),
  route('GET', '/v1/accounts/:id', (simulator, { id }) => accountOf(simulator, id)),
  route('POST', '/v1/accounts/:id', (simulator, { id, form }) => {
    const account = accountOf(simulator, id);
    const said = read(z.strictObject({ metadata, expand }), form);
    return simulator.state.accounts.put(PLATFORM, { ...account, metadata: { ...account.metadata, ...said.metadata } });
  }),
  route('GET', '/v1/account', (simulator, { account }) => accountOf(simulator, account)),
  route('POST', '/v1/account_links', (simulator, { form }) => {
    const { account, return_url: returnUrl, refresh_url: refreshUrl } = read(linkParams, form);
    const { id: accountId } = accountOf(simulator, account, 'account');
    const created = simulator.now();
    const link = { id: newId('', 16), returnUrl, refreshUrl, expiresAt: created + LINK_LIFE };
    simulator.state.accountLinks.put(accountId, link);
    const url = `${simulator.url}/onboarding/${accountId}/${link.id}`;
    return { object: 'account_link', created, expires_at: link.expiresAt, url } satisfies Stripe.AccountLink;
  }),
];
