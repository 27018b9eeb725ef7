import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { FORGOTTEN } from '../domain/kernel/event.js';
import type { PersonalKey } from './personal-keys.js';
import type { JsonObject } from './stored-json.js';

/** The stored form of a personal field (docs/stored-forms.md). `iv` and `ct` are base64url without padding. */
export type EncryptedField = { $enc: 1; key: string; iv: string; ct: string };

const TAG = 16; // bytes, appended to the ciphertext

export const isEncrypted = (value: unknown): value is EncryptedField =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && '$enc' in value;

/** AES-256-GCM, bound to its event and its place in it, so that it can't be moved to another. */
export function encryptField(text: string, personId: string, key: Buffer, eventId: string, field: string): EncryptedField {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(boundTo(eventId, field));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { $enc: 1, key: personId, iv: iv.toString('base64url'), ct: ciphertext.toString('base64url') };
}

/** Throws if the field was changed or moved, or if the key is another. */
export function decryptField({ $enc: form, iv, ct }: EncryptedField, key: PersonalKey, eventId: string, field: string): string {
  if (form !== 1)
    throw new Error(
      `The field "${field}" of the event ${eventId} is encrypted in the form ${form as number}, which this build does not know.`,
    );
  if (key === FORGOTTEN) return FORGOTTEN;
  const sealed = Buffer.from(ct, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), { authTagLength: TAG }).setAAD(
    boundTo(eventId, field),
  );
  decipher.setAuthTag(sealed.subarray(-TAG));
  return decipher.update(sealed.subarray(0, -TAG), undefined, 'utf8') + decipher.final('utf8');
}

/** The event's id and the JSON pointer to the field in its data. */
const boundTo = (eventId: string, field: string): Buffer => Buffer.from(`${eventId}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`);

/** The ids of all keys that it takes to read these. */
export function keysOf(datas: Iterable<JsonObject>): string[] {
  const ids = new Set<string>();
  for (const data of datas)
    for (const field in data) {
      const value = data[field];
      if (isEncrypted(value)) ids.add(value.key);
    }
  return [...ids];
}
