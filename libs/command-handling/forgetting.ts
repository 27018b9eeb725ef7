import type { PersonalKeys } from '../event-store/personal-keys.js';
import type { Claims } from './claims.js';

const IN_FLIGHT = 10_000; // ms in which what was being decided when a person was forgotten may be kept in memory once more

/** What makes it true that a person is forgotten, once the event says so. Doing it again does no harm. */
export class Forgetting {
  constructor(
    private readonly keys: Pick<PersonalKeys, 'forget' | 'forgotten'>,
    private readonly claims: Pick<Claims, 'forget'>,
    private readonly dropStates: () => void,
  ) {}

  /** Deletes the key, and what is kept of answers. The read models follow from the event. */
  async forget(personId: string): Promise<void> {
    this.heard(personId);
    await this.keys.forget(personId);
    await this.claims.forget(personId);
  }

  /** Somebody was forgotten, here or by another process: whatever states this process has in memory may speak of them. */
  heard(personId: string): void {
    this.keys.forgotten(personId);
    this.dropStates();
    setTimeout(() => this.dropStates(), IN_FLIGHT).unref();
  }
}
