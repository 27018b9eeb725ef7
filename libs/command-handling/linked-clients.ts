import { clientLink, gives, linkIdOf } from '../domain/client-link/client-link.state.js';
import type { Permissions } from '../domain/client-link/client-link.events.js';
import { Refusal } from '../domain/kernel/refusal.js';
import { packageAggregate } from '../domain/package/package.state.js';
import type { Operation } from './operation.js';

// What one client may do because of another. The head of their link is read each time, after the operation has begun: what was taken away and
// acknowledged before stops it, on every process. The events that rest on a link pin the revision of it that was read.

/**
 * G3: may this client use sessions of the package, as its owner or because the owner lets them? Every command that takes a session anew asks
 * this; one that moves or ends a session does not.
 */
export const mayUse = async (operation: Operation, packageId: string, clientId: string): Promise<boolean> => {
  const ownerId = await operation.known(packageAggregate, packageId, (state) => (state.status === 'unsold' ? null : state.clientId));
  if (ownerId === null || ownerId === clientId) return true; // of what was not sold, the package itself says so
  return lets(operation, { giver: ownerId, taker: clientId, permission: 'usePackages' });
};

/**
 * G3: whoever books or manages an appointment is staff, its client, or someone whom that client lets.
 * @throws Refusal NOT_PERMITTED_BY_CLIENT
 */
export const assertMayManageFor = async (operation: Operation, clientId: string): Promise<void> => {
  const { actor, clientId: taker } = operation.caller;
  if (actor.role !== 'client' || taker === clientId) return;
  if (taker !== undefined && (await lets(operation, { giver: clientId, taker, permission: 'bookAndManageAppointments' }))) return;
  throw notPermitted();
};

export const notPermitted = (): Refusal =>
  new Refusal('NOT_PERMITTED_BY_CLIENT', 'This client does not let you book and manage their appointments.');

const lets = async (
  operation: Operation,
  { giver, taker, permission }: { giver: string; taker: string; permission: keyof Permissions },
): Promise<boolean> => gives(await operation.newest(clientLink, linkIdOf(giver, taker)), giver, permission);
