// Seeds, as the command line takes them: whole numbers of 64 bits.
const kLargest = 2n ** 64n - 1n;

/** The seed in a field, or null when there is none; then the field says so. */
export function readSeed(field) {
  const digits = field.value.trim();
  const good = /^\d{1,20}$/.test(digits) && BigInt(digits) <= kLargest;
  field.setCustomValidity(good ? "" : `A seed is a whole number from 0 to ${kLargest}.`);
  field.setAttribute("aria-invalid", !good);
  return good ? BigInt(digits) : null;
}

export function randomSeed() { return String(crypto.getRandomValues(new Uint16Array(1))[0]); }
