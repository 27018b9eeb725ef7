import type { Aggregate } from '../kernel/event.js';
import { pick } from '../kernel/pick.js';
import { importEvents, type ImportCounts, type ImportEvent, type ImportOutcome, type ImportStartedData } from './import.events.js';

export type ImportState = { status: 'none' } | StartedImport;

export interface StartedImport extends ImportStartedData, ImportCounts {
  status: 'running' | ImportOutcome;
  attempt: number;
  heardAt: string; // when it last said something
}

const NOTHING_DONE = { imported: 0, skipped: 0, failed: 0 };

export const importAggregate: Aggregate<ImportState, ImportEvent> = {
  category: 'import',
  events: importEvents,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    if (type === 'ImportStarted') return { ...data, ...NOTHING_DONE, status: 'running', attempt: 1, heardAt: data.at };
    if (state.status === 'none') return state;
    switch (type) {
      case 'ImportResumed':
        return { ...state, ...NOTHING_DONE, status: 'running', attempt: data.attempt, heardAt: data.at };
      case 'ImportProgressed':
        return { ...state, ...pick(data, 'imported', 'skipped', 'failed'), heardAt: data.at };
      case 'ImportEnded':
        return { ...state, ...pick(data, 'imported', 'skipped', 'failed'), status: data.outcome, heardAt: data.at };
      default:
        return type satisfies never;
    }
  },
};
