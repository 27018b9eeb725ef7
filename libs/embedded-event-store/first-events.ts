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

const metadata = (stream: string, data: unknown): Write => ({
  kind: 'append',
  stream: metastreamOf(stream),
  expected: 'any',
  events: [json(systemEventTypes.metadata, data)],
});

const account = (loginName: string, fullName: string, group: string): Write[] => {
  const stream = `$user-${loginName}`;
  const data = { loginName, fullName, salt: null, hash: null, disabled: false, groups: [group] };
  return [
    metadata(stream, { $acl: { $w: '$admins', $d: '$admins', $mw: '$admins' } }),
    { kind: 'append', stream, expected: 'noStream', events: [json('$UserCreated', data)] },
    { kind: 'append', stream: '$users', expected: 'any', events: [{ ...json('$User', ''), isJson: false, data: Buffer.from(loginName) }] },
  ];
};

const scavenges = { $maxAge: 2_592_000, $acl: { $r: '$ops', $w: [], $d: [], $mr: [], $mw: [] } };

/**
 * What a real server writes into an empty store, so that nobody comes to rely on `$all` starting with their own
 * events: metadata of `$scavenges`, and the accounts where there are any (`UserManagementService.cs`; here without
 * their passwords).
 */
export const firstEvents = (hasAccounts: boolean): Write[] => [
  metadata('$scavenges', scavenges),
  ...(hasAccounts
    ? [...account('admin', 'Event Store Administrator', '$admins'), ...account('ops', 'Event Store Operations', '$ops')]
    : []),
];
