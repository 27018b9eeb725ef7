import { pick } from '../libs/domain/kernel/pick.js';
import type { ImportEvent, ImportOutcome } from '../libs/domain/import/import.events.js';
import { column, defineProjection, insert, update, type RowOf } from '../libs/projection-engine/define-projection.js';

/** L7: one row per file that was moved in, and how far that has come. */
export const importList = defineProjection({
  name: 'import_list',
  version: 1,
  key: 'importId',
  columns: {
    importId: column.uuid(),
    source: column.text(),
    status: column.text<'running' | ImportOutcome>(),
    dryRun: column.boolean(),
    createClients: column.boolean(),
    onError: column.text<'continue' | 'stop'>(),
    rows: column.integer(),
    imported: column.integer(),
    skipped: column.integer(),
    failed: column.integer(),
    attempt: column.integer(),
    startedAt: column.instant().indexed(),
    heardAt: column.instant(), // when it last said something
    revision: column.bigint(),
  },
}).on<ImportEvent>({
  ImportStarted: insert(({ data, revision }) => ({
    ...pick(data, 'importId', 'source', 'dryRun', 'createClients', 'onError', 'rows'),
    ...{ status: 'running' as const, imported: 0, skipped: 0, failed: 0, attempt: 1, startedAt: data.at, heardAt: data.at, revision },
  })),
  ImportResumed: update(
    ({ data }) => data.importId,
    (row, { data, revision }) => ({
      ...{ ...row, status: 'running', imported: 0, skipped: 0, failed: 0, attempt: data.attempt, heardAt: data.at, revision },
    }),
  ),
  ImportProgressed: update(
    ({ data }) => data.importId,
    (row, { data, revision }) => ({ ...row, ...pick(data, 'imported', 'skipped', 'failed'), heardAt: data.at, revision }),
  ),
  ImportEnded: update(
    ({ data }) => data.importId,
    (row, { data, revision }) => ({
      ...{ ...row, ...pick(data, 'imported', 'skipped', 'failed'), status: data.outcome, heardAt: data.at, revision },
    }),
  ),
});

export type ImportRow = RowOf<typeof importList>;
