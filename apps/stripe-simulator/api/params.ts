import { z } from 'zod';
import { invalid } from './failure.js';
import type { Form } from './form.js';

// Parameters that several calls have, and what Stripe says of wrong ones.

export const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, { error: 'integer' })
  .transform(Number);
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
export const expand = z.array(z.string()).optional();
export const metadata = z
  .record(z.string().max(40), z.string().max(500))
  .refine((all) => Object.keys(all).length <= 50, { error: 'at most 50 keys' });
export const webAddress = z.string().refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), { error: 'url' });
export const time = z.union([integer, z.strictObject({ gt: integer, gte: integer, lt: integer, lte: integer }).partial()]).optional();
export const paging = { limit: integer.optional(), starting_after: z.string().optional(), ending_before: z.string().optional(), expand };

/** What the parameters say. Throws Stripe's refusal of the first that is wrong. */
export const read = <Schema extends z.ZodType>(schema: Schema, form: Form): z.output<Schema> => {
  const { success, data, error } = schema.safeParse(form);
  if (success) return data;
  const issue = error.issues[0]!;
  const at = (path: PropertyKey[]) => path.map((part, n) => (n === 0 ? String(part) : `[${String(part)}]`)).join('');
  const param = at(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const unknown = at([...issue.path, issue.keys[0]!]);
    throw invalid(`Received unknown parameter: ${unknown}`, unknown, 'parameter_unknown');
  }
  const value = issue.path.reduce<unknown>((from, part) => (from as Record<PropertyKey, unknown> | undefined)?.[part], form);
  if (value === undefined) throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
  if (issue.message === 'integer') throw invalid(`Invalid integer: ${JSON.stringify(value)}`, param, 'parameter_invalid_integer');
  if (issue.message === 'url') throw invalid('Not a valid URL', param, 'url_invalid');
  throw invalid(`Invalid ${param}: ${issue.message}`, param);
};

/** Whether a moment, in seconds, is in what `created` asks for. */
export const isWithin = (created: number, asked: z.output<typeof time>): boolean => {
  if (asked === undefined) return true;
  if (typeof asked === 'number') return created === asked;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = asked;
  return created > gt && created >= gte && created < lt && created <= lte;
};
