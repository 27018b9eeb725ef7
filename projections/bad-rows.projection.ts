import { idFor } from '../libs/domain/kernel/ids.js';
import type { BadRow, ImportEvent } from '../libs/domain/import/import.events.js';
import { column, defineProjection, insert, removeMany, type RowOf } from '../libs/projection-engine/define-projection.js';

/** L7: the rows of an import that could not be moved in, each with every reason. */
export const badRows = defineProjection({
  name: 'bad_rows',
  version: 1,
  key: 'badRowId',
  columns: {
    badRowId: column.uuid(),
    importId: column.uuid().indexed(),
    line: column.integer(),
    problems: column.json<BadRow['problems']>(),
  },
  indexes: [['importId', 'line']],
}).on<ImportEvent>({
  ImportProgressed: insert(({ id, data }) =>
    data.badRows.map(({ line, problems }) => ({ badRowId: idFor(id, 'bad row', line), importId: data.importId, line, problems })),
  ),
  ImportResumed: removeMany(({ data }) => ({ importId: data.importId })), // it begins again with the first row
});

export type BadRowRow = RowOf<typeof badRows>;
