import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { pino } from 'pino';
import { CommandHandlingModule } from '../../libs/command-handling/command-bus.js';
import { openCommandHandling } from '../../libs/command-handling/command-handling.js';
import type { Parts } from '../../libs/command-handling/operation.js';
import type { EventStore } from '../../libs/event-store/event-store.js';
import type { Fleet } from './fleet.js';

// A process that dies at one of its appends, without a process: from then on its store answers nothing. It starts at once,
// so that every append can be tried.

export interface Death {
  at: number; // which append, from 1
  when: 'before' | 'after'; // it is sent, or it was acknowledged
}

export interface Mortal {
  parts: Parts;
  commands: CommandBus;
  /** What it came to; undefined: it died over it. */
  does<Done>(work: () => Promise<Done>): Promise<Done | undefined>;
  appends(): number; // that it has made
  close(): Promise<void>;
}

const never = <Answer>(): Promise<Answer> => new Promise<Answer>(() => undefined);

/** Carries out commands like an API with POLICIES=api, beside a fleet. `ahead`: ms by which its clock is. */
export const openMortal = async (
  { reader: { store }, pool, secrets }: Pick<Fleet, 'reader' | 'pool' | 'secrets'>,
  { death, ahead = 0 }: { death?: Death; ahead?: number } = {},
): Promise<Mortal> => {
  let appends = 0;
  let die!: () => void;
  let isDead = false;
  const died = new Promise<undefined>((resolve) => {
    die = () => {
      isDead = true;
      resolve(undefined);
    };
  });
  const dieIf = (nth: number, when: Death['when']): void => {
    if (nth === death?.at && when === death.when) die();
  };
  const mortal: EventStore = {
    ...store,
    append: async (...append) => {
      if (isDead) return never();
      const nth = ++appends;
      dieIf(nth, 'before');
      if (isDead) return never();
      const appended = await store.append(...append);
      dieIf(nth, 'after');
      return isDead ? never() : appended;
    },
    readStream: (...read) => (isDead ? never() : store.readStream(...read)),
    lastPosition: () => (isDead ? never() : store.lastPosition()),
  };
  const parts = await openCommandHandling({
    ...{ store: mortal, pool, policies: 'api', log: pino({ level: 'silent' }), ...secrets },
    clock: () => new Date(Date.now() + ahead).toISOString(),
  });
  const app = await NestFactory.createApplicationContext(CommandHandlingModule.with(parts), { logger: false });
  return {
    ...{ parts, commands: app.get(CommandBus) },
    does: (work) => Promise.race([work(), died]),
    appends: () => appends,
    close: async () => {
      await app.close();
      await parts.close();
    },
  };
};
