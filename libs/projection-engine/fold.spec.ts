import { column, defineProjection, insert, remove, removeMany, update, updateEach, updateMany, upsert } from './define-projection.js';
import { fold } from './fold.js';
import { recorded } from './testing/recorded.js';

type PackageEvent =
  | { type: 'PackageSold'; data: { packageId: string; clientId: string; remaining: number } }
  | { type: 'SessionConsumed'; data: { packageId: string; remaining: number } }
  | { type: 'ClientMerged'; data: { from: string; into: string } }
  | { type: 'ClientForgotten'; data: { clientId: string } }
  | { type: 'PackageMoved'; data: { packageId: string; to: string } }
  | { type: 'PackageErased'; data: { packageId: string } };

const packages = defineProjection({
  name: 'packages',
  version: 1,
  key: 'packageId',
  columns: { packageId: column.text(), clientId: column.text().indexed(), remaining: column.integer(), changedAt: column.instant() },
}).on<PackageEvent>({
  PackageSold: insert(({ data, metadata }) => ({ ...data, changedAt: metadata.time })),
  SessionConsumed: update(
    ({ data }) => data.packageId,
    (row, { data, metadata }) => ({ ...row, remaining: data.remaining, changedAt: metadata.time }),
  ),
  ClientMerged: updateMany(
    ({ data }) => ({ clientId: data.from }),
    (row, { data }) => ({ ...row, clientId: data.into }),
  ),
  ClientForgotten: removeMany(({ data }) => ({ clientId: data.clientId })),
  PackageMoved: update(
    ({ data }) => data.packageId,
    (row, { data }) => ({ ...row, packageId: data.to }),
  ),
  PackageErased: remove(({ data }) => data.packageId),
});

const sold = (packageId: string, clientId: string): PackageEvent => ({ type: 'PackageSold', data: { packageId, clientId, remaining: 5 } });
const consumed = (packageId: string, remaining: number): PackageEvent => ({ type: 'SessionConsumed', data: { packageId, remaining } });
const after = (...events: PackageEvent[]) => fold(packages, new Map(), recorded(events));

it.each([
  ['once', (events: PackageEvent[]) => events],
  ['each twice', (events: PackageEvent[]) => events.flatMap((event) => [event, event])],
])('folds events delivered %s', (_, delivered) => {
  const rows = after(
    ...delivered([sold('p', 'anna'), sold('q', 'bea'), consumed('p', 4), { type: 'ClientMerged', data: { from: 'bea', into: 'anna' } }]),
  );
  expect([...rows.values()].map(({ packageId, clientId, remaining }) => [packageId, clientId, remaining])).toEqual([
    ['p', 'anna', 4],
    ['q', 'anna', 5],
  ]);
});

it('gives the step the whole event, not only its data', () =>
  expect(after(sold('p', 'anna')).get('p')?.changedAt).toBe('2027-01-01T00:00:01.000Z'));

it('removes one row, or all with a value in an indexed column', () => {
  const history = [sold('p', 'anna'), sold('q', 'anna'), sold('r', 'bea')];
  expect([...after(...history, { type: 'PackageErased', data: { packageId: 'p' } }).keys()]).toEqual(['q', 'r']);
  expect([...after(...history, { type: 'ClientForgotten', data: { clientId: 'anna' } }).keys()]).toEqual(['r']);
});

it('takes an update of a row that is not there for poison', () => expect(() => after(consumed('p', 4))).toThrow('not there: p'));

it('takes a changed key for poison', () =>
  expect(() => after(sold('p', 'anna'), { type: 'PackageMoved', data: { packageId: 'p', to: 'q' } })).toThrow('keys stay'));

it('folds many rows per event, keys over several columns, and several steps of one event', () => {
  type Issued = { type: 'InvoiceIssued'; data: { invoiceId: string; lines: string[] } };
  const lines = defineProjection({
    name: 'invoice_lines',
    version: 1,
    key: ['invoiceId', 'line'],
    columns: { invoiceId: column.text().indexed(), line: column.integer(), text: column.text() },
  }).on<Issued>({
    InvoiceIssued: [
      removeMany(({ data }) => ({ invoiceId: data.invoiceId })),
      insert(({ data: { invoiceId, lines } }) => lines.map((text, line) => ({ invoiceId, line, text }))),
    ],
  });
  const issued = (...lines: string[]): Issued => ({ type: 'InvoiceIssued', data: { invoiceId: 'i', lines } });
  expect([...fold(lines, new Map(), recorded([issued('a', 'b'), issued('c')])).values()]).toEqual([{ invoiceId: 'i', line: 0, text: 'c' }]);
});

it('changes several rows, each in its own way, and writes none that stays as it was', () => {
  type Names = { data: { names: string[] } };
  type Queued = ({ type: 'Joined' } & Names) | ({ type: 'QueueArranged' } & Names);
  const places = defineProjection({
    name: 'places',
    version: 1,
    key: 'name',
    columns: { name: column.text(), place: column.integer() },
  }).on<Queued>({
    Joined: insert(({ data: { names } }) => names.map((name, place) => ({ name, place }))),
    QueueArranged: updateEach(
      ({ data: { names } }) => names.map((key, place) => ({ key, place })),
      (row, { place }) => (row.place === place ? row : { ...row, place }),
    ),
  });
  const queue = (type: Queued['type'], ...names: string[]): Queued => ({ type, data: { names } });
  const before = fold(places, new Map(), recorded([queue('Joined', 'a', 'b', 'c')]));
  const c = before.get('c');
  const after = fold(places, before, recorded([queue('QueueArranged', 'b', 'a', 'c')]));
  expect([...after.values()].map(({ name, place }) => [name, place])).toEqual([
    ['a', 1],
    ['b', 0],
    ['c', 2],
  ]);
  expect(after.get('c')).toBe(c);
  expect(() => fold(places, after, recorded([queue('QueueArranged', 'd')]))).toThrow('not there: d');
});

it('makes a row from whichever stream comes first', () => {
  type Named = { type: 'ClientRenamed'; data: { id: string; name: string } };
  const names = defineProjection({
    name: 'names',
    version: 1,
    key: 'id',
    columns: { id: column.text(), name: column.text(), times: column.integer() },
  }).on<Named>({
    ClientRenamed: upsert(
      ({ data }) => data.id,
      (row, { data }) => ({ ...data, times: (row?.times ?? 0) + 1 }),
    ),
  });
  const renamed: Named = { type: 'ClientRenamed', data: { id: 'c', name: 'Anna' } };
  expect(fold(names, new Map(), recorded([renamed, renamed])).get('c')).toEqual({ id: 'c', name: 'Anna', times: 2 });
});

it('refuses a definition that can not be a table', () => {
  const define = (change: object) => () =>
    defineProjection({ name: 'names', version: 1, key: 'id' as const, columns: { id: column.text() }, ...change });
  expect(define({ name: 'Names' })).toThrow('snake_case');
  expect(define({ version: 0 })).toThrow('count from 1');
  expect(define({ key: 'nobody' })).toThrow('no column nobody');
  expect(define({ columns: { id: column.text().nullable() } })).toThrow('never null');
});
