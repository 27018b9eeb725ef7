import { createRemoteJWKSet, errors, jwtVerify, SignJWT } from 'jose';
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import { LRUCache } from 'lru-cache';
import { validate } from 'uuid';
import { isCallerRole } from './roles.js';
import type { CallerRole } from './roles.js';

/** Who calls, as their token says (docs/api.md, Tokens). */
export interface Caller {
  sub: string; // opaque; stored in clear with what they do
  business: string;
  role: CallerRole;
  clientId?: string; // whose data a `client` sees
  expiresAt: number; // ms since 1970
}

export type TokenRefusal = 'TOKEN_MISSING' | 'TOKEN_MALFORMED' | 'TOKEN_EXPIRED' | 'TOKEN_INVALID';

/** The caller's token is not one of ours: answered with 401. */
export class InvalidToken extends Error {
  constructor(
    readonly code: TokenRefusal,
    message: string,
  ) {
    super(message);
    this.name = 'InvalidToken';
  }
}

/** The issuer's keys can't be had, so nothing can be said of the token: answered with 503. */
export class TokenKeysUnavailable extends Error {
  constructor(cause: unknown) {
    super("The issuer's keys can't be read.", { cause });
    this.name = 'TokenKeysUnavailable';
  }
}

export const ISSUER = 'punchcard';
export const AUDIENCE = 'punchcard-api';

const MIN_SECRET_BYTES = 32; // RFC 7518, 3.2
const MAX_TOKEN_LENGTH = 4096;
const MAX_CACHED_TOKENS = 10_000;
const MAX_CACHED_MS = 5 * 60_000; // a key that its issuer withdrew is trusted no longer than this
const CLOCK_TOLERANCE_SECONDS = 5;

export interface MintToken extends Omit<Caller, 'expiresAt'> {
  secret: string;
  expiresIn: string | number; // `2h`, or seconds from now
  issuer?: string;
  audience?: string;
}

/** An HS256 token as the verifier below takes it: for development, tests and `business:create`. */
export const mintToken = ({
  secret,
  sub,
  business,
  role,
  clientId,
  expiresIn,
  issuer = ISSUER,
  audience = AUDIENCE,
}: MintToken): Promise<string> =>
  new SignJWT({ business, role, ...(clientId === undefined ? {} : { clientId }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(typeof expiresIn === 'number' ? Math.floor(Date.now() / 1000) + expiresIn : expiresIn)
    .sign(keyOf(secret));

export type TokenKeys = { secret: string } | { jwksUrl: string };

export interface TokenVerifier {
  /** @throws InvalidToken, TokenKeysUnavailable */
  verify(token: string): Promise<Caller>;
  /** The caller of a token verified a moment ago: verification is on every request, and its promise is not free. */
  known(token: string): Caller | undefined;
}

/** A shared secret means HS256 and nothing else; a JWKS means public keys and nothing else, so that neither can pass as the other. */
export const createTokenVerifier = (settings: TokenKeys & { issuer?: string; audience?: string }): TokenVerifier => {
  const check = signatureCheck(settings);
  const verified = new LRUCache<string, { caller: Caller; until: number }>({ max: MAX_CACHED_TOKENS });

  return {
    known(token) {
      const entry = verified.get(token);
      if (!entry) return undefined;
      if (entry.until > Date.now()) return entry.caller;
      verified.delete(token);
      return undefined;
    },
    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH)
        throw new InvalidToken('TOKEN_MALFORMED', `The token is longer than ${MAX_TOKEN_LENGTH} characters.`);
      const claims = await check(token).catch(refused);
      const caller = callerOf(claims);
      verified.set(token, { caller, until: Math.min(caller.expiresAt, Date.now() + MAX_CACHED_MS) });
      return caller;
    },
  };
};

const signatureCheck = (settings: TokenKeys & { issuer?: string; audience?: string }): ((token: string) => Promise<JWTPayload>) => {
  const { issuer = ISSUER, audience = AUDIENCE } = settings;
  const options: JWTVerifyOptions = { issuer, audience, requiredClaims: ['exp', 'sub'], clockTolerance: CLOCK_TOLERANCE_SECONDS };
  if ('secret' in settings) {
    const key = keyOf(settings.secret);
    return async (token) => (await jwtVerify(token, key, { ...options, algorithms: ['HS256'] })).payload;
  }
  const keys = createRemoteJWKSet(new URL(settings.jwksUrl), { timeoutDuration: 5_000, cooldownDuration: 10_000 });
  const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
  return async (token) => (await jwtVerify(token, keys, { ...options, algorithms })).payload;
};

/** As ids are stored, which are compared as text. */
const isUuid = (value: unknown): boolean => validate(value) && value === String(value).toLowerCase();

const callerOf = ({ sub, business, role, clientId, exp }: JWTPayload): Caller => {
  const claim = (name: string, holds: boolean): void => {
    if (!holds) throw new InvalidToken('TOKEN_INVALID', `The token's claim "${name}" is missing or not valid.`);
  };
  claim('sub', typeof sub === 'string' && sub.length > 0 && sub.length <= 255 && !/\p{Cc}|\p{Cs}/u.test(sub));
  claim('business', isUuid(business));
  claim('role', isCallerRole(role));
  claim('clientId', role === 'client' ? isUuid(clientId) : clientId === undefined);
  const caller = { sub, business, role, expiresAt: exp! * 1000 } as Caller;
  return typeof clientId === 'string' ? { ...caller, clientId } : caller;
};

function refused(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw new InvalidToken('TOKEN_EXPIRED', 'The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed)
    throw new InvalidToken('TOKEN_INVALID', `The token's claim "${error.claim}" is missing or not valid.`);
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid)
    throw new InvalidToken('TOKEN_MALFORMED', 'The token is not a signed JWT.');
  if (isOurs(error)) throw new InvalidToken('TOKEN_INVALID', "The token's signature or algorithm is not accepted.");
  throw new TokenKeysUnavailable(error);
}

/** What jose says of the token itself. All else is about getting the keys. */
const isOurs = (error: unknown): boolean =>
  error instanceof errors.JWSSignatureVerificationFailed ||
  error instanceof errors.JOSEAlgNotAllowed ||
  error instanceof errors.JOSENotSupported ||
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys;

const keyOf = (secret: string): Uint8Array => {
  const key = new TextEncoder().encode(secret);
  if (key.length < MIN_SECRET_BYTES)
    throw new RangeError(`A token secret has at least ${MIN_SECRET_BYTES} bytes; this one has ${key.length}.`);
  return key;
};
