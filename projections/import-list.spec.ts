import type { ImportEvent } from '../libs/domain/import/import.events.js';
import { deliveries } from '../libs/domain/testing/deliveries.js';
import { idOf } from '../libs/domain/testing/example.js';
import { fold } from '../libs/projection-engine/fold.js';
import { recorded } from '../libs/projection-engine/testing/recorded.js';
import { badRows, type BadRowRow } from './bad-rows.projection.js';
import { importList, type ImportRow } from './import-list.projection.js';

const [importId, another] = [idOf('import'), idOf('another import')];
const at = (second: number) => `2027-01-31T12:00:0${second}.000Z`;
const problems = [{ column: 'soldOn', code: 'NOT_A_DATE', message: 'no date' }];
const started = (id: string): ImportEvent => ({
  type: 'ImportStarted',
  data: {
    ...{ importId: id, at: at(0), source: 'import', dryRun: false, createClients: true, onError: 'continue', rows: 4 },
    fileHash: 'ab'.repeat(32),
  },
});
const progressed = (second: number, attempt: number, imported: number, skipped: number, lines: number[]): ImportEvent => ({
  type: 'ImportProgressed',
  data: {
    ...{ importId, at: at(second), attempt, imported, skipped, failed: lines.length },
    badRows: lines.map((line) => ({ line, problems })),
  },
});
const history: ImportEvent[] = [
  ...[started(importId), started(another), progressed(1, 1, 1, 0, [3, 4])],
  { type: 'ImportResumed', data: { importId, at: at(2), attempt: 2 } },
  progressed(3, 2, 1, 2, [4]),
  { type: 'ImportEnded', data: { importId, at: at(4), attempt: 2, imported: 1, skipped: 2, failed: 1, outcome: 'completed' } },
];

describe.each(deliveries)('events delivered %s', (_, delivered) => {
  const listed = (n = history.length) =>
    fold(importList, new Map<string, ImportRow>(), delivered(recorded(history.slice(0, n)))).get(importId);
  const bad = (n: number) => [...fold(badRows, new Map<string, BadRowRow>(), delivered(recorded(history.slice(0, n)))).values()];

  it('L7: how far an import has come', () => {
    expect(listed(3)).toMatchObject({ status: 'running', imported: 1, skipped: 0, failed: 2, attempt: 1, heardAt: at(1) });
    expect(listed(4)).toMatchObject({ status: 'running', imported: 0, skipped: 0, failed: 0, attempt: 2, heardAt: at(2) });
    expect(listed()).toEqual({
      ...{ importId, source: 'import', status: 'completed', dryRun: false, createClients: true, onError: 'continue', rows: 4 },
      ...{ imported: 1, skipped: 2, failed: 1, attempt: 2, startedAt: at(0), heardAt: at(4), revision: 5n },
    });
  });
  it('L7: its bad rows, each with its reasons; taken up again, those of before are gone', () => {
    expect(bad(3).map(({ line }) => line)).toEqual([3, 4]);
    expect(bad(4)).toEqual([]);
    expect(bad(5)).toEqual([{ badRowId: expect.any(String) as string, importId, line: 4, problems }]);
  });
});
