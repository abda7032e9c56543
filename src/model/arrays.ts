/** bfloat16 of float32: the upper half of each, rounded to the nearest. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const whole = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(whole, (bits) => (bits + 0x8000) >>> 16);
}

/** The same back. */
export function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
}

/** Several arrays as one, in their order. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
