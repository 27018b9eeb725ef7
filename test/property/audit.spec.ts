import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ExportFile } from '../../libs/audit/export-file.js';
import { endLine, eventLine, headerLine, sealLine } from '../../libs/audit/export-lines.js';
import { BUSINESS, chained, rechained, sealed } from '../../libs/audit/testing/example-history.js';
import { verify } from '../../libs/audit/verify.js';

// Histories of any shape, exported, and tampered with in one place: an untouched export holds, a tampered one never does.

const streams = fc.array(fc.constantFrom('package-a', 'package-b', 'client-c', 'invoice-d'), { minLength: 2, maxLength: 30 });

/** A history that is sealed to its last event, after some events each. */
const histories = streams.chain((names) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: names.length }), { maxLength: 4 })
    .map((after) => [...new Set([...after, names.length])].sort((a, b) => a - b))
    .map((after) => ({ names, after })),
);

const header = headerLine({ version: 1, business: BUSINESS, through: '100000', at: '2027-01-31T10:00:00.000Z' });

function exportOf({ names, after }: { names: string[]; after: number[] }): string[] {
  const events = chained(names);
  const seals = sealed(events, after);
  return [header, ...events.map(eventLine), ...seals.map(sealLine), endLine({ events: events.length, seals: seals.length })];
}

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'punchcard-audit-'))));
afterAll(() => rm(folder, { recursive: true }));

async function faultsOf(lines: readonly string[]): Promise<string[]> {
  const path = join(folder, 'export.jsonl');
  await writeFile(path, lines.join(''));
  const file = await ExportFile.open(path);
  const faults = (await verify(file)).flatMap((verdict) => verdict.faults.map(({ why }) => why));
  return file.fault ? [...faults, file.fault.why] : faults;
}

it('K4: an untouched export holds', () =>
  fc.assert(
    fc.asyncProperty(histories, async (history) => expect(await faultsOf(exportOf(history))).toEqual([])),
    { numRuns: 25 },
  ));

it('K4: a line that was dropped, doubled or moved, or a letter that was changed, is always found', () =>
  fc.assert(
    fc.asyncProperty(histories, fc.nat(), fc.nat(), fc.constantFrom('drop', 'double', 'swap', 'change'), async (history, n, m, how) => {
      const lines = exportOf(history);
      const untouched = lines.join('');
      const at = 1 + (n % (lines.length - 1));
      const line = lines[at]!;
      if (how === 'drop') lines.splice(at, 1);
      if (how === 'double') lines.splice(at, 0, line);
      if (how === 'swap') [lines[at], lines[1 + (m % (lines.length - 1))]] = [lines[1 + (m % (lines.length - 1))]!, line];
      if (how === 'change') lines[at] = changed(line, m);
      fc.pre(lines.join('') !== untouched);
      expect(await faultsOf(lines)).not.toEqual([]);
    }),
    { numRuns: 120 },
  ));

it('K4: an event that was changed and hidden by hashing all anew is always found', () =>
  fc.assert(
    fc.asyncProperty(histories, fc.nat(), async (history, n) => {
      const events = chained(history.names);
      const at = n % events.length;
      const forged = rechained(events.map((event, k) => (k === at ? { ...event, data: { remaining: 777 } } : event)));
      const seals = sealed(events, history.after);
      const lines = [header, ...forged.map(eventLine), ...seals.map(sealLine), endLine({ events: events.length, seals: seals.length })];
      expect(await faultsOf(lines)).toContain('recomputed');
    }),
    { numRuns: 25 },
  ));

/** One letter or digit is another. */
function changed(line: string, m: number): string {
  const letters = [...line].flatMap((letter, n) => (/[0-9a-zA-Z]/.test(letter) ? [n] : []));
  const at = letters[m % letters.length]!;
  return line.slice(0, at) + (line[at] === '7' ? '8' : '7') + line.slice(at + 1);
}
