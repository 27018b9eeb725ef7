/** Where a test pulls the plug: with `FAILPOINT=rebuild:switching` the process kills itself when a rebuild comes there. */
export const killAt = (place: string): void => {
  if (process.env.FAILPOINT === `rebuild:${place}`) process.kill(process.pid, 'SIGKILL');
};
