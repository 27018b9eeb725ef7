import canonicalize from 'canonicalize';
import { v5 as uuidv5 } from 'uuid';

// Every id that a command makes follows from the command's id, so that a repeat makes the same ones.

/** The id of a command sent with an Idempotency-Key: the same caller and key give the same id (L2). */
export const commandIdOf = (business: string, actorId: string, idempotencyKey: string): string =>
  uuidv5(canonicalize([actorId, idempotencyKey])!, business);

/** The id of the nth thing of a kind that a command creates: `idFor(commandId, 'invoice')`. */
export const idFor = (commandId: string, name: string, index = 0): string => uuidv5(`${name}:${index}`, commandId);

/** The id of the nth event that a command appends to a stream. */
export const eventIdOf = (commandId: string, stream: string, index: number): string => uuidv5(`${stream}:${index}`, commandId);

/** The id of the nth command that a policy gives because of an event. */
export const policyCommandIdOf = (triggerEventId: string, policy: string, ordinal: number): string =>
  uuidv5(`${policy}:${ordinal}`, triggerEventId);

/** The id of a package or a client that is moved in, or of the command that does it: the same key gives the same one, whoever imports it (L7). */
export const importedIdOf = (business: string, kind: 'package' | 'client' | 'command', ...key: string[]): string =>
  uuidv5(canonicalize(['import', kind, ...key])!, business);
