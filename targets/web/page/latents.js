// Arithmetic on latents: walks between two of them, and planes through one.

/** The way from `from` to `to` at 0 <= part <= 1 along the sphere, where the latents of a normal prior lie. */
export function slerp(from, to, part) {
  const lengths = [length(from), length(to)];
  const product = lengths[0] * lengths[1];
  const angle = product > 0 ? Math.acos(Math.min(1, Math.max(-1, dot(from, to) / product))) : 0;
  if (Math.sin(angle) < 1e-3) return lerp(from, to, part);
  // The direction turns evenly, the length goes evenly from one to the other.
  const scale = (lengths[0] * (1 - part) + lengths[1] * part) / Math.sin(angle);
  const first = (scale * Math.sin((1 - part) * angle)) / lengths[0];
  const second = (scale * Math.sin(part * angle)) / lengths[1];
  return from.map((value, index) => first * value + second * to[index]);
}

export function lerp(from, to, part) {
  return from.map((value, index) => (1 - part) * value + part * to[index]);
}

/** Two orthonormal directions: the axes of a latent of two numbers, else random ones, the same for the same seed. */
export function directions(size, seed) {
  if (size === 2) return [Float32Array.of(1, 0), Float32Array.of(0, 1)];
  const random = randomNormals(seed);
  const first = normalized(Float32Array.from({length: size}, random));
  const other = Float32Array.from({length: size}, random);
  const along = dot(first, other);
  return [first, normalized(other.map((value, index) => value - along * first[index]))];
}

/** base + a * directions[0] + b * directions[1] */
export function onPlane(base, [first, second], a, b) {
  return base.map((value, index) => value + a * first[index] + b * second[index]);
}

function dot(a, b) { return a.reduce((sum, value, index) => sum + value * b[index], 0); }
function length(a) { return Math.sqrt(dot(a, a)); }
function normalized(a) {
  const size = length(a);
  return size > 0 ? a.map((value) => value / size) : a; // a latent of one number has no second direction
}

/** Normal numbers from a small generator (mulberry32 and Box-Muller); directions need no better one. */
function randomNormals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 1) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
