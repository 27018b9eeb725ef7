import { v5 as uuidv5 } from 'uuid';
import type { AnyEvent, Metadata, Recorded } from '../../domain/kernel/event.js';

const business = '3f0c7c1e-6f0e-4c52-9d7e-6f4c3a1b2c3d';

/** A history as it comes back from the store: position and revision count up from the first, a second lies between two events. */
export const recorded = <Event extends AnyEvent>(
  events: readonly Event[],
  { first = 1n, metadata = {} }: { first?: bigint; metadata?: Partial<Metadata> } = {},
): Recorded<Event>[] =>
  events.map((event, index) => {
    const position = first + BigInt(index);
    const id = uuidv5(String(position), business);
    return {
      ...event,
      id,
      stream: 'package-recorded',
      revision: position - 1n,
      position,
      metadata: {
        business,
        actor: { id: 'rita', role: 'receptionist' },
        commandId: id,
        $correlationId: id,
        $causationId: id,
        time: new Date(Date.UTC(2027, 0, 1) + Number(position) * 1000).toISOString(),
        version: 1,
        hash: ''.padStart(64, '0'),
        ...metadata,
      },
    };
  });
