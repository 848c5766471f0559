// V8 writes an array in one of two forms, by how it happens to keep it: the same array may be "dense" while code is young
// and "sparse" once it has been optimised (map() of an optimised function keeps its result as if it had holes). Bytes
// that depend on that would make two runs with one seed differ; so arrays without holes are rebuilt to be dense.

/** A copy of `value` in which arrays without holes are dense, in plain objects and arrays at any depth. What is in
 *  `kept`, and every other kind of object, is left as it is. */
export const withDenseArrays = (value: unknown, kept: readonly object[]): unknown =>
  dense(value, kept, new Map());

const dense = (value: unknown, kept: readonly object[], copies: Map<object, object>): unknown => {
  if (typeof value !== "object" || value === null || kept.includes(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    // With a hole or with properties of its own it is more than its elements.
    if (Object.keys(value).length !== value.length) return value;
    const copy: unknown[] = [];
    copies.set(value, copy);
    for (const element of value) copy.push(dense(element, kept, copies));
    return copy;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: Record<string, unknown> = {};
  copies.set(value, copy);
  for (const [key, element] of Object.entries(value)) {
    // Defined, not set: a key may be "__proto__".
    Object.defineProperty(copy, key, {
      value: dense(element, kept, copies),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
};
