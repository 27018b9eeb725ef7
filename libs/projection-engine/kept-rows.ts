import type { AnyRow } from './define-projection.js';
import type { BusinessAnd } from './table.js';

/** The rows that were seen last, as they are in the table or on their way there. */
export class KeptRows {
  private readonly rows = new Map<string, AnyRow>(); // those seen first come first

  constructor(private readonly most: number) {}

  get([business, key]: BusinessAnd<string>): AnyRow | undefined {
    return this.rows.get(idOf(business, key));
  }

  keep(business: string, key: string, row: AnyRow | null): void {
    const id = idOf(business, key);
    this.rows.delete(id);
    if (row === null) return;
    this.rows.set(id, row);
    if (this.rows.size > this.most) for (const oldest of this.rows.keys()) return void this.rows.delete(oldest);
  }

  clear(): void {
    this.rows.clear();
  }
}

const idOf = (business: string, key: string): string => `${business}\0${key}`;
