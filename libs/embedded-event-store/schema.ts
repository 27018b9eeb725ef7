/** Bump when the tables change; an older one is migrated, a newer one is refused. */
const schemaVersion = 1;

/**
 * One table is the log. Everything else follows from it: heads, metadata and `$all` are index look-ups, so that an
 * append is one insert and the store has nothing to repair after a crash. Names compare by bytes (collation "C").
 */
export const schemaSql = `
  CREATE SCHEMA IF NOT EXISTS event_store;
  CREATE TABLE IF NOT EXISTS event_store.about (
    store_id uuid NOT NULL,
    schema_version integer NOT NULL CHECK (schema_version = ${schemaVersion})
  );
  INSERT INTO event_store.about SELECT gen_random_uuid(), ${schemaVersion} WHERE NOT EXISTS (SELECT FROM event_store.about);
  CREATE TABLE IF NOT EXISTS event_store.events (
    position bigint PRIMARY KEY,
    revision bigint NOT NULL,
    created bigint NOT NULL,
    id uuid NOT NULL,
    is_json boolean NOT NULL,
    stream text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    data bytea NOT NULL,
    metadata bytea NOT NULL,
    UNIQUE (stream, revision)
  );
`;

/** Held by the one process that may append; a number of no meaning, the same in every version. */
export const writerLock = 4_705_831_125;
