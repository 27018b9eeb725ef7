/** `clientId` is `client_id` in SQL. */
export const sqlName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Quoted, so that a column may be called `on`. */
export const quoted = (name: string): string => `"${sqlName(name)}"`;

export const tableName = ({ name, version }: { name: string; version: number }): string => `read_models.${name}_v${version}`;
