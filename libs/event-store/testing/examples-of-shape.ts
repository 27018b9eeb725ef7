import { v5 as uuidv5 } from 'uuid';
import { z } from 'zod';
import type { Json, JsonObject } from '../stored-json.js';

/** So much of JSON Schema as zod makes of the shapes of events. */
interface Schema {
  type?: string | string[];
  const?: Json;
  enum?: Json[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  minItems?: number;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
}

const NAMESPACE = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';
const texts = [
  ...['Übung, 60 min 🧘', '2027-01-31', '2027-01-31T09:30:00.000Z', '9.975', 'CAD', 'America/Montreal', 'x', '7'],
  ...['0123456789abcdef'.repeat(4), 'k'.repeat(43), 's'.repeat(86)], // a hash, a key, a signature
];

/**
 * Examples of a shape, always the same ones, that take every branch of its unions, enums and nullables at least once:
 * the first example takes the first branch of each, the second the second, and so on.
 */
export function examplesOfShape(shape: z.ZodType): JsonObject[] {
  const schema = z.toJSONSchema(shape) as Schema;
  return Array.from({ length: mostBranches(schema) }, (_, turn) => example(schema, turn, '') as JsonObject);
}

const branchesOf = ({ anyOf, oneOf, enum: values, type }: Schema): Schema[] => {
  if (anyOf ?? oneOf) return (anyOf ?? oneOf)!;
  if (values) return values.map((value) => ({ const: value }));
  return Array.isArray(type) ? type.map((one) => ({ type: one })) : [];
};

const partsOf = ({ properties = {}, items, additionalProperties }: Schema): Schema[] => [
  ...Object.values(properties),
  ...(items ? [items] : []),
  ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
];

const mostBranches = (schema: Schema): number =>
  Math.max(1, branchesOf(schema).length, ...[...branchesOf(schema), ...partsOf(schema)].map(mostBranches));

function example(schema: Schema, turn: number, field: string): Json {
  const branches = branchesOf(schema);
  if (branches.length > 0) return example(branches[turn % branches.length]!, turn, field);
  if (schema.const !== undefined) return schema.const;
  switch (schema.type) {
    case 'null':
      return null;
    case 'boolean':
      return turn % 2 === 0;
    case 'integer':
    case 'number':
      return Math.max(7, schema.minimum ?? 0, (schema.exclusiveMinimum ?? 0) + 1);
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 0) }, (_, n) => example(schema.items!, turn + n, field));
    case 'string':
      return text(schema, field);
    case 'object':
      return object(schema, turn);
    default:
      throw new Error(`No example can be made of the field "${field}": ${JSON.stringify(schema)}`);
  }
}

function object({ properties = {}, additionalProperties }: Schema, turn: number): JsonObject {
  const fields = Object.entries(properties).map(([name, schema]) => [name, example(schema, turn, name)] as const);
  const others = typeof additionalProperties === 'object' ? [['other', example(additionalProperties, turn, 'other')] as const] : [];
  return Object.fromEntries([...fields, ...others]);
}

function text({ format, pattern, minLength = 0, maxLength = Infinity }: Schema, field: string): string {
  if (format === 'uuid') return uuidv5(field, NAMESPACE);
  const fits = (candidate: string) =>
    (!pattern || new RegExp(pattern).test(candidate)) && candidate.length >= minLength && candidate.length <= maxLength;
  const found = texts.find(fits);
  if (found === undefined) throw new Error(`No example text fits the field "${field}" (${pattern}): add one to the list.`);
  return found;
}
