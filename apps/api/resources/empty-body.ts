/** Of a command that is told nothing but its address: a body may be left out or be `{}`, and its unknown fields are refused as anywhere. */
export class EmptyBody {}
