import { hasStripe, reachable, simulatedStripe } from './stripe-part.js';

describe('the simulated Stripe beside the service', () => {
  it('is not started where there is a Stripe', () => {
    expect(hasStripe({})).toBe(false);
    for (const name of ['STRIPE_SECRET_KEY', 'STRIPE_SECRET_KEY_FILE', 'STRIPE_API_URL']) expect(hasStripe({ [name]: 'given' })).toBe(true);
  });

  it('reaches an API that listens everywhere, or on an address of IPv6', () => {
    expect(['127.0.0.1', '0.0.0.0', '::', 'fd00::1', 'clinic.local'].map((host) => reachable(host, 3000))).toEqual([
      ...['http://127.0.0.1:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'http://[fd00::1]:3000', 'http://clinic.local:3000'],
    ]);
  });

  it('sends clients back to the API, and where the operator says', () => {
    const simulated = { url: 'http://127.0.0.1:3002', webhookSecret: 'secret', api: 'http://127.0.0.1:3000' };
    expect(simulatedStripe(simulated, {})).toEqual({
      ...{ STRIPE_SECRET_KEY: 'sk_test_simulated', STRIPE_API_URL: 'http://127.0.0.1:3002', STRIPE_WEBHOOK_SECRET: 'secret' },
      CHECKOUT_RETURN_ORIGINS: 'http://127.0.0.1:3000',
    });
    const env = { CHECKOUT_RETURN_ORIGINS: 'https://clinic.example' };
    expect(simulatedStripe(simulated, env).CHECKOUT_RETURN_ORIGINS).toBe('https://clinic.example,http://127.0.0.1:3000');
  });
});
