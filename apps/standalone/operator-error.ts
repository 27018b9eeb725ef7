/** What the operator must do is in the message; a stack trace would not help. */
export class OperatorError extends Error {}
