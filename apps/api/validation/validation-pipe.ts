import { Injectable } from '@nestjs/common';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { traitsOf } from './fields.js';
import type { BodyClass, FieldTraits } from './fields.js';
import { planOf, runPlan } from './plan.js';
import { RequestErrors } from './request-errors.js';

/** Checks bodies and queries against their classes, whatever the operation: nobody can forget it. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    if (type === 'body') return checked(value === undefined ? {} : value, classOf(metatype, data));
    if (type === 'query') return checkedQuery(value as Record<string, unknown>, classOf(metatype, data));
    return value;
  }
}

/** The body itself: checked through and through it needs no instance of its class, and no copy. */
export const checked = (body: unknown, shape: BodyClass): unknown => {
  const errors = new RequestErrors();
  runPlan(planOf(shape), body, '', errors);
  errors.throwAny();
  return body;
};

const checkedQuery = (sent: Record<string, unknown>, shape: BodyClass): unknown => {
  const query = Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, valueOf(value, traitsOf(shape, name))]));
  const errors = new RequestErrors('query');
  runPlan(planOf(shape), query, '', errors);
  errors.throwAny();
  return query;
};

/** A query has texts only. What is no number or flag stays a text, for the rule to refuse. */
const valueOf = (value: unknown, traits: FieldTraits | undefined): unknown => {
  if (traits?.list) return (Array.isArray(value) ? value : [value]).map((item) => valueOf(item, { ...traits, list: false }));
  if (traits?.inQuery === 'number' && typeof value === 'string' && /^-?\d{1,16}$/.test(value)) return Number(value);
  if (traits?.inQuery === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
};

const BUILT_IN = new Set<unknown>([Object, String, Number, Boolean, Array, undefined]);

const classOf = (metatype: ArgumentMetadata['metatype'], data: string | undefined): BodyClass => {
  if (data !== undefined || BUILT_IN.has(metatype))
    throw new Error('A body or a query is taken whole, as a class: @Body() body: SellPackage.');
  return metatype as BodyClass;
};
