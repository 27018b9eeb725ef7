/** All that a simulator process is told. */
export interface SimulatorConfig {
  host: string;
  port: number; // 0: any free one
  stateFile: string | undefined; // without it, what happened is forgotten when it stops
  webhookUrl: string | undefined;
  webhookSecret: string;
  logLevel: string;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** @throws Error that names every variable that is missing or wrong */
export const configFromEnv = (env: NodeJS.ProcessEnv): SimulatorConfig => {
  const problems: string[] = [];
  const port = Number(env.PORT || 3002);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) problems.push('PORT must be a port');
  if (env.WEBHOOK_URL && !URL.canParse(env.WEBHOOK_URL)) problems.push('WEBHOOK_URL must be an address');
  if (!env.WEBHOOK_SECRET) problems.push('WEBHOOK_SECRET is missing: webhooks are signed with it');
  const logLevel = env.LOG_LEVEL || 'info';
  if (!LOG_LEVELS.includes(logLevel)) problems.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`);
  if (problems.length > 0) throw new Error(`The settings are not complete:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  return {
    ...{ host: env.HOST || '127.0.0.1', port, logLevel, stateFile: env.STATE_FILE || undefined },
    ...{ webhookUrl: env.WEBHOOK_URL || undefined, webhookSecret: env.WEBHOOK_SECRET! },
  };
};
