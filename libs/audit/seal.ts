import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { Seal } from '../domain/seal/seal.events.js';
import { GENESIS } from '../event-store/chain.js';
import { canonical, type JsonObject } from '../event-store/stored-json.js';

// K4: the forms of seals, exactly as docs/stored-forms.md has them.

/** What is sealed of one event: where it stands in `$all`, and its hash, which covers all the rest. */
export interface Sealed {
  position: bigint;
  metadata: { hash: string };
}

export const NO_SEAL = GENESIS;
export const EMPTY_LOG = GENESIS;

/** The log of a business grows by each of its events, in the order of `$all`. */
export const logAfter = (log: string, { position, metadata }: Sealed): string =>
  hash('sha256', `${log}${position} ${metadata.hash}`, 'hex');

/** By this the next seal names a seal, its signature included. */
export const sealHash = (seal: Seal): string => hash('sha256', canonical(seal), 'hex');

const signedText = ({ signature: _, ...signed }: Omit<Seal, 'signature'> & { signature?: string }): Buffer =>
  Buffer.from(canonical(signed as unknown as JsonObject), 'utf8');

/** A key that seals: 32 bytes, of which the public key follows. */
export interface SealKey {
  publicKey: string;
  seal(seal: Omit<Seal, 'publicKey' | 'signature'>): Seal;
}

const SEED_BYTES = 32;
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex'); // what goes before the seed of an Ed25519 key (RFC 8410)
const SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // what goes before a public one

/** @param secret 32 bytes in base64url or hex. @throws Error when it is not */
export function sealKeyOf(secret: string): SealKey {
  const seed = Buffer.from(secret, /^[0-9a-f]{64}$/i.test(secret) ? 'hex' : 'base64url');
  if (seed.length !== SEED_BYTES) throw new Error('A seal key has 32 bytes, in base64url or hex: openssl rand -hex 32 makes one.');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = rawOf(createPublicKey(key));
  return {
    publicKey,
    seal: (unsigned) => {
      const seal = { ...unsigned, publicKey };
      return { ...seal, signature: sign(null, signedText(seal), key).toString('base64url') };
    },
  };
}

const rawOf = (key: KeyObject): string => key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length).toString('base64url');

const publicKeyOf = (raw: string): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI, Buffer.from(raw, 'base64url')]), format: 'der', type: 'spki' });

/** The same key as other programs take it. */
export const pemOf = (publicKey: string): string => String(publicKeyOf(publicKey).export({ format: 'pem', type: 'spki' }));

/** Whether whoever has the key that the seal names has signed all of it. */
export const isSigned = (seal: Seal): boolean => {
  try {
    asOnlyWritten(seal.publicKey);
    return verify(null, signedText(seal), publicKeyOf(seal.publicKey), asOnlyWritten(seal.signature));
  } catch {
    return false; // it names no key
  }
};

/** The last letter of a text in base64url has bits that say nothing: only one of the texts for the same bytes is taken. */
const asOnlyWritten = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new Error('It is not base64url.');
  return bytes;
};
