import { placesOf } from '../domain/kernel/money.js';
import type { Place } from '../projection-engine/paging.js';
import type { Readable, Source } from '../projection-engine/sources.js';
import { quoted } from '../projection-engine/sql-names.js';
import { asSql, sql, type Here, type Report, type ReportColumn, type Sql, type Sorting } from './define-report.js';

// The statements of a report. Every one says the business, and reads what is live or fails.

export type SourceOf = (projection: Readable, asOf?: bigint) => Source;
type AnyReport<Query> = Report<Query>;

export interface Asked<Query> {
  report: AnyReport<Query>;
  here: Here;
  query: Query;
  sourceOf: SourceOf;
}

export interface Order {
  sort: string;
  descending: boolean;
}

/** The rows that are asked for: `FROM … WHERE …`. Whoever walks along an index of what they ask for needs no other. */
function fromWhere<Query>({ report, here, query, sourceOf }: Asked<Query>, more: readonly (Sql | undefined)[] = [], isWalk = false): Sql {
  const rows = sourceOf(report.rows, here.asOf);
  const joined = Object.entries(report.joins).map(([name, { to, on }]) => ({ name, on, source: sourceOf(to, here.asOf) }));
  const joins = joined.map(({ name, on, source }) => `LEFT JOIN ${under(name, source)} ON ${name}.business_id = r.business_id AND ${on}`);
  const live = [rows, ...joined.map(({ source }) => source)].map(({ condition }) => condition);
  const among = isWalk
    ? undefined
    : report.among?.(query, here, (name) => under('', joined.find((one) => one.name === name)?.source ?? rows));
  const conditions = [
    ...[sql('r.business_id = ?::uuid', [here.business]), ...report.where(query, here), ...more],
    ...[among && sql(`${report.key} IN (?)`, [among])],
  ].filter((one) => one !== undefined);
  const text = [...new Set(live), ...conditions.map(() => '?')].join(' AND ');
  return sql(`FROM ${under('r', rows)} ${joins.join(' ')} WHERE ${text}`, conditions);
}

/** A source has the name of its projection, of which a report may read several rows. */
const under = (name: string, { from }: Source): string => `(SELECT * FROM ${from}) ${name}`;

export type Part = 'with a value' | 'without';

/** As of a list: a page is read in up to two parts, so that each is one walk along an index, in either direction. */
export function partsOf({ nullable }: Sorting, after: Place | undefined): Part[] {
  if (!nullable) return ['with a value'];
  return after?.value === null ? ['without'] : ['with a value', 'without'];
}

/** A part of a page: the key, then the value by which it is sorted, then the columns. */
export function pageSql<Query>(asked: Asked<Query>, { sort, descending }: Order, part: Part, after: Place | undefined, limit: number): Sql {
  const { kinds, ...sorting } = asked.report.sortings[sort]!;
  const how = { descending, part, after, limit };
  if (!kinds) return walkSql(asked, sorting, how);
  const walks = kinds.map(({ which, by, within }) =>
    walkSql(asked, { ...sorting, by }, how, [sql(which), ...within(asked.query, asked.here)]),
  );
  const direction = directionOf(descending);
  return sql(`${walks.map(() => '(?)').join(' UNION ALL ')} ORDER BY 2 ${direction}, 1 ${direction} LIMIT ${limit}`, walks);
}

interface Walk {
  descending: boolean;
  part: Part;
  after: Place | undefined;
  limit: number;
}

/** What one index gives of a part. */
function walkSql<Query>(asked: Asked<Query>, sorting: Sorting, { descending, part, after, limit }: Walk, which?: (Sql | undefined)[]): Sql {
  const { report, here } = asked;
  const [by, direction] = [asSql(sorting.by, here), directionOf(descending)];
  const columns = Object.values<ReportColumn>(report.columns).map(({ from }) => asSql(from, here));
  const more = [...(which ?? []), ...partCondition(sorting, by, part), ...goOn(sorting, by, report.key, { after, descending, part })];
  const order = part === 'without' ? `${report.key} ${direction}` : `2 ${direction}, ${report.key} ${direction}`;
  return sql(`SELECT ${report.key}, ? AS sorted, ${columns.map(() => '?').join(', ')} ? ORDER BY ${order} LIMIT ${limit}`, [
    ...[by, ...columns],
    fromWhere(asked, more, which !== undefined),
  ]);
}

const directionOf = (descending: boolean): string => (descending ? 'DESC' : 'ASC');

const partCondition = ({ nullable }: Sorting, by: Sql, part: Part): Sql[] =>
  nullable ? [sql(`? IS ${part === 'without' ? '' : 'NOT '}NULL`, [by])] : [];

/** What comes after a place. The first comparison is for an index that has the value alone. */
function goOn(
  { type }: Sorting,
  by: Sql,
  key: string,
  { after, descending, part }: { after: Place | undefined; descending: boolean; part: Part },
): Sql[] {
  if (after === undefined) return [];
  const beyond = descending ? '<' : '>';
  if (part === 'without') return after.value === null ? [sql(`${key} ${beyond} ?::uuid`, [after.id])] : [];
  return [
    sql(`? ${beyond}= ?::${type}`, [by, after.value]),
    sql(`(?, ${key}) ${beyond} (?::${type}, ?::uuid)`, [by, after.value, after.id]),
  ];
}

/** Sub-totals in the order of their names, after the total of all of them, which is the first row. */
export function totalsSql<Query>(
  asked: Asked<Query>,
  { by, descending }: { by: string; descending: boolean },
  after: Place | undefined,
  limit: number,
): Sql {
  const { report, here } = asked;
  const { key, name, of } = report.groups[by]!;
  const figures = Object.entries(report.figures);
  const sums = figures.map(([figure, added]) => sql(`coalesce(sum(?), 0) AS ${quoted(figure)}`, [asSql(added, here)]));
  const again = figures.map(([figure]) => `coalesce(sum(${quoted(figure)}), 0)`);
  const [direction, beyond] = descending ? ['DESC', '<'] : ['ASC', '>'];
  const goOn = after ? sql(`(name, key) ${beyond} (?::text, ?::text)`, [after.value ?? '', after.id]) : sql('true');
  const called = name ? `coalesce(${name}, '')` : 'NULL';
  const ofRows = sql(`SELECT ${of ? `r.${of}` : '? AS key'}, ${called} AS called, ${sums.map(() => '?').join(', ')} ? GROUP BY 1`, [
    ...(of ? [] : [asSql(key, here)]),
    ...[...sums, fromWhere(asked)],
  ]);
  const added = figures.map(([figure]) => `sum(${quoted(figure)}) AS ${quoted(figure)}`);
  const ofKeys = of
    ? sql(`SELECT ? AS key, max(called) AS called, ${added.join(', ')} FROM (?) r GROUP BY 1`, [asSql(key, here), ofRows])
    : ofRows;
  return sql(
    `WITH of_keys AS (?),
      groups AS (SELECT key, coalesce(called, key) AS name, ${figures.map(([figure]) => quoted(figure)).join(', ')} FROM of_keys)
      SELECT NULL AS key, NULL AS name, ${again.join(', ')} FROM groups
      UNION ALL (SELECT * FROM groups WHERE ? ORDER BY name ${direction}, key ${direction} LIMIT ${limit})`,
    [ofKeys, goOn],
  );
}

/** A figure of a group, of one row, or of all, as it was once the event at a position had been folded. */
export interface Cell {
  figure: string;
  group: { by: string; key: string } | undefined;
  until: bigint;
  columns: readonly string[]; // what is asked of its rows
}

/**
 * The rows that make up a figure, in the order of the report: the key, then the value by which they are sorted, what each adds, the sum up to
 * it, and the columns; before them a row with the figure. All of one moment, so that the sums are those of the figure.
 */
export function cellSql<Query>(
  { report, ...asked }: Asked<Query>,
  { figure, group, until, columns }: Cell,
  after: Place | undefined,
  limit: number,
): Sql {
  const here = report.until ? asked.here : { ...asked.here, asOf: until };
  const { by, type } = report.sortings[report.sortedBy]!;
  const ofGroup = group && isInCell(report, group, here);
  const selected = columns.map((name) => sql(`? AS ${quoted(name)}`, [asSql(report.columns[name]!.from, here)]));
  const names = columns.map(quoted);
  return sql(
    `WITH of_rows AS (SELECT ${report.key} AS key, ? AS sorted, ? AS added, ${names.map(() => '?').join(', ')} ?),
      summed AS (SELECT key, sorted, added, sum(added) OVER (ORDER BY sorted, key) AS so_far, ${names.join(', ')} FROM of_rows)
      SELECT NULL AS key, NULL AS sorted, NULL AS added, coalesce(sum(added), 0) AS so_far, ${names.map((name) => `NULL AS ${name}`).join(', ')} FROM of_rows
      UNION ALL (SELECT * FROM summed WHERE ? ORDER BY sorted, key LIMIT ${limit})`,
    [
      ...[
        asSql(by, here),
        asSql(report.figures[figure]!, here),
        ...selected,
        fromWhere({ ...asked, report, here }, [report.until?.(until), ofGroup]),
      ],
      after ? sql(`(sorted, key) > (?::${type}, ?::uuid)`, [after.value, after.id]) : sql('true'),
    ],
  );
}

const isInCell = <Query>({ key, row, groups }: AnyReport<Query>, group: NonNullable<Cell['group']>, here: Here): Sql =>
  group.by === row ? sql(`${key} = ?::uuid`, [group.key]) : sql('? = ?::text', [asSql(groups[group.by]!.key, here), group.key]);

/** All rows in one statement, as a file has them. */
export function fileSql<Query>(asked: Asked<Query>, { sort, descending }: Order): Sql {
  const { report, here } = asked;
  const sorting = report.sortings[sort]!;
  const direction = directionOf(descending);
  const cells = Object.values<ReportColumn>(report.columns).map((column) => cellOf(column, here));
  const last = sorting.nullable ? ' NULLS LAST' : '';
  return sql(`SELECT ${cells.map(() => '?').join(', ')} ? ORDER BY ? ${direction}${last}, ${report.key} ${direction}`, [
    ...cells,
    fromWhere(asked),
    asSql(sorting.by, here),
  ]);
}

/** First characters after which a spreadsheet takes a text for a formula: = + - @, the same in full width, tab, line ends. */
const FORMULA = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'].map((character) => character.charCodeAt(0)).join(', ');

function cellOf({ is, from }: ReportColumn, here: Here): Sql {
  const value = asSql(from, here);
  switch (is) {
    case 'text':
      return sql(`CASE WHEN ascii(?) IN (${FORMULA}) THEN '''' || ? ELSE ? END`, [value, value, value]);
    case 'amount':
      return placesOf(here.currency) === 0 ? value : sql(`? * ${minorUnit(here.currency)}`, [value]);
    case 'instant':
      return sql(`to_char(? AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`, [value]);
    case 'id':
    case 'date':
    case 'count':
      return value;
    default:
      return is satisfies never;
  }
}

/** `0.01`: a whole number times it is a decimal with the currency's own number of places. */
const minorUnit = (currency: string): string => `0.${'1'.padStart(placesOf(currency), '0')}`;
