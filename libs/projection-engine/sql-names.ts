/** `clientId` is `client_id` in SQL. */
export const sqlName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Quoted, so that a column may be called `on`. */
export const quoted = (name: string): string => `"${sqlName(name)}"`;

/** One of the tables that a version of a projection has been folded into: each rebuild makes another beside the live one. */
export interface Build {
  name: string;
  version: number;
  build?: number; // counts from 0, which is the one that a version begins with
}

/** The number of the build that is never read: the events folded afresh, to hold another build against it. */
export const AFRESH = -1;

/** `package_list_v3`, after a rebuild `package_list_v3_b1`, and beside either `package_list_v3_afresh`. */
export const buildName = ({ name, version, build = 0 }: Build): string =>
  `${name}_v${version}${build === AFRESH ? '_afresh' : build ? `_b${build}` : ''}`;

export const tableName = (build: Build): string => `read_models.${buildName(build)}`;

/** K2: beside the table, which holds what is so now and since when, the versions that are over. */
export const historyName = (build: Build): string => `${tableName(build)}_history`;

/** From which position on a version was so, and from which on no longer. */
export const VALID_FROM = 'valid_from';
export const VALID_TO = 'valid_to';
