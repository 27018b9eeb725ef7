import { IntersectionType } from '@nestjs/swagger';
import { IsInstant, IsLocalDate, IsText } from '../validation/fields.js';

/** What every command answers with, beside the new state (L3). */
export class Answered {
  @IsText({ max: 20, description: 'position in the event store, for Punchcard-Min-Position' })
  position: string;
}

/** What is said of one thing: its revision is the ETag (L4). */
export class Versioned {
  @IsText({ max: 20, description: 'revision of its stream, for If-Match' })
  revision: string;
}

/** The same of what may follow from what was decided elsewhere (L4). */
export class FollowingVersion {
  @IsText({
    max: 20,
    nullable: true,
    description: 'revision of its stream, for If-Match; null, and no ETag: it follows its package or its invoice, read it for its ETag',
  })
  revision: string | null;
}

/** What a command answers with that changes one thing, or begins it. */
export class Changed extends IntersectionType(Answered, Versioned) {}

/** K2: of what time an answer is. */
export class AsOfRead {
  @IsText({
    max: 20,
    nullable: true,
    description: 'the events up to it are in it: asked for by this, it is always the same; null: none is',
  })
  position: string | null;

  @IsInstant({ description: 'by the clocks of the business' })
  at: string;

  @IsLocalDate({ description: 'what day it was then' })
  today: string;
}
