import { nameOf, type CatalogueKey, type CatalogueKeys, type CatalogueKind } from '../../../libs/domain/catalogue-file/catalogue-file.js';

interface Thing {
  kind: CatalogueKind;
  id: string;
  name: string;
}

export type KeyOf = (kind: CatalogueKind, id: string) => string;

/** The key of each thing: the one that a file gave it, else one that follows from its name, told apart where names are the same. */
export const keysFor = (things: readonly Thing[], given: CatalogueKeys): { keyOf: KeyOf; things: CatalogueKey[] } => {
  const taken = new Set(given.keys());
  const keys = new Map([...given].map(([name, id]) => [`${kindIn(name)}/${id}`, name.slice(name.indexOf('/') + 1)]));
  for (const { kind, id, name } of things.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (keys.has(`${kind}/${id}`)) continue;
    const key = free(kind, slugOf(name) || kind, taken);
    taken.add(nameOf({ kind, key }));
    keys.set(`${kind}/${id}`, key);
  }
  return {
    keyOf: (kind, id) => keys.get(`${kind}/${id}`) ?? id,
    things: things.map(({ kind, id }) => ({ kind, id, key: keys.get(`${kind}/${id}`)! })),
  };
};

const kindIn = (name: string): string => name.slice(0, name.indexOf('/'));

const free = (kind: CatalogueKind, slug: string, taken: ReadonlySet<string>): string => {
  for (let n = 1; ; n += 1) {
    const key = n === 1 ? slug : `${slug}-${n}`;
    if (!taken.has(nameOf({ kind, key }))) return key;
  }
};

const MAX_SLUG = 80;

/** `Massage, 60 minutes` → `massage-60-minutes` */
const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replaceAll(/^-|-$/g, '');
