import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { webcrypto } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { AUDIENCE, createTokenVerifier, ISSUER, mintToken } from './tokens.js';

const secret = 'a secret for tests only, of enough bytes';
const business = '0b7a4a5e-3d3a-4d0e-9d6c-0f3a3f5d1a11';
const clientId = '5b0f8a2c-7c0a-4a55-8b43-6d7f2b8f9a10';
const owner = { secret, sub: 'someone', business, role: 'owner', expiresIn: 60 } as const;

const verifier = createTokenVerifier({ secret });
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const inAMinute = (): number => Math.floor(Date.now() / 1000) + 60;

/** Signed as it should be, with any claims. */
const signed = (claims: object): string => {
  const text = `${base64url({ alg: 'HS256' })}.${base64url(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
const claims = (changes: object): object => ({
  sub: 'someone',
  business,
  role: 'owner',
  iss: ISSUER,
  aud: AUDIENCE,
  exp: inAMinute(),
  ...changes,
});

describe('Tokens', () => {
  it('A2: say who calls, for which business, in which role', async () => {
    expect(await verifier.verify(await mintToken(owner))).toEqual({
      sub: 'someone',
      business,
      role: 'owner',
      expiresAt: expect.any(Number),
    });
    expect(await verifier.verify(await mintToken({ ...owner, role: 'client', clientId }))).toEqual({
      sub: 'someone',
      business,
      role: 'client',
      expiresAt: expect.any(Number),
      clientId,
    });
  });

  it.each([
    ['an expired one', { ...owner, expiresIn: -60 }, 'TOKEN_EXPIRED'],
    ['one of another secret', { ...owner, secret: 'another secret, which is not the right one' }, 'TOKEN_INVALID'],
    ['one of another issuer', { ...owner, issuer: 'someone-else' }, 'TOKEN_INVALID'],
    ['one for another audience', { ...owner, audience: 'another-api' }, 'TOKEN_INVALID'],
    ['a client without an id', { ...owner, role: 'client' as const }, 'TOKEN_INVALID'],
    ['an owner who would also be a client', { ...owner, clientId }, 'TOKEN_INVALID'],
  ])('A3: refuse %s', async (_, token, code) => {
    await expect(verifier.verify(await mintToken(token))).rejects.toMatchObject({ name: 'InvalidToken', code });
  });

  it.each([
    ['no end', { exp: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is not text', { sub: 7 }],
    ['a subject with a line break', { sub: 'a\nb' }],
    ['no business', { business: undefined }],
    ['a business that is no id', { business: 'mine' }],
    ['no role', { role: undefined }],
    ['two roles', { role: ['owner', 'auditor'] }],
    ['the role of policies', { role: 'system' }],
  ])('A3: refuse one with %s', async (_, changes) => {
    await expect(verifier.verify(signed(claims(changes)))).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it('A3: refuse a token without a signature, and one whose content was changed', async () => {
    const none = `${base64url({ alg: 'none' })}.${base64url(claims({}))}.`;
    const [header, , signature] = (await mintToken({ ...owner, role: 'receptionist' })).split('.');
    const raised = [header, base64url(claims({ role: 'owner' })), signature].join('.');
    await expect(verifier.verify(none)).rejects.toMatchObject({ name: 'InvalidToken' });
    await expect(verifier.verify(raised)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it.each(['', 'x', 'a.b.c', `${'x'.repeat(5_000)}.y.z`, '....'])('A3: refuse what is no token: %#', async (text) => {
    await expect(verifier.verify(text)).rejects.toMatchObject({ name: 'InvalidToken', code: 'TOKEN_MALFORMED' });
  });

  it('are known once verified, for no longer than they hold', async () => {
    const fresh = createTokenVerifier({ secret });
    const token = await mintToken({ ...owner, expiresIn: 3 });
    expect(fresh.known(token)).toBeUndefined();
    await fresh.verify(token);
    expect(fresh.known(token)).toEqual({ sub: 'someone', business, role: 'owner', expiresAt: expect.any(Number) });
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    expect(fresh.known(token)).toBeUndefined();
  });

  it('need a secret of 32 bytes', () => {
    expect(() => createTokenVerifier({ secret: 'short' })).toThrow('at least 32 bytes');
  });
});

describe('Tokens of an issuer with published keys', () => {
  let server: Server;
  let jwksUrl: string;
  let pair: webcrypto.CryptoKeyPair;
  let asked = 0;

  beforeAll(async () => {
    pair = await generateKeyPair('ES256', { extractable: true });
    const body = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] });
    server = createServer((_request, response) => {
      asked += 1;
      response.setHeader('content-type', 'application/json').end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const issued = (kid = 'k1', key: webcrypto.CryptoKey = pair.privateKey): Promise<string> =>
    new SignJWT({ business, role: 'auditor' })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setSubject('someone')
      .setIssuer('https://issuer.example')
      .setAudience('punchcard')
      .setExpirationTime('1m')
      .sign(key);
  const settings = () => ({ jwksUrl, issuer: 'https://issuer.example', audience: 'punchcard' });

  it('are verified with those keys, which are fetched once', async () => {
    const keys = createTokenVerifier(settings());
    asked = 0;
    expect(await keys.verify(await issued())).toEqual({ sub: 'someone', business, role: 'auditor', expiresAt: expect.any(Number) });
    await keys.verify(await issued());
    expect(asked).toBe(1);
  });

  it('A3: are refused when signed with another key, or with the public key as if it were a secret', async () => {
    const keys = createTokenVerifier(settings());
    const stranger = await generateKeyPair('ES256');
    await expect(keys.verify(await issued('k1', stranger.privateKey))).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    await expect(keys.verify(await issued('k2'))).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    const confused = await mintToken({
      ...owner,
      secret: await exportSPKI(pair.publicKey),
      issuer: settings().issuer,
      audience: settings().audience,
    });
    await expect(keys.verify(confused)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it('are not called wrong when the keys can not be had', async () => {
    const keys = createTokenVerifier({ ...settings(), jwksUrl: 'http://127.0.0.1:9/jwks.json' });
    await expect(keys.verify(await issued())).rejects.toMatchObject({ name: 'TokenKeysUnavailable' });
  });
});
