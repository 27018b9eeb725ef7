import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { pino } from 'pino';
import { CommandHandlingModule } from '../../../libs/command-handling/command-bus.js';
import { openCommandHandling } from '../../../libs/command-handling/command-handling.js';
import { fewAtOnce } from '../../../libs/command-handling/few-at-once.js';
import { Refusal } from '../../../libs/domain/kernel/refusal.js';
import { connectEventStore, type EventStore } from '../../../libs/event-store/event-store.js';
import type { DemoInfo, LoadDemoOptions } from '../demo.js';
import { DAYS, planOf } from './plan.js';
import { DEMO_BUSINESS, type Step } from './step.js';

const AT_ONCE = 24; // commands
const DAY = 24 * 3_600_000;

/**
 * Makes the demo business through the real commands, on a clock of its own that moves forward through six months. Each
 * command has its idempotency key, so that a load that was killed is simply begun again.
 */
export const loadDemo = async ({ env, onProgress }: LoadDemoOptions): Promise<DemoInfo> => {
  const log = pino({ level: 'warn' });
  const pool = new Pool({ connectionString: env.DATABASE_URL, max: 4 });
  const store = connectEventStore({ url: env.EVENTSTORE_URL!, logger: log });
  const { steps, info } = planOf(await firstDay(store), env.DEMO_STRIPE_ACCOUNT);
  let now = steps[0]!.at;
  const parts = await openCommandHandling({
    ...{ store, pool, log, policies: 'api', operatorKey: env.OPERATOR_KEY!, requestHashKey: env.REQUEST_HASH_KEY! },
    clock: () => new Date(now).toISOString(),
  });
  const app = await NestFactory.createApplicationContext(CommandHandlingModule.with(parts), { logger: false });
  const commands = app.get(CommandBus);

  let done = 0;
  try {
    for (const together of byMomentAndKind(steps)) {
      now = Math.max(now, together[0]!.at);
      await fewAtOnce(together, AT_ONCE, async (step) => {
        await carryOut(commands, step);
        now += 250;
        done += 1;
        if (done % 20 === 0 || done === steps.length) onProgress(done, steps.length, step.what);
      });
    }
  } finally {
    await app.close();
    await parts.close();
    await store.dispose();
    await pool.end();
  }
  return info;
};

/** Six months before today, or the day of the load that was begun before. */
const firstDay = async (store: EventStore): Promise<number> => {
  const [created] = await store.readStream(`business-${DEMO_BUSINESS}`, { from: 0n, to: 0n });
  const begun = created ? Date.parse(created.metadata.time) : Date.now() - DAYS * DAY;
  return Math.floor(begun / DAY) * DAY;
};

/** Commands of the same moment and kind do not depend on each other. */
function* byMomentAndKind(steps: Step[]): Generator<Step[]> {
  let together: Step[] = [];
  for (const step of steps) {
    const first = together[0];
    if (first && (first.at !== step.at || first.what !== step.what)) {
      yield together;
      together = [];
    }
    together.push(step);
  }
  if (together.length > 0) yield together;
}

/** A refusal is part of the story: a package has run out, or was cancelled. */
const carryOut = async (commands: CommandBus, { command, instead }: Step): Promise<void> => {
  try {
    await commands.execute(command);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (instead) await commands.execute(instead);
  }
};
