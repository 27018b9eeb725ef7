import { InvalidInput } from '../../../libs/domain/kernel/refusal.js';
import type { RequestError } from '../http/problems.js';

const MAX_ERRORS = 100;

/** Every offending field of a request, up to a bound: an answer must not be larger than the request deserves. */
export class RequestErrors {
  private readonly errors: RequestError[] = [];

  constructor(private readonly place?: RequestError['in']) {}

  /** `message` goes on where the field's name ends: "must be a UUID". */
  add(field: string, code: string, message: string): void {
    if (this.full) return;
    this.errors.push({ field, ...(this.place && { in: this.place }), code, message: `${nameOf(field)} ${message}.` });
  }

  get full(): boolean {
    return this.errors.length >= MAX_ERRORS;
  }

  /** @throws InvalidInput if there are any */
  throwAny(): void {
    if (this.errors.length > 0) throw new InvalidInput(this.errors);
  }
}

/** The JSON pointer (RFC 6901) of a field below another. */
export const pointer = (path: string, name: string): string => {
  const bounded = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  const escaped = /[~/]/.test(bounded) ? bounded.replaceAll('~', '~0').replaceAll('/', '~1') : bounded;
  return `${path}/${escaped.replace(/\p{Cs}/gu, '\ufffd')}`;
};

const nameOf = (field: string): string => (field === '' ? 'The body' : field.slice(1).replaceAll('/', '.'));
