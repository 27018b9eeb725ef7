import type { DynamicModule, Type } from '@nestjs/common';
import type { Registry } from 'prom-client';
import type { Logger } from 'pino';
import type { ApiConfig } from './config.js';
import type { HealthCheck } from './http/health.js';
import type { WaitFor } from './http/positions.js';

/** What stands behind the HTTP door. */
export interface Parts {
  modules: (Type | DynamicModule)[]; // the resources' controllers and what they need
  checks: Record<string, HealthCheck>; // each part that must answer before we are ready
  waitFor: WaitFor;
  close(): Promise<void>; // after the last call has been answered
}

export interface Surroundings {
  config: ApiConfig;
  logger: Logger;
  metrics: Registry;
}

/** Connects to the parts that the settings name. */
export const connectParts = async (_surroundings: Surroundings): Promise<Parts> => ({
  modules: [],
  checks: {},
  waitFor: async () => true,
  close: async () => undefined,
});
