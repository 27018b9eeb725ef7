const { FAILPOINT: setting } = process.env;

/** Where a test pulls the plug: with `FAILPOINT=rebuild:switching` the process kills itself when a rebuild comes there; with `…:paused` it stops. */
export const failAt = (place: string): void => {
  if (setting === `rebuild:${place}`) process.kill(process.pid, 'SIGKILL');
  if (setting === `rebuild:${place}:paused` && !paused) process.kill(process.pid, 'SIGSTOP');
  paused ||= setting === `rebuild:${place}:paused`;
};

let paused = false; // once
