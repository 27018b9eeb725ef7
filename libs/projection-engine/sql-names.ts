/** `clientId` is `client_id` in SQL. */
export const sqlName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Quoted, so that a column may be called `on`. */
export const quoted = (name: string): string => `"${sqlName(name)}"`;

export const tableName = ({ name, version }: { name: string; version: number }): string => `read_models.${name}_v${version}`;

/** K2: beside the table, which holds what is so now and since when, the versions that are over. */
export const historyName = (projection: { name: string; version: number }): string => `${tableName(projection)}_history`;

/** From which position on a version was so, and from which on no longer. */
export const VALID_FROM = 'valid_from';
export const VALID_TO = 'valid_to';
