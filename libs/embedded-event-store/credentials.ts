import { createHash, timingSafeEqual } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { accessDenied, unauthenticated } from './grpc-errors.js';

/** Passwords by user name; every user may do everything. */
export type Credentials = Record<string, string>;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Basic credentials of a call, if the server has any configured.
 * @throws CallError UNAUTHENTICATED if they are wrong, PERMISSION_DENIED if there are none
 */
export const checkCredentials = (metadata: Metadata, credentials: Credentials | undefined): void => {
  if (!credentials) return;
  const [header] = metadata.get('authorization');
  if (header === undefined) throw accessDenied();
  const encoded = /^basic (.+)$/i.exec(header.toString())?.[1] ?? '';
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const isKnown = Object.entries(credentials).some(([user, password]) => timingSafeEqual(digest(given), digest(`${user}:${password}`)));
  if (!isKnown) throw unauthenticated();
};
