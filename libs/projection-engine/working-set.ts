import type { AnyRow } from './define-projection.js';
import type { Rows } from './fold.js';
import type { BusinessAnd, Changes, Ended, Passed, Written } from './table.js';

/** Rows by business and key; null: removed. */
type Layer = Map<string, Map<string, AnyRow | null>>;

/**
 * The rows of one batch: those changed in it, over those of the batch before, which may still be on its way to the table, over
 * those loaded from there.
 */
export class WorkingSet implements Rows<AnyRow> {
  private readonly changed: Layer = new Map();
  private readonly loaded: Layer = new Map();
  /** Keys that may have a value in a column by which rows are found: `column NUL business NUL value`. */
  private readonly candidates = new Map<string, Set<string>>();

  /** @param found columns by which rows are found */
  constructor(
    private before: WorkingSet | undefined,
    private readonly found: ReadonlySet<string>,
    private readonly columns: readonly string[],
  ) {
    if (found.size && before) before.eachChanged((business, key, row) => row && this.candidate(business, key, row));
  }

  load(business: string, key: string, row: AnyRow): void {
    layerOf(this.loaded, business).set(key, row);
    this.candidate(business, key, row);
  }

  /** Whether what the table holds of this row no longer matters. */
  hides(business: string, key: string): boolean {
    return this.changed.get(business)?.get(key) !== undefined;
  }

  /** Whether the table was seen to hold it. */
  isKnown(business: string, key: string): boolean {
    return this.loaded.get(business)?.has(key) ?? false;
  }

  /** Whether the table holds it once this batch is written. */
  hasPut(business: string, key: string): boolean {
    return Boolean(this.changed.get(business)?.get(key));
  }

  get(business: string, key: string): AnyRow | undefined {
    const row = this.changed.get(business)?.get(key);
    return row === undefined ? this.was(business, key) : (row ?? undefined);
  }

  set(business: string, key: string, row: AnyRow): void {
    layerOf(this.changed, business).set(key, row);
    this.candidate(business, key, row);
  }

  delete(business: string, key: string): void {
    layerOf(this.changed, business).set(key, null);
  }

  find(business: string, column: string, value: unknown): string[] {
    const keys = [...(this.candidates.get(candidateKey(column, business, value)) ?? [])];
    return keys.filter((key) => this.get(business, key)?.[column] === value);
  }

  /** What is to be written. */
  changes(): Changes {
    const [put, updated]: [Written[], Written[]] = [[], []];
    const removed: BusinessAnd<string>[] = [];
    const columns = new Set<string>();
    this.eachChanged((business, key, row) => {
      if (!row) return void removed.push([business, key]);
      const [was, since] = [this.was(business, key), this.since(business, key)];
      if (!was) return void put.push([business, row, since]);
      const changed = this.columns.filter((column) => row[column] !== was[column]);
      for (const column of changed) columns.add(column);
      if (changed.length || since !== undefined) updated.push([business, row, since]);
    });
    return { put, updated, columns, removed };
  }

  /** The row before this batch, as far as it is known. */
  private was(business: string, key: string): AnyRow | undefined {
    const earlier = this.before?.changed.get(business)?.get(key);
    return (earlier === undefined ? this.loaded.get(business)?.get(key) : earlier) ?? undefined;
  }

  /** Visits every row that is known at the end of the batch, and every key that is known to have none. */
  eachKnown(visit: (business: string, key: string, row: AnyRow | null) => void): void {
    for (const [business, rows] of this.loaded) for (const [key, row] of rows) visit(business, key, row);
    this.before?.eachChanged(visit);
    this.eachChanged(visit);
  }

  /** The event that is folded next; what a row was before it matters only where there is history. */
  reach(_position: bigint): void {}

  /** Folded: only its changes are needed from here on. */
  settle(): void {
    this.before = undefined;
    this.loaded.clear();
    this.candidates.clear();
  }

  /** The position since which a row that changed is as it is. */
  protected since(_business: string, _key: string): bigint | undefined {
    return undefined;
  }

  protected eachChanged(visit: (business: string, key: string, row: AnyRow | null) => void): void {
    for (const [business, rows] of this.changed) for (const [key, row] of rows) visit(business, key, row);
  }

  private candidate(business: string, key: string, row: AnyRow): void {
    for (const column of this.found) {
      const name = candidateKey(column, business, row[column]);
      const keys = this.candidates.get(name);
      if (keys) keys.add(key);
      else this.candidates.set(name, new Set([key]));
    }
  }
}

const candidateKey = (column: string, business: string, value: unknown): string => `${column}\0${business}\0${String(value)}`;

function layerOf(layer: Layer, business: string): Map<string, AnyRow | null> {
  let rows = layer.get(business);
  if (!rows) layer.set(business, (rows = new Map<string, AnyRow | null>()));
  return rows;
}

/** When a row first changed in this batch, and when last. */
interface Change {
  first: bigint;
  last: bigint;
}

/**
 * The same with history: every event that changes a row makes a version of its own. The version that the table holds ends with the
 * first change of a batch, whatever it is: so none has to be loaded to be ended.
 */
export class VersionedSet extends WorkingSet {
  private position = -1n;
  private readonly ends = new Map<string, Map<string, Change>>();
  private readonly passed: Passed[] = [];

  override reach(position: bigint): void {
    this.position = position;
  }

  override set(business: string, key: string, row: AnyRow): void {
    if (row === this.get(business, key)) return; // put back as it was
    this.end(business, key);
    super.set(business, key, row);
  }

  override delete(business: string, key: string): void {
    this.end(business, key);
    super.delete(business, key);
  }

  override changes(): Changes {
    const ended = [...this.ends].flatMap(([business, keys]) => [...keys].map(([key, { first }]): Ended => [business, key, first]));
    return { ...super.changes(), versions: { ended, passed: this.passed } };
  }

  protected override since(business: string, key: string): bigint {
    return this.ends.get(business)!.get(key)!.last;
  }

  /** What the row was until now: a version that began and ended within this batch, or the one in the table. */
  private end(business: string, key: string): void {
    let keys = this.ends.get(business);
    if (!keys) this.ends.set(business, (keys = new Map<string, Change>()));
    const change = keys.get(key);
    if (!change) return void keys.set(key, { first: this.position, last: this.position });
    const row = this.get(business, key);
    if (row && change.last < this.position) this.passed.push([business, row, change.last, this.position]);
    change.last = this.position;
  }
}
