import type { Decide } from '../kernel/event.js';
import { NotFound, Refusal } from '../kernel/refusal.js';
import type { BadRow, ImportCounts, ImportEvent, ImportOutcome, ImportStartedData } from './import.events.js';
import type { ImportState, StartedImport } from './import.state.js';

type DecideImport = Decide<ImportState, ImportEvent>;

/** ms without a word from whoever works on it: then nobody does. */
export const SILENCE = 30_000;

/** Nobody works on it any more, though it never said that it had ended: its process died. */
export const isSilent = (heardAt: string, now: string): boolean => Date.parse(now) - Date.parse(heardAt) > SILENCE;

export const startImport =
  (said: ImportStartedData): DecideImport =>
  (state) => {
    if (state.status !== 'none') throw new Refusal('ALREADY_EXISTS', 'This import exists already.');
    return [{ type: 'ImportStarted', data: said }];
  };

/** Taken up again after an interruption, with the same file; [] while somebody works on it, or once it is done. */
export const resumeImport =
  (importId: string, at: string): DecideImport =>
  (state) => {
    const { status, heardAt, attempt } = existing(state, importId);
    const isLeft = status === 'interrupted' || (status === 'running' && isSilent(heardAt, at));
    return isLeft ? [{ type: 'ImportResumed', data: { importId, at, attempt: attempt + 1 } }] : [];
  };

interface Said extends ImportCounts {
  importId: string;
  at: string;
  attempt: number;
}

export const recordProgress =
  (said: Said & { badRows: BadRow[] }): DecideImport =>
  (state) => {
    assertWorksOnIt(state, said);
    return [{ type: 'ImportProgressed', data: said }];
  };

export const endImport =
  (said: Said & { outcome: ImportOutcome }): DecideImport =>
  (state) => {
    assertWorksOnIt(state, said);
    return [{ type: 'ImportEnded', data: said }];
  };

const existing = (state: ImportState, importId: string): StartedImport => {
  if (state.status === 'none') throw new NotFound('import', importId);
  return state;
};

/** Another took it over: what this one still counts would be counted twice. */
const assertWorksOnIt = (state: ImportState, { importId, attempt }: Said): void => {
  const started = existing(state, importId);
  if (started.status !== 'running' || started.attempt !== attempt)
    throw new Refusal('IMPORT_TAKEN_OVER', 'This import was taken up again elsewhere, or has ended.', { importId, attempt });
};
