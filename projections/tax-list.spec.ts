import { deliveries } from '../libs/domain/testing/deliveries.js';
import { gst, qst } from '../libs/domain/testing/example.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { taxList, type TaxRow } from './tax-list.projection.js';

it.each(deliveries)('A4: taxes with their exact rates as they are now, events delivered %s', (_, delivered) => {
  const rows = fold(
    taxList,
    new Map<string, TaxRow>(),
    delivered(
      recorded([
        { type: 'TaxDefined', data: gst },
        { type: 'TaxDefined', data: qst },
        { type: 'TaxChanged', data: { ...gst, rate: '5.25' } },
      ]),
    ),
  );
  expect([...rows.values()]).toEqual([
    { ...gst, rate: '5.25', revision: 2n },
    { ...qst, revision: 1n },
  ]);
});
