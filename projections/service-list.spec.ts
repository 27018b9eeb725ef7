import { deliveries } from '../libs/domain/testing/deliveries.js';
import { cad, facial, massage } from '../libs/domain/testing/example.js';
import { aFacial, aMassage } from '../libs/domain/testing/example-catalogue.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { serviceList, type ServiceRow } from './service-list.projection.js';

it.each(deliveries)('B1: services as they are described now, events delivered %s', (_, delivered) => {
  const changed = { ...aMassage, price: cad(120_00), taxIds: [], publiclyDisplayed: false };
  const rows = fold(
    serviceList,
    new Map<string, ServiceRow>(),
    delivered(
      recorded([
        { type: 'ServiceDefined', data: aMassage },
        { type: 'ServiceDefined', data: aFacial },
        { type: 'ServiceChanged', data: { ...aMassage, price: cad(120_00) } },
        { type: 'ServiceChanged', data: { ...aFacial, active: false } },
        { type: 'ServiceChanged', data: changed },
      ]),
    ),
  );
  expect(rows.get(massage)).toEqual({ ...changed, revision: 4n });
  expect(rows.get(facial)).toEqual({ ...aFacial, active: false, revision: 3n });
});
