import { z } from 'zod';
import { domainEvents } from '../events.js';
import { defineEvent, personal } from './event.js';
import { commandIdOf, eventIdOf, idFor, policyCommandIdOf } from './ids.js';
import { idOf } from '../testing/example.js';

describe('what is stored', () => {
  it('K4: each event has a name of its own', () => {
    const names = domainEvents.map(({ type }) => type);
    expect(new Set(names).size).toBe(names.length);
  });
  it.each(['PackageSold', 'SessionConsumed', 'SessionReturned', 'ExpiryAdjusted'])('K1: the project is known by %s', (type) =>
    expect(domainEvents.map((event) => event.type)).toContain(type),
  );
  it('K4: a text about a person names whose it is in the same event', () => {
    for (const { personal: fields, data } of domainEvents)
      for (const about of Object.values(fields)) expect(Object.keys(data.shape)).toContain(about);
  });
  it.each(domainEvents.filter(({ data }) => 'reason' in data.shape))('K4: the reason in $type is personal', ({ personal: fields }) =>
    expect(fields).toHaveProperty('reason'),
  );
  it.each(['ClientRegistered', 'ClientChanged'])('K4: what is known of a client in %s is personal', (type) =>
    expect(domainEvents.find((event) => event.type === type)!.personal).toEqual({
      ...{ name: 'clientId', email: 'clientId', phone: 'clientId', externalReference: 'clientId' },
    }),
  );
  it.each(['ProviderRegistered', 'ProviderChanged'])('K4: what is known of a provider in %s is personal', (type) =>
    expect(domainEvents.find((event) => event.type === type)!.personal).toEqual({ name: 'providerId', externalReference: 'providerId' }),
  );
  it('K4: a personal text is found where it may be absent or null', () => {
    const { personal: fields } = defineEvent(
      'Noted',
      z.object({
        of: z.uuid(),
        note: personal('of').nullable(),
        more: personal('of', z.string().max(9)).nullable().optional(),
        plain: z.string(),
      }),
    );
    expect(fields).toEqual({ note: 'of', more: 'of' });
  });
  it.each([
    ['an object', z.object({ note: personal('of') })],
    ['an object that may be null', z.object({ note: personal('of').nullable() }).nullable()],
    ['a list', z.array(personal('of'))],
    ['a list of objects', z.array(z.object({ note: personal('of').optional() }))],
    ['objects in objects', z.object({ inner: z.object({ note: personal('of') }) }).optional()],
    ['a field with a default', personal('of').default('')],
    ['a union', z.union([z.number(), personal('of')])],
    ['one of several shapes', z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), note: personal('of') })])],
    ['a record', z.record(z.string(), personal('of'))],
    ['a tuple', z.tuple([personal('of')])],
  ])('K4: a personal text below a field would be stored in clear, and is refused: in %s', (_, field) =>
    expect(() => defineEvent('Noted', z.object({ of: z.uuid(), field }))).toThrow(/^field: |^inner: /),
  );
});

describe('ids that follow from others', () => {
  const [business, other] = [idOf('clinic'), idOf('spa')];
  const commandId = commandIdOf(business, 'sub', 'key');

  it('L2: the same caller and key give the same command', () => expect(commandIdOf(business, 'sub', 'key')).toBe(commandId));
  it('L2: another business, caller or key gives another', () => {
    const ids = [commandIdOf(other, 'sub', 'key'), commandIdOf(business, 'su', 'bkey'), commandIdOf(business, 'sub', 'key2')];
    expect(new Set([...ids, commandId]).size).toBe(4);
  });
  it('D5: what a command makes has an id of its own', () => {
    const ids = [
      ...[idFor(commandId, 'package'), idFor(commandId, 'invoice'), idFor(commandId, 'invoice', 1)],
      ...[eventIdOf(commandId, 'package-1', 0), eventIdOf(commandId, 'package-1', 1), eventIdOf(commandId, 'package-2', 0)],
      ...[
        policyCommandIdOf(commandId, 'booking', 0),
        policyCommandIdOf(commandId, 'booking', 1),
        policyCommandIdOf(commandId, 'ending', 0),
      ],
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(idFor(commandId, 'package')).toBe(idFor(commandId, 'package'));
  });
});
