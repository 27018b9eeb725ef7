import { IsText } from '../validation/fields.js';

/** What every command answers with, beside the new state (L3). */
export class Answered {
  @IsText({ max: 20, description: 'position in the event store, for Punchcard-Min-Position' })
  position: string;
}

/** What a query gives of one thing: its revision is the ETag. */
export class Versioned {
  @IsText({ max: 20, description: 'revision of its stream, for If-Match' })
  revision: string;
}
