import { z } from 'zod';
import { defineEvent, type Aggregate, type Decide, type EventOf } from '../kernel/event.js';
import { id } from '../kernel/shapes.js';

// What the entries of a business's catalogue files stand for: a key stands for the same thing whenever a file is loaded.

const kind = z.enum(['tax', 'service', 'provider', 'category', 'offering']);
const given = z.object({ kind, key: z.string(), id });

export const CatalogueKeysGiven = defineEvent('CatalogueKeysGiven', z.object({ keys: z.array(given).min(1) }));

export type CatalogueKind = z.infer<typeof kind>;
export type CatalogueKey = z.infer<typeof given>;
type CatalogueFileEvent = EventOf<typeof CatalogueKeysGiven>;

/** `kind/key` → id */
export type CatalogueKeys = ReadonlyMap<string, string>;

/** One for each business, named as it. */
export const catalogueFile: Aggregate<CatalogueKeys, CatalogueFileEvent> = {
  category: 'catalogueFile',
  events: [CatalogueKeysGiven],
  initial: new Map(),
  evolve: (keys, { data }) => new Map([...keys, ...data.keys.map((each) => [nameOf(each), each.id] as const)]),
};

export const nameOf = ({ kind, key }: Pick<CatalogueKey, 'kind' | 'key'>): string => `${kind}/${key}`;

/** A key that stands for something keeps to it: of two that load a file at once, the second uses what the first has given. */
export const giveKeys =
  (wanted: readonly CatalogueKey[]): Decide<CatalogueKeys, CatalogueFileEvent> =>
  (known) => {
    const keys = wanted.filter((each) => !known.has(nameOf(each)));
    return keys.length === 0 ? [] : [{ type: 'CatalogueKeysGiven', data: { keys } }];
  };
