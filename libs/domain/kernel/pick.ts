/** Only these fields of it: `pick(event.data, 'clientId', 'serviceId')`. */
export const pick = <T extends object, const K extends keyof T>(from: T, ...fields: K[]): Pick<T, K> =>
  Object.fromEntries(fields.map((field) => [field, from[field]])) as Pick<T, K>;

/** What is said in a change: a field without a value says nothing. */
export const said = <T extends object>(changes: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
