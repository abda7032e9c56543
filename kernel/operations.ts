/**
 * The operations that a layer of the decoder is made of, on vectors of 128 bits, for runs of a few tokens. AssemblyScript, compiled to
 * WebAssembly by esbuild.mjs; src/model/kernel/kernel.ts lays out the memory and says which operation follows which.
 *
 * Pointers are byte addresses, multiples of 16. Numbers of values: rows of states are multiples of 32 wide, heads of 16.
 * There are no bounds but the memory's: whoever calls has checked the shapes.
 */

/** Values that share a scale, in matrices and in the states that they multiply. */
const BLOCK: usize = 32;

/** Tokens whose values are summed in whole numbers. */
const SUMMED: usize = 16;

/** The largest weight of a token's values becomes this: times 8,191, which no value exceeds, and summed, it stays below 2³¹. */
const MAX_WEIGHT: f32 = 16383;

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

/** Eight values times a factor, as 16-bit whole numbers. Added to 1.5 · 2²³ a float has space for nothing but whole numbers. */
function rounded(x: usize, factor: v128): v128 {
  const shift = f32x4.splat(12582912);
  const low = f32x4.add(f32x4.mul(v128.load(x), factor), shift);
  const high = f32x4.add(f32x4.mul(v128.load(x, 16), factor), shift);
  return i16x8.narrow_i32x4_s(i32x4.sub(low, shift), i32x4.sub(high, shift));
}

/** The largest size of n values, a multiple of 8. */
function size(x: usize, n: usize): f32 {
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  for (let i: usize = 0; i < n * 4; i += 32) {
    even = f32x4.max(even, f32x4.abs(v128.load(x + i)));
    odd = f32x4.max(odd, f32x4.abs(v128.load(x + i, 16)));
  }
  return top(f32x4.max(even, odd));
}

/** Stores the scale of values of which the largest becomes `largest`. @returns what they are to be multiplied by */
function scaled(highest: f32, largest: f32, scale: usize): v128 {
  store<f32>(scale, highest / largest);
  return f32x4.splat(highest > 0 ? largest / highest : 0);
}

/**
 * Values → 16-bit whole numbers, and a scale for each block of them.
 * @param block values that share a scale, a multiple of 8
 * @param largest what the largest of a block becomes
 */
export function quantise(x: usize, count: usize, block: usize, largest: f32, q: usize, scales: usize): void {
  for (const end = x + count * 4; x < end; scales += 4) {
    const factor = scaled(size(x, block), largest, scales);
    for (let i: usize = 0; i < block; i += 8, x += 32, q += 16) v128.store(q, rounded(x, factor));
  }
}

/**
 * Rows of values, from token `at` on, into a table in which two tokens that follow one another lie interleaved, [capacity / 2,
 * width, 2], as whole numbers; and their scales, [capacity].
 * @param largest what the largest of a row becomes
 */
export function interleave(
  x: usize,
  rows: usize,
  width: usize,
  at: usize,
  largest: f32,
  table: usize,
  scales: usize,
): void {
  for (const end = at + rows; at < end; at++) {
    const factor = scaled(size(x, width), largest, scales + at * 4);
    let to = table + (at >> 1) * width * 4 + (at & 1) * 2;
    for (let i: usize = 0; i < width; i += 8, x += 32, to += 32) {
      const eight = rounded(x, factor);
      v128.store_lane<i16>(to, eight, 0);
      v128.store_lane<i16>(to, eight, 1, 4);
      v128.store_lane<i16>(to, eight, 2, 8);
      v128.store_lane<i16>(to, eight, 3, 12);
      v128.store_lane<i16>(to, eight, 4, 16);
      v128.store_lane<i16>(to, eight, 5, 20);
      v128.store_lane<i16>(to, eight, 6, 24);
      v128.store_lane<i16>(to, eight, 7, 28);
    }
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
 * Grouped-query attention of rows × heads × width queries over tables of keys, [groups, capacity, width], and of values,
 * [groups, capacity / 2, width, 2], all of whole numbers, with a scale a query head and a token. The sums over width of a query times a
 * key, and over 16 tokens of a weight times a value, must stay below 2³¹.
 * @param heads twice as many as groups, or any even multiple
 * @param capacity tokens of a table, a multiple of 16
 * @param seen keys that the first row sees; each next one sees one more
 * @param scratch 13 bytes for each token of a table
 */
export function attend(
  q: usize,
  scales: usize,
  rows: usize,
  heads: usize,
  groups: usize,
  width: usize,
  keys: usize,
  keyScales: usize,
  values: usize,
  valueScales: usize,
  capacity: usize,
  seen: usize,
  scratch: usize,
  out: usize,
): void {
  const share = heads / groups;
  const other = scratch + capacity * 4;
  const weights = other + capacity * 4;
  const factors = weights + capacity * 4;
  const even = <f32>1 / sqrt<f32>(<f32>width);
  for (let row: usize = 0; row < rows; row++) {
    const count = seen + row;
    for (let head: usize = 0; head < heads; head += 2) {
      const start = (head / share) * capacity;
      const table = start * width * 2;
      const k = keyScales + start * 4;
      const v = valueScales + start * 4;
      measure(q, keys + table, width, count, k, even * load<f32>(scales), even * load<f32>(scales, 4), scratch, other);
      const first = soften(scratch, count);
      const second = soften(other, count);
      weigh(scratch, count, v, weights, factors);
      weigh(other, count, v, weights + capacity * 2, factors + capacity / 4);
      collect(values + table, width, count, weights, capacity * 2, factors, capacity / 4, first, second, out);
      q += width * 4;
      scales += 8;
      out += width * 8;
    }
  }
}

/** The sums of four vectors. */
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const left = f32x4.add(
    i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23),
    i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31),
  );
  const right = f32x4.add(
    i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23),
    i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31),
  );
  return f32x4.add(
    i8x16.shuffle(left, right, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
    i8x16.shuffle(left, right, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31),
  );
}

/** Scores of two heads that share their keys, four keys at a time; −∞ up to a multiple of 16. */
function measure(
  q: usize,
  k: usize,
  width: usize,
  count: usize,
  keyScales: usize,
  first: f32,
  second: f32,
  scores: usize,
  other: usize,
): void {
  const row = width * 2;
  for (let i: usize = 0; i < count; i += 4, k += 4 * row) {
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    let c = i32x4.splat(0);
    let d = i32x4.splat(0);
    let e = i32x4.splat(0);
    let f = i32x4.splat(0);
    let g = i32x4.splat(0);
    let h = i32x4.splat(0);
    for (let j: usize = 0; j < row; j += 16) {
      const x = v128.load(q + j);
      const y = v128.load(q + row + j);
      const k0 = v128.load(k + j);
      const k1 = v128.load(k + row + j);
      const k2 = v128.load(k + 2 * row + j);
      const k3 = v128.load(k + 3 * row + j);
      a = i32x4.add(a, i32x4.dot_i16x8_s(k0, x));
      b = i32x4.add(b, i32x4.dot_i16x8_s(k1, x));
      c = i32x4.add(c, i32x4.dot_i16x8_s(k2, x));
      d = i32x4.add(d, i32x4.dot_i16x8_s(k3, x));
      e = i32x4.add(e, i32x4.dot_i16x8_s(k0, y));
      f = i32x4.add(f, i32x4.dot_i16x8_s(k1, y));
      g = i32x4.add(g, i32x4.dot_i16x8_s(k2, y));
      h = i32x4.add(h, i32x4.dot_i16x8_s(k3, y));
    }
    const scale = v128.load(keyScales + i * 4);
    v128.store(scores + i * 4, f32x4.mul(f32x4.mul(floats(a, b, c, d), scale), f32x4.splat(first)));
    v128.store(other + i * 4, f32x4.mul(f32x4.mul(floats(e, f, g, h), scale), f32x4.splat(second)));
  }
  for (let i = count; i % SUMMED; i++) {
    store<f32>(scores + i * 4, -Infinity);
    store<f32>(other + i * 4, -Infinity);
  }
}

/** The sums of four vectors of whole numbers. */
function floats(a: v128, b: v128, c: v128, d: v128): v128 {
  return sums(f32x4.convert_i32x4_s(a), f32x4.convert_i32x4_s(b), f32x4.convert_i32x4_s(c), f32x4.convert_i32x4_s(d));
}

/** Scores become e to the power of what they lie below the largest. @returns 1 / their sum */
function soften(scores: usize, count: usize): f32 {
  const end = scores + count * 4;
  let highest = f32x4.splat(-Infinity);
  for (let at = scores; at < end; at += 16) highest = f32x4.max(highest, v128.load(at));
  const largest = f32x4.splat(top(highest));
  let whole = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    // What is out of reach comes to 10⁻²⁶ of the largest: less would be denormal once it is scaled, which is slow.
    const e = exp(f32x4.max(f32x4.sub(v128.load(at), largest), f32x4.splat(-60)));
    v128.store(at, e);
    whole = f32x4.add(whole, e);
  }
  return <f32>1 / sum(whole);
}

/** Tokens' weights times the scales of their values, as whole numbers, and a factor for each 16 of them. */
function weigh(scores: usize, count: usize, valueScales: usize, weights: usize, factors: usize): void {
  for (let i: usize = 0; i < count; i += SUMMED, scores += 64, valueScales += 64, weights += 32, factors += 4) {
    let highest = f32x4.splat(0);
    for (let j: usize = 0; j < 64; j += 16) {
      // What lies behind the last token was never scored.
      const known = i + j / 4 < count ? v128.load(scores + j) : f32x4.splat(0);
      const weight = f32x4.mul(known, v128.load(valueScales + j));
      v128.store(scores + j, weight);
      highest = f32x4.max(highest, weight);
    }
    const factor = scaled(top(highest), MAX_WEIGHT, factors);
    v128.store(weights, rounded(scores, factor));
    v128.store(weights, rounded(scores + 32, factor), 16);
  }
}

/** Values of two heads, weighed; what belongs to the second lies `next` and `behind` bytes further. */
function collect(
  values: usize,
  width: usize,
  count: usize,
  weights: usize,
  next: usize,
  factors: usize,
  behind: usize,
  first: f32,
  second: f32,
  out: usize,
): void {
  const bytes = width * 4;
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
    let w = weights;
    for (let i: usize = 0; i < count; i += SUMMED) {
      let i0 = i32x4.splat(0);
      let i1 = i32x4.splat(0);
      let i2 = i32x4.splat(0);
      let i3 = i32x4.splat(0);
      let i4 = i32x4.splat(0);
      let i5 = i32x4.splat(0);
      let i6 = i32x4.splat(0);
      let i7 = i32x4.splat(0);
      for (const end = w + SUMMED * 2; w < end; w += 4, v += bytes) {
        const left = v128.load32_splat(w);
        const right = v128.load32_splat(w + next);
        const v0 = v128.load(v);
        const v1 = v128.load(v, 16);
        const v2 = v128.load(v, 32);
        const v3 = v128.load(v, 48);
        i0 = i32x4.add(i0, i32x4.dot_i16x8_s(v0, left));
        i1 = i32x4.add(i1, i32x4.dot_i16x8_s(v1, left));
        i2 = i32x4.add(i2, i32x4.dot_i16x8_s(v2, left));
        i3 = i32x4.add(i3, i32x4.dot_i16x8_s(v3, left));
        i4 = i32x4.add(i4, i32x4.dot_i16x8_s(v0, right));
        i5 = i32x4.add(i5, i32x4.dot_i16x8_s(v1, right));
        i6 = i32x4.add(i6, i32x4.dot_i16x8_s(v2, right));
        i7 = i32x4.add(i7, i32x4.dot_i16x8_s(v3, right));
      }
      const factor = v128.load32_splat(factors + i / 4);
      const other = v128.load32_splat(factors + behind + i / 4);
      a = f32x4.add(a, f32x4.mul(f32x4.convert_i32x4_s(i0), factor));
      b = f32x4.add(b, f32x4.mul(f32x4.convert_i32x4_s(i1), factor));
      c = f32x4.add(c, f32x4.mul(f32x4.convert_i32x4_s(i2), factor));
      d = f32x4.add(d, f32x4.mul(f32x4.convert_i32x4_s(i3), factor));
      e = f32x4.add(e, f32x4.mul(f32x4.convert_i32x4_s(i4), other));
      f = f32x4.add(f, f32x4.mul(f32x4.convert_i32x4_s(i5), other));
      g = f32x4.add(g, f32x4.mul(f32x4.convert_i32x4_s(i6), other));
      h = f32x4.add(h, f32x4.mul(f32x4.convert_i32x4_s(i7), other));
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

/**
 * Adds to out, rows × n, what a thought makes of rows × n values: out[row] += Σ (x[row] · features[j] − means[j]) · z[j].
 * @param features, z both count × n
 */
export function think(
  x: usize,
  rows: usize,
  n: usize,
  features: usize,
  means: usize,
  count: usize,
  z: usize,
  out: usize,
): void {
  const bytes = n * 4;
  for (const end = x + rows * bytes; x < end; x += bytes, out += bytes) {
    for (let j: usize = 0; j < count; j++) {
      let even = f32x4.splat(0);
      let odd = f32x4.splat(0);
      for (let i: usize = 0, f = features + j * bytes; i < bytes; i += 32, f += 32) {
        even = f32x4.add(even, f32x4.mul(v128.load(x + i), v128.load(f)));
        odd = f32x4.add(odd, f32x4.mul(v128.load(x + i, 16), v128.load(f, 16)));
      }
      const value = f32x4.splat(sum(f32x4.add(even, odd)) - load<f32>(means + j * 4));
      for (let i: usize = 0, own = z + j * bytes; i < bytes; i += 16) {
        v128.store(out + i, f32x4.add(v128.load(out + i), f32x4.mul(value, v128.load(own + i))));
      }
    }
  }
}

/** Products of a vector with rows, all of `n` whole numbers of 8 bits, a multiple of 16: `count` sums of 32 bits. */
export function products(x: usize, rows: usize, count: usize, n: usize, out: usize): void {
  for (let row: usize = 0; row < count; row++) {
    let sums = i32x4.splat(0);
    for (let i: usize = 0; i < n; i += 16) {
      const a = v128.load(x + i);
      const b = v128.load(rows + i);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(a), i16x8.extend_low_i8x16_s(b)));
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(a), i16x8.extend_high_i8x16_s(b)));
    }
    store<i32>(
      out + row * 4,
      i32x4.extract_lane(sums, 0) +
        i32x4.extract_lane(sums, 1) +
        i32x4.extract_lane(sums, 2) +
        i32x4.extract_lane(sums, 3),
    );
    rows += n;
  }
}
