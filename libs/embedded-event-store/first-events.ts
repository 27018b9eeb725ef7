import { randomUUID } from 'node:crypto';
import type { Write } from './batch.js';
import { metastreamOf, systemEventTypes, type ProposedEvent } from './stored-event.js';

const json = (type: string, data: unknown): ProposedEvent => ({
  id: randomUUID(),
  type,
  isJson: true,
  data: Buffer.from(JSON.stringify(data)),
  metadata: Buffer.alloc(0),
});

const account = (loginName: string, fullName: string, group: string): Write[] => {
  const stream = `$user-${loginName}`;
  const acl = { $acl: { $w: '$admins', $d: '$admins', $mw: '$admins' } };
  const data = { loginName, fullName, salt: null, hash: null, disabled: false, groups: [group] };
  return [
    { kind: 'append', stream: metastreamOf(stream), expected: 'any', events: [json(systemEventTypes.metadata, acl)] },
    { kind: 'append', stream, expected: 'noStream', events: [json('$UserCreated', data)] },
    { kind: 'append', stream: '$users', expected: 'any', events: [{ ...json('$User', ''), isJson: false, data: Buffer.from(loginName) }] },
  ];
};

/**
 * What a real server writes into an empty store (`UserManagementService.cs`), so that nobody comes to rely on `$all`
 * starting with their own events. No secret is among it: there are no passwords in these accounts.
 */
export const firstEvents = (): Write[] => [
  ...account('admin', 'Event Store Administrator', '$admins'),
  ...account('ops', 'Event Store Operations', '$ops'),
];
