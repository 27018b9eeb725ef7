import type { AnyRow } from './define-projection.js';
import type { BusinessAnd } from './table.js';

/** The rows that were seen last, as they are in the table or on their way there. */
export class KeptRows {
  private young = new RowsByKey();
  private old = new RowsByKey();

  /** @param most rows; it may be half of them that are kept: all since the one before the last time that it was full */
  constructor(private readonly most: number) {}

  get([business, key]: BusinessAnd<string>): AnyRow | undefined {
    return this.young.get(business, key) ?? this.old.get(business, key);
  }

  keep(business: string, key: string, row: AnyRow | null): void {
    if (row) this.young.set(business, key, row);
    else {
      this.young.delete(business, key);
      this.old.delete(business, key);
    }
    if (this.young.size * 2 <= this.most) return;
    this.old = this.young;
    this.young = new RowsByKey();
  }

  clear(): void {
    this.young = new RowsByKey();
    this.old = new RowsByKey();
  }
}

class RowsByKey {
  size = 0;
  private readonly businesses = new Map<string, Map<string, AnyRow>>();

  get(business: string, key: string): AnyRow | undefined {
    return this.businesses.get(business)?.get(key);
  }

  set(business: string, key: string, row: AnyRow): void {
    let rows = this.businesses.get(business);
    if (!rows) this.businesses.set(business, (rows = new Map<string, AnyRow>()));
    const { size } = rows;
    rows.set(key, row);
    this.size += rows.size - size;
  }

  delete(business: string, key: string): void {
    if (this.businesses.get(business)?.delete(key)) this.size -= 1;
  }
}
