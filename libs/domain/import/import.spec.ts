import { given } from '../testing/given.js';
import { idOf } from '../testing/example.js';
import { endImport, isSilent, recordProgress, resumeImport, startImport } from './import.decisions.js';
import type { ImportEvent, ImportStartedData } from './import.events.js';
import { importAggregate } from './import.state.js';

const anImport = given(importAggregate);
const importId = idOf('import');
const second = (n: number) => `2027-01-31T12:00:${String(n).padStart(2, '0')}.000Z`;

const said: ImportStartedData = {
  ...{ importId, at: second(0), source: 'import', dryRun: false, createClients: true, onError: 'continue' },
  ...{ rows: 3, fileHash: 'ab'.repeat(32) },
};
const started: ImportEvent = { type: 'ImportStarted', data: said };
const resumed = (at: number, attempt = 2): ImportEvent => ({ type: 'ImportResumed', data: { importId, at: second(at), attempt } });
const counts = (imported: number, skipped = 0, failed = 0) => ({ imported, skipped, failed });
const progress = (at: number, attempt: number, ...[imported, skipped, failed]: Parameters<typeof counts>) => ({
  ...{ importId, at: second(at), attempt, ...counts(imported, skipped, failed) },
  badRows: [{ line: 3, problems: [{ column: 'soldOn', code: 'NOT_A_DATE', message: 'no date' }] }],
});
const progressed = (...of: Parameters<typeof progress>): ImportEvent => ({ type: 'ImportProgressed', data: progress(...of) });
const end = (at: number, attempt: number, outcome: 'completed' | 'interrupted') => ({
  importId,
  at: second(at),
  attempt,
  ...counts(2, 0, 1),
  outcome,
});
const ended = (...of: Parameters<typeof end>): ImportEvent => ({ type: 'ImportEnded', data: end(...of) });

describe('an import', () => {
  it('L7: starts, says how far it has come, and ends', () => {
    anImport([]).when(startImport(said)).emits([started]);
    anImport([started])
      .when(recordProgress(progress(1, 1, 1)))
      .emits([progressed(1, 1, 1)]);
    anImport([started, progressed(1, 1, 1)])
      .when(endImport(end(2, 1, 'completed')))
      .emits([ended(2, 1, 'completed')]);
  });
  it('L7: starts once', () => anImport([started]).when(startImport(said)).refuses('ALREADY_EXISTS'));

  it('L7: is taken up again once nothing was heard of it for half a minute, or it was left', () => {
    anImport([started, progressed(1, 1, 1)])
      .when(resumeImport(importId, second(32)))
      .emits([resumed(32)]);
    anImport([started, ended(1, 1, 'interrupted')])
      .when(resumeImport(importId, second(2)))
      .emits([resumed(2)]);
    anImport([started, resumed(32), ended(33, 2, 'interrupted')])
      .when(resumeImport(importId, second(34)))
      .emits([resumed(34, 3)]);
  });
  it('L7: is not taken up while somebody works on it, nor when it is done', () => {
    anImport([started, progressed(10, 1, 1)])
      .when(resumeImport(importId, second(40)))
      .emits([]);
    anImport([started, ended(1, 1, 'completed')])
      .when(resumeImport(importId, second(59)))
      .emits([]);
    anImport([])
      .when(resumeImport(importId, second(0)))
      .refuses('NOT_FOUND');
  });

  it('L7: whoever worked on it before says no more', () => {
    const takenUp = [started, progressed(1, 1, 1), resumed(32)];
    anImport(takenUp)
      .when(recordProgress(progress(33, 1, 2)))
      .refuses('IMPORT_TAKEN_OVER', { attempt: 1 });
    anImport(takenUp)
      .when(endImport(end(33, 1, 'completed')))
      .refuses('IMPORT_TAKEN_OVER');
    anImport(takenUp)
      .when(recordProgress(progress(33, 2, 0, 1)))
      .emits([progressed(33, 2, 0, 1)]);
    anImport([started, ended(1, 1, 'completed')])
      .when(recordProgress(progress(2, 1, 3)))
      .refuses('IMPORT_TAKEN_OVER');
  });

  it('L7: counts anew from the first row when it is taken up', () => {
    const state = [started, progressed(1, 1, 2, 0, 1), resumed(32)].reduce(importAggregate.evolve, importAggregate.initial);
    expect(state).toMatchObject({ status: 'running', attempt: 2, imported: 0, skipped: 0, failed: 0, heardAt: second(32) });
  });
  it('L7: half a minute of silence says that nobody works on it', () =>
    expect([29, 30, 31].map((n) => isSilent(second(0), second(n)))).toEqual([false, false, true]));
});
