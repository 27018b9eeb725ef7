// Arrays in Postgres's binary format, so that a batch of any size is one prepared statement and bytes stay bytes.

const oid = { bool: 16, bytea: 17, int8: 20, text: 25, uuid: 2950 } as const;

interface ElementType<T> {
  oid: number;
  size(value: T): number;
  write(value: T, into: Buffer, at: number): void;
}

const int8: ElementType<bigint> = { oid: oid.int8, size: () => 8, write: (value, into, at) => into.writeBigInt64BE(value, at) };
const bool: ElementType<boolean> = { oid: oid.bool, size: () => 1, write: (value, into, at) => into.writeUInt8(value ? 1 : 0, at) };
const text: ElementType<string> = {
  oid: oid.text,
  size: (value) => Buffer.byteLength(value),
  write: (value, into, at) => into.write(value, at),
};
const uuid: ElementType<string> = {
  oid: oid.uuid,
  size: () => 16,
  write: (value, into, at) => into.write(value.replaceAll('-', ''), at, 'hex'),
};
const bytea: ElementType<Uint8Array> = { oid: oid.bytea, size: (value) => value.length, write: (value, into, at) => into.set(value, at) };

const headerLength = 20;

const encode =
  <T>(type: ElementType<T>) =>
  (values: readonly T[]): Buffer => {
    const sizes = values.map(type.size);
    const buffer = Buffer.allocUnsafe(sizes.reduce((total, size) => total + 4 + size, headerLength));
    buffer.writeInt32BE(1, 0); // dimensions
    buffer.writeInt32BE(0, 4); // no nulls
    buffer.writeInt32BE(type.oid, 8);
    buffer.writeInt32BE(values.length, 12);
    buffer.writeInt32BE(1, 16); // lower bound
    let at = headerLength;
    values.forEach((value, index) => {
      const size = sizes[index]!;
      buffer.writeInt32BE(size, at);
      type.write(value, buffer, at + 4);
      at += 4 + size;
    });
    return buffer;
  };

export const pgArray = { int8: encode(int8), bool: encode(bool), text: encode(text), uuid: encode(uuid), bytea: encode(bytea) };
