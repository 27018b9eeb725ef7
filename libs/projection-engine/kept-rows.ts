import type { AnyRow } from './define-projection.js';
import type { BusinessAnd } from './table.js';

/** The rows that were seen last, as they are in the table or on their way there. */
export class KeptRows {
  private young = new Map<string, AnyRow>();
  private old = new Map<string, AnyRow>();

  /** @param most rows; it may be half of them that are kept: all since the one before the last time that it was full */
  constructor(private readonly most: number) {}

  get([business, key]: BusinessAnd<string>): AnyRow | undefined {
    const id = idOf(business, key);
    return this.young.get(id) ?? this.old.get(id);
  }

  keep(business: string, key: string, row: AnyRow | null): void {
    const id = idOf(business, key);
    if (row) this.young.set(id, row);
    else this.young.delete(id);
    if (!row) this.old.delete(id);
    if (this.young.size * 2 <= this.most) return;
    this.old = this.young;
    this.young = new Map();
  }

  clear(): void {
    this.young = new Map();
    this.old = new Map();
  }
}

const idOf = (business: string, key: string): string => `${business}\0${key}`;
