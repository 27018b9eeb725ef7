import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { TlsKeyPair } from './listener.js';

// A self-signed X.509 certificate, written in DER by hand: Node can read certificates but not make them.

const tagged = (tag: number, ...contents: Uint8Array[]): Buffer => {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
};
const sequence = (...contents: Uint8Array[]): Buffer => tagged(0x30, ...contents);
const set = (...contents: Uint8Array[]): Buffer => tagged(0x31, ...contents);
const integer = (bytes: Uint8Array): Buffer => tagged(0x02, bytes);
const octets = (bytes: Uint8Array): Buffer => tagged(0x04, bytes);
const bits = (bytes: Uint8Array): Buffer => tagged(0x03, Buffer.of(0), bytes);
const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text));
const isTrue = tagged(0x01, Buffer.of(0xff));
const utcTime = (date: Date): Buffer => tagged(0x17, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`)); // two-digit years: until 2049

const oid = {
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
  commonName: Buffer.from('0603550403', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
  basicConstraints: Buffer.from('0603551d13', 'hex'),
};

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replaceAll(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;

const day = 24 * 60 * 60 * 1_000; // ms

/**
 * A key and a certificate for it, for development: the certificate is its own authority, to be given to clients as
 * `tlsCAFile`.
 * @param hosts names and IPv4 addresses under which the server is reached
 */
export const generateCertificate = (hosts: readonly string[], { days = 365, now = new Date() } = {}): TlsKeyPair => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid.commonName, utf8('embedded-event-store'))));
  const altNames = hosts.map((host) =>
    isIPv4(host) ? tagged(0x87, Buffer.from(host.split('.').map(Number))) : tagged(0x82, Buffer.from(host)),
  );
  const extensions = sequence(
    sequence(oid.subjectAltName, octets(sequence(...altNames))),
    sequence(oid.basicConstraints, isTrue, octets(sequence(isTrue))),
  );
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(0x01), randomBytes(15)])),
    sequence(oid.ecdsaWithSha256),
    name,
    sequence(utcTime(new Date(now.getTime() - day)), utcTime(new Date(now.getTime() + days * day))),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions),
  );
  const certificate = sequence(body, sequence(oid.ecdsaWithSha256), bits(sign('sha256', body, privateKey)));
  return { cert: pem('CERTIFICATE', certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
};
