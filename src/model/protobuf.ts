/** One field of a Protocol Buffers message: a whole number, or the bytes of a text, a message or packed numbers. */
export type Field = { readonly number: number } & ({ readonly value: bigint } | { readonly bytes: Uint8Array });

/** No field number of a schema is larger than this. */
const MAX_FIELD = 2n ** 29n - 1n;

/**
 * The fields of a message in the order in which they are written. Fixed-width numbers are skipped.
 * @throws Error where the bytes are not a message
 */
export function* fields(message: Uint8Array): Generator<Field> {
  let at = 0;
  const number = (): bigint => {
    const read = varint(message, at);
    at = read.end;
    return read.value;
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw new Error('a field is longer than its message');
    const bytes = message.subarray(at, at + length);
    at += length;
    return bytes;
  };
  while (at < message.length) {
    const key = number();
    const field = key >> 3n;
    if (field < 1n || field > MAX_FIELD) throw new Error(`field ${field} cannot be`);
    switch (Number(key & 7n)) {
      case 0:
        yield { number: Number(field), value: number() };
        break;
      case 1:
        take(8);
        break;
      case 2:
        yield { number: Number(field), bytes: take(Number(number())) };
        break;
      case 5:
        take(4);
        break;
      default:
        throw new Error(`field ${field} has wire type ${key & 7n}`);
    }
  }
}

/** The whole numbers of a packed field. @throws Error where it ends within a number */
export function* packed(bytes: Uint8Array): Generator<bigint> {
  for (let at = 0; at < bytes.length;) {
    const { value, end } = varint(bytes, at);
    at = end;
    yield value;
  }
}

/** A number in base 128, as its 64 bits without sign. */
function varint(bytes: Uint8Array, start: number): { value: bigint; end: number } {
  let value = 0n;
  for (let at = start; at < start + 10; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error('it ends within a number');
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start));
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + 1 };
  }
  throw new Error('a number is longer than ten bytes');
}
