import { deliveries } from '../libs/domain/testing/deliveries.js';
import { anna, massage } from '../libs/domain/testing/example.js';
import {
  aMassage,
  annaHerself,
  offeringChanged,
  offeringDefined,
  offeringDeleted,
  offeringId,
  zoe,
} from '../libs/domain/testing/example-catalogue.js';
import type { RowOf } from '../libs/projection-engine/define-projection.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { directory } from './directory.projection.js';

const named = [
  { type: 'ClientRegistered', data: annaHerself },
  { type: 'ProviderRegistered', data: zoe },
  { type: 'ServiceDefined', data: aMassage },
  offeringDefined(),
];
const renamed = [
  { type: 'ClientChanged', data: { ...annaHerself, name: 'Anna B.' } },
  { type: 'ProviderChanged', data: { ...zoe, name: 'Zoë' } },
  { type: 'ServiceChanged', data: { ...aMassage, name: 'Long massage' } },
  offeringChanged({ name: 'Calm' }),
];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const entries = (...events: { type: string; data: unknown }[]) => [
    ...fold(directory, new Map<string, RowOf<typeof directory>>(), delivered(recorded(events))).values(),
  ];

  it('J4: people and things, found by what they are called', () =>
    expect(entries(...named)).toEqual([
      { id: anna, kind: 'client', name: 'Anna' },
      { id: zoe.providerId, kind: 'provider', name: 'Zoe' },
      { id: massage, kind: 'service', name: 'Massage' },
      { id: offeringId, kind: 'offering', name: 'Relax' },
    ]));
  it('J4: by what they are called now', () =>
    expect(entries(...named, ...renamed).map(({ name }) => name)).toEqual(['Anna B.', 'Zoë', 'Long massage', 'Calm']));
  it('J4: by their first names when those come late', () =>
    expect(entries(...renamed).map(({ name }) => name)).toEqual(['Anna B.', 'Zoë', 'Long massage', 'Calm']));
  it('C7: a deleted offering keeps its name, for the packages sold of it', () =>
    expect(entries(...named, offeringDeleted).map(({ name }) => name)).toContain('Relax'));
});
