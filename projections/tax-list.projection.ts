import type { EventOf } from '../libs/domain/kernel/event.js';
import type { TaxChanged, TaxDefined } from '../libs/domain/tax/tax.events.js';
import { column, defineProjection, insert, type RowOf } from '../libs/projection-engine/define-projection.js';

/** A4: one row per tax. */
export const taxList = defineProjection({
  name: 'tax_list',
  version: 1,
  key: 'taxId',
  columns: {
    taxId: column.uuid(),
    name: column.text(),
    rate: column.text(), // exact decimal percentage
    revision: column.bigint(),
  },
}).on<EventOf<typeof TaxDefined | typeof TaxChanged>>({
  TaxDefined: insert(({ data, revision }) => ({ ...data, revision })),
  TaxChanged: insert(({ data, revision }) => ({ ...data, revision })),
});

export type TaxRow = RowOf<typeof taxList>;
