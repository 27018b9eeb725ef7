/**
 * Where a test pulls the plug: `FAILPOINT=after:SessionConsumed` kills the process the moment an append with this
 * event was acknowledged, `before:…` the moment before it is sent. Nothing at all happens without the variable.
 */
const [when, type] = (process.env.FAILPOINT ?? '').split(':');

export const failpoint = (moment: 'before' | 'after', events: readonly { type: string }[]): void => {
  if (moment === when && events.some((event) => event.type === type)) process.kill(process.pid, 'SIGKILL');
};
