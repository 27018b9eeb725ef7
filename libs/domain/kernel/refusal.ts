/** A rule said no. `code` is stable and public: it becomes the `code` of the problem detail. */
export class Refusal extends Error {
  /** L3: in the event store; whoever reads what is at least as fresh sees why. 0: nothing was looked at. */
  position = 0n;

  constructor(
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = 'Refusal';
  }

  /** It came after this had been read or written. */
  after(position: bigint): this {
    if (position > this.position) this.position = position;
    return this;
  }
}

/** There is no such thing in the caller's business: answered with 404, whatever the thing is (A3). */
export class NotFound extends Refusal {
  constructor(what: string, id: string) {
    super('NOT_FOUND', `There is no ${what} ${id}.`, { what, id });
  }

  /** A3: what is not there and what is somebody else's are told alike. */
  override after(): this {
    return this;
  }
}

/** The body names things that are not in the caller's business: answered with 404, naming every field (A3). */
export class UnknownReferences extends NotFound {
  readonly errors: FieldError[];

  constructor(references: { field: string; in?: 'path'; what: string; id: string }[]) {
    const [first] = references;
    super(first?.what ?? 'thing', first?.id ?? '');
    this.errors = references.map(({ what, id, ...where }) => ({ ...where, code: 'NOT_FOUND', message: `There is no ${what} ${id}.` }));
  }
}

/** What the caller sent can't be: answered with 400 and every offending field (L1). */
export class InvalidInput extends Refusal {
  constructor(readonly errors: FieldError[]) {
    super('INVALID_INPUT', `${errors.length === 1 ? 'A field is' : `${errors.length} fields are`} not valid.`, { errors });
  }
}

/** @throws InvalidInput when there is one */
export const assertNone = (errors: FieldError[]): void => {
  if (errors.length > 0) throw new InvalidInput(errors);
};

export interface FieldError {
  field: string; // JSON pointer into the body: `/services/0/limit`
  code: string;
  message: string;
}
