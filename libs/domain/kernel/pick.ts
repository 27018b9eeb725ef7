/** Only these fields of it: `pick(event.data, 'clientId', 'serviceId')`. */
export const pick = <T extends object, const K extends keyof T>(from: T, ...fields: K[]): Pick<T, K> =>
  Object.fromEntries(fields.map((field) => [field, from[field]])) as Pick<T, K>;
