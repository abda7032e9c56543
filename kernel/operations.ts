/**
 * The operations that a layer of the decoder is made of, on vectors of 128 bits, for runs of a few tokens. AssemblyScript, compiled to
 * WebAssembly by esbuild.mjs; src/model/kernel/kernel.ts lays out the memory and says which operation follows which.
 *
 * Pointers are byte addresses, multiples of 16. Numbers of values: rows of states are multiples of 32 wide, heads of 16.
 * There are no bounds but the memory's: whoever calls has checked the shapes.
 */

/** Values that share a scale, in matrices and in what they are multiplied by. */
const BLOCK: usize = 32;

/** The largest of a block of states becomes this: its products with weights of 14 bits, summed over a block, stay below 2³¹. */
const LARGEST: f32 = 32767;

/** Sum of the four values of a vector. */
function sum(x: v128): f32 {
  const pairs = f32x4.add(x, i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The largest of the four values of a vector. */
function top(x: v128): f32 {
  const pairs = f32x4.max(x, i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return max<f32>(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** eˣ of each value: 2 to the whole part of x / ln 2, times a polynomial of the rest (Cephes); relative error 2 · 10⁻⁷. */
function exp(x: v128): v128 {
  const bounded = f32x4.max(f32x4.min(x, f32x4.splat(88)), f32x4.splat(-87));
  const whole = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.44269504088896341)));
  let rest = f32x4.sub(bounded, f32x4.mul(whole, f32x4.splat(0.693359375)));
  rest = f32x4.sub(rest, f32x4.mul(whole, f32x4.splat(-2.1219444e-4)));
  let p = f32x4.splat(1.98756915e-4);
  p = f32x4.add(f32x4.mul(p, rest), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, rest), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, rest), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, rest), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, rest), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.mul(p, f32x4.mul(rest, rest)), f32x4.add(rest, f32x4.splat(1)));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23);
  return f32x4.mul(p, exponent);
}

/** rows × n values → 16-bit whole numbers, and a scale for each block. */
export function quantise(x: usize, rows: usize, n: usize, q: usize, scales: usize): void {
  const end = x + rows * n * 4;
  while (x < end) {
    let most = f32x4.abs(v128.load(x));
    for (let i: usize = 16; i < BLOCK * 4; i += 16) most = f32x4.max(most, f32x4.abs(v128.load(x + i)));
    const largest = top(most);
    store<f32>(scales, largest / LARGEST);
    const factor = f32x4.splat(largest > 0 ? LARGEST / largest : 0);
    for (let i: usize = 0; i < BLOCK * 4; i += 32) {
      const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x + i), factor)));
      const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x + i, 16), factor)));
      v128.store(q + (i >> 1), i16x8.narrow_i32x4_s(low, high));
    }
    x += BLOCK * 4;
    q += BLOCK * 2;
    scales += 4;
  }
}

/** Eight weights of 8 or 16 bits, the `at`-th and those that follow, as 16 bits. */
function eight<Weight>(weights: usize, at: usize): v128 {
  return sizeof<Weight>() === 1 ? v128.load8x8_s(weights + at) : v128.load(weights + 2 * at);
}

/** Products of eight weights and eight states, summed in pairs. */
function dot(w: v128, q: usize, at: usize): v128 {
  return i32x4.dot_i16x8_s(w, v128.load(q + at));
}

/** Σ of one block, in four parts. */
function total(w0: v128, w1: v128, w2: v128, w3: v128, x: usize): v128 {
  const first = i32x4.add(dot(w0, x, 0), dot(w1, x, 16));
  return f32x4.convert_i32x4_s(i32x4.add(first, i32x4.add(dot(w2, x, 32), dot(w3, x, 48))));
}

/**
 * out[row][o] (+)= Σ q[row] · weights[o], for `rows` quantised rows of n values.
 * @param weights outputs × n whole numbers of `bits` each, 8 or 16, of which the latter are at most 8,191 in size;
 * `factors`, a scale for each block of theirs; outputs are even
 * @param add whether to add to what is in `out`
 */
export function multiply(
  q: usize,
  scales: usize,
  rows: usize,
  n: usize,
  weights: usize,
  bits: i32,
  factors: usize,
  outputs: usize,
  out: usize,
  add: bool,
): void {
  if (bits === 8) product<i8>(q, scales, rows, n, weights, factors, outputs, out, add);
  else product<i16>(q, scales, rows, n, weights, factors, outputs, out, add);
}

function product<Weight>(
  q: usize,
  scales: usize,
  rows: usize,
  n: usize,
  weights: usize,
  factors: usize,
  outputs: usize,
  out: usize,
  add: bool,
): void {
  const blocks = n / BLOCK;
  for (let o: usize = 0; o < outputs; o += 2) {
    const w = weights + o * n * sizeof<Weight>();
    const f = factors + o * blocks * 4;
    const to = out + o * 4;
    let row: usize = 0;
    for (; row + 2 <= rows; row += 2) {
      two<Weight>(q + row * n * 2, scales + row * blocks * 4, n, w, f, to + row * outputs * 4, outputs * 4, add);
    }
    if (row < rows) one<Weight>(q + row * n * 2, scales + row * blocks * 4, n, w, f, to + row * outputs * 4, add);
  }
}

/** Two outputs of one row. */
function one<Weight>(x: usize, s: usize, n: usize, w: usize, f: usize, to: usize, add: bool): void {
  const size = (n / BLOCK) * 4;
  const next = n * sizeof<Weight>();
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (const end = s + size; s < end; s += 4, f += 4, w += BLOCK * sizeof<Weight>(), x += BLOCK * 2) {
    const scale = v128.load32_splat(s);
    const v = w + next;
    const p = total(eight<Weight>(w, 0), eight<Weight>(w, 8), eight<Weight>(w, 16), eight<Weight>(w, 24), x);
    const r = total(eight<Weight>(v, 0), eight<Weight>(v, 8), eight<Weight>(v, 16), eight<Weight>(v, 24), x);
    a = f32x4.add(a, f32x4.mul(p, f32x4.mul(scale, v128.load32_splat(f))));
    b = f32x4.add(b, f32x4.mul(r, f32x4.mul(scale, v128.load32_splat(f + size))));
  }
  put(to, a, b, add);
}

/** Two outputs of two rows that follow one another: the weights are read once. The sums are those of `one`. */
function two<Weight>(x: usize, s: usize, n: usize, w: usize, f: usize, to: usize, below: usize, add: bool): void {
  const size = (n / BLOCK) * 4;
  const next = n * sizeof<Weight>();
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  for (const end = s + size; s < end; s += 4, f += 4, w += BLOCK * sizeof<Weight>(), x += BLOCK * 2) {
    const y = x + n * 2;
    const v = w + next;
    const first = v128.load32_splat(s);
    const second = v128.load32_splat(s + size);
    const left = v128.load32_splat(f);
    const right = v128.load32_splat(f + size);
    let w0 = eight<Weight>(w, 0);
    let w1 = eight<Weight>(w, 8);
    let w2 = eight<Weight>(w, 16);
    let w3 = eight<Weight>(w, 24);
    a = f32x4.add(a, f32x4.mul(total(w0, w1, w2, w3, x), f32x4.mul(first, left)));
    c = f32x4.add(c, f32x4.mul(total(w0, w1, w2, w3, y), f32x4.mul(second, left)));
    w0 = eight<Weight>(v, 0);
    w1 = eight<Weight>(v, 8);
    w2 = eight<Weight>(v, 16);
    w3 = eight<Weight>(v, 24);
    b = f32x4.add(b, f32x4.mul(total(w0, w1, w2, w3, x), f32x4.mul(first, right)));
    d = f32x4.add(d, f32x4.mul(total(w0, w1, w2, w3, y), f32x4.mul(second, right)));
  }
  put(to, a, b, add);
  put(to + below, c, d, add);
}

/** Stores two sums side by side. */
function put(to: usize, a: v128, b: v128, add: bool): void {
  store<f32>(to, sum(a) + (add ? load<f32>(to) : 0));
  store<f32>(to, sum(b) + (add ? load<f32>(to, 4) : 0), 4);
}

/** RMSNorm of rows × n values. */
export function normalise(x: usize, rows: usize, n: usize, weight: usize, epsilon: f32, out: usize): void {
  const bytes = n * 4;
  for (const end = x + rows * bytes; x < end; x += bytes, out += bytes) {
    let squares = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const value = v128.load(x + i);
      squares = f32x4.add(squares, f32x4.mul(value, value));
    }
    const factor = f32x4.splat(<f32>1 / sqrt<f32>(sum(squares) / <f32>n + epsilon));
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(out + i, f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(weight + i)));
    }
  }
}

/**
 * Turns the heads of each row by the angles of its position (RoPE), from `from` to `to`.
 * @param stride, toRow, toHead bytes from a row to the next in `from`, and from a row, or head, to the next in `to`
 * @param cosines, sines width / 2 values for each position, beginning with the first row's; 0: nothing is turned
 */
export function place(
  from: usize,
  stride: usize,
  rows: usize,
  heads: usize,
  width: usize,
  cosines: usize,
  sines: usize,
  to: usize,
  toRow: usize,
  toHead: usize,
): void {
  const half = width * 2;
  for (let row: usize = 0; row < rows; row++) {
    for (let head: usize = 0; head < heads; head++) {
      const x = from + row * stride + head * width * 4;
      const y = to + row * toRow + head * toHead;
      for (let i: usize = 0; i < half; i += 16) {
        const a = v128.load(x + i);
        const b = v128.load(x + half + i);
        if (cosines) {
          const c = v128.load(cosines + row * half + i);
          const s = v128.load(sines + row * half + i);
          v128.store(y + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
          v128.store(y + half + i, f32x4.add(f32x4.mul(a, s), f32x4.mul(b, c)));
        } else {
          v128.store(y + i, a);
          v128.store(y + half + i, b);
        }
      }
    }
  }
}

/**
 * Grouped-query attention of rows × heads × width queries over the tables of keys and values, [groups, room, width].
 * @param heads twice as many as groups, or any even multiple
 * @param seen keys that the first row sees
 * @param more further keys that each next row sees: 1 where rows follow one another, 0 for what has no order
 * @param scores scratch, twice as many values as the last row sees keys, and 6
 */
export function attend(
  q: usize,
  rows: usize,
  heads: usize,
  groups: usize,
  width: usize,
  keys: usize,
  values: usize,
  room: usize,
  seen: usize,
  more: usize,
  scores: usize,
  out: usize,
): void {
  const bytes = width * 4;
  const share = heads / groups;
  for (let row: usize = 0; row < rows; row++) {
    const count = seen + row * more;
    const other = scores + ((count + 3) & ~3) * 4;
    for (let head: usize = 0; head < heads; head += 2) {
      const table = (head / share) * room * bytes;
      measure(q, keys + table, bytes, count, scores, other);
      const first = soften(scores, count);
      const second = soften(other, count);
      collect(values + table, bytes, count, scores, other, first, second, out);
      q += 2 * bytes;
      out += 2 * bytes;
    }
  }
}

/** Scores of two heads that share their keys. */
function measure(q: usize, k: usize, bytes: usize, count: usize, scores: usize, other: usize): void {
  const factor: f32 = <f32>1 / sqrt<f32>(<f32>(bytes / 4));
  for (let i: usize = 0; i < count; i++, k += bytes) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let j: usize = 0; j < bytes; j += 32) {
      const low = v128.load(k + j);
      const high = v128.load(k + j, 16);
      a = f32x4.add(a, f32x4.mul(v128.load(q + j), low));
      b = f32x4.add(b, f32x4.mul(v128.load(q + j, 16), high));
      c = f32x4.add(c, f32x4.mul(v128.load(q + bytes + j), low));
      d = f32x4.add(d, f32x4.mul(v128.load(q + bytes + j, 16), high));
    }
    store<f32>(scores + i * 4, sum(f32x4.add(a, b)) * factor);
    store<f32>(other + i * 4, sum(f32x4.add(c, d)) * factor);
  }
  for (let i = count; i % 4; i++) {
    store<f32>(scores + i * 4, -Infinity);
    store<f32>(other + i * 4, -Infinity);
  }
}

/** Scores become e to the power of what they lie below the largest. @returns 1 / their sum */
function soften(scores: usize, count: usize): f32 {
  const end = scores + count * 4;
  let most = f32x4.splat(-Infinity);
  for (let at = scores; at < end; at += 16) most = f32x4.max(most, v128.load(at));
  const largest = f32x4.splat(top(most));
  let whole = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    // What is out of reach comes to 10⁻³⁸ of the largest.
    const e = exp(f32x4.sub(v128.load(at), largest));
    v128.store(at, e);
    whole = f32x4.add(whole, e);
  }
  return <f32>1 / sum(whole);
}

/** Values of two heads, weighed. */
function collect(
  values: usize,
  bytes: usize,
  count: usize,
  scores: usize,
  other: usize,
  first: f32,
  second: f32,
  out: usize,
): void {
  for (let j: usize = 0; j < bytes; j += 64) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let e = f32x4.splat(0);
    let f = f32x4.splat(0);
    let g = f32x4.splat(0);
    let h = f32x4.splat(0);
    let v = values + j;
    for (let i: usize = 0; i < count; i++, v += bytes) {
      const left = v128.load32_splat(scores + i * 4);
      const right = v128.load32_splat(other + i * 4);
      const v0 = v128.load(v);
      const v1 = v128.load(v, 16);
      const v2 = v128.load(v, 32);
      const v3 = v128.load(v, 48);
      a = f32x4.add(a, f32x4.mul(left, v0));
      b = f32x4.add(b, f32x4.mul(left, v1));
      c = f32x4.add(c, f32x4.mul(left, v2));
      d = f32x4.add(d, f32x4.mul(left, v3));
      e = f32x4.add(e, f32x4.mul(right, v0));
      f = f32x4.add(f, f32x4.mul(right, v1));
      g = f32x4.add(g, f32x4.mul(right, v2));
      h = f32x4.add(h, f32x4.mul(right, v3));
    }
    write(out + j, a, b, c, d, first);
    write(out + bytes + j, e, f, g, h, second);
  }
}

/** Stores sixteen values, each times a factor. */
function write(out: usize, a: v128, b: v128, c: v128, d: v128, by: f32): void {
  const factor = f32x4.splat(by);
  v128.store(out, f32x4.mul(a, factor));
  v128.store(out, f32x4.mul(b, factor), 16);
  v128.store(out, f32x4.mul(c, factor), 32);
  v128.store(out, f32x4.mul(d, factor), 48);
}

/** SwiGLU: silu(gate) · up of rows whose gate and up lie side by side, n values each. */
export function gate(x: usize, rows: usize, n: usize, out: usize): void {
  const bytes = n * 4;
  for (const end = x + rows * bytes * 2; x < end; x += 2 * bytes, out += bytes) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const value = v128.load(x + i);
      const silu = f32x4.div(value, f32x4.add(f32x4.splat(1), exp(f32x4.neg(value))));
      v128.store(out + i, f32x4.mul(silu, v128.load(x + bytes + i)));
    }
  }
}
