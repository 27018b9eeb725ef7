import type { AnyRow } from './define-projection.js';
import type { Rows } from './fold.js';
import type { BusinessAnd } from './table.js';

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

  /** @param columns those by which rows are found */
  constructor(
    private before: WorkingSet | undefined,
    private readonly columns: ReadonlySet<string>,
  ) {
    if (columns.size && before) before.eachChanged((business, key, row) => row && this.candidate(business, key, row));
  }

  load(business: string, key: string, row: AnyRow): void {
    layerOf(this.loaded, business).set(key, row);
    this.candidate(business, key, row);
  }

  /** Whether what the table holds of this row no longer matters. */
  hides(business: string, key: string): boolean {
    return this.changed.get(business)?.get(key) !== undefined;
  }

  get(business: string, key: string): AnyRow | undefined {
    const row = this.changed.get(business)?.get(key);
    if (row !== undefined) return row ?? undefined;
    const earlier = this.before?.changed.get(business)?.get(key);
    return (earlier === undefined ? this.loaded.get(business)?.get(key) : earlier) ?? undefined;
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
  changes(): { rows: BusinessAnd<AnyRow>[]; removed: BusinessAnd<string>[] } {
    const rows: BusinessAnd<AnyRow>[] = [];
    const removed: BusinessAnd<string>[] = [];
    this.eachChanged((business, key, row) => (row ? rows.push([business, row]) : removed.push([business, key])));
    return { rows, removed };
  }

  /** Folded: only its changes are needed from here on. */
  settle(): void {
    this.before = undefined;
    this.loaded.clear();
    this.candidates.clear();
  }

  private eachChanged(visit: (business: string, key: string, row: AnyRow | null) => void): void {
    for (const [business, rows] of this.changed) for (const [key, row] of rows) visit(business, key, row);
  }

  private candidate(business: string, key: string, row: AnyRow): void {
    for (const column of this.columns) {
      const name = candidateKey(column, business, row[column]);
      const keys = this.candidates.get(name);
      if (keys) keys.add(key);
      else this.candidates.set(name, new Set([key]));
    }
  }
}

const candidateKey = (column: string, business: string, value: unknown): string => `${column}\0${business}\0${String(value)}`;

function layerOf(layer: Layer, business: string): Map<string, AnyRow | null> {
  const rows = layer.get(business) ?? new Map<string, AnyRow | null>();
  layer.set(business, rows);
  return rows;
}
