/** What time it is, as a UTC instant with milliseconds. Only the demo loader and tests bring one of their own. */
export type Clock = () => string;

export const systemClock: Clock = () => new Date().toISOString();
