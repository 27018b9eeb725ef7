/** A process that does what it is told over its channel, one job at a time, until the channel closes. */
export function answerJobs<Job>(carryOut: (job: Job) => Promise<object | void>): void {
  process.on('message', (job: Job) => {
    carryOut(job).then(
      (done) => process.send!({ done: done ?? {} }),
      (error: unknown) => process.send!({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit(0));
  process.send!({ ready: true });
}
