import { v5 as uuidv5 } from 'uuid';
import type { Tax } from '../kernel/money.js';
import type { Money } from '../kernel/shapes.js';

// The small clinic that the specs tell of.

/** A name's own id, so that a spec can say whom it means. */
export const idOf = (name: string): string => uuidv5(name, uuidv5.URL);

export const anna = idOf('anna');
export const ben = idOf('ben');
export const massage = idOf('massage');
export const facial = idOf('facial');

export const cad = (amount: number): Money => ({ amount, currency: 'CAD' });
export const gst: Tax = { taxId: idOf('gst'), name: 'GST', rate: '5' };
export const qst: Tax = { taxId: idOf('qst'), name: 'QST', rate: '9.975' };

/** 10:00 in Toronto in winter. */
export const at = (day: string): { start: string; end: string; timeZone: string; on: string } => ({
  start: `${day}T15:00:00.000Z`,
  end: `${day}T16:00:00.000Z`,
  timeZone: 'America/Toronto',
  on: day,
});
