import { deliveries } from '../libs/domain/testing/deliveries.js';
import { facial } from '../libs/domain/testing/example.js';
import { zoe } from '../libs/domain/testing/example-catalogue.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { providerList, type ProviderRow } from './provider-list.projection.js';

it.each(deliveries)('B1: providers, and what each gives now, events delivered %s', (_, delivered) => {
  const rows = fold(
    providerList,
    new Map<string, ProviderRow>(),
    delivered(
      recorded([
        { type: 'ProviderRegistered', data: zoe },
        { type: 'ProviderChanged', data: { ...zoe, serviceIds: [facial] } },
        { type: 'ProviderChanged', data: { ...zoe, serviceIds: [facial], active: false } },
      ]),
    ),
  );
  expect([...rows.values()]).toEqual([{ ...zoe, serviceIds: [facial], active: false, revision: 2n }]);
});
