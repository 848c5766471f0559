// V8 writes a value in one of several forms, by how it happens to keep it: an array as "dense" or as "sparse", a whole
// number as an integer or as a double, depending on what the code that made it has seen and whether it has been
// optimised. Bytes that depend on that would make two runs with one seed differ; so what can be written in two ways is
// rebuilt to be kept in one.

/** A copy of `value` of which V8 writes the same bytes however `value` is kept: arrays without holes are dense and whole
 *  numbers integers, in plain objects, arrays, maps and sets at any depth. What is in `kept`, and every other kind of
 *  object, is left as it is. */
export const canonical = (value: unknown, kept: readonly object[]): unknown =>
  rebuild(value, kept, new Map());

const rebuild = (value: unknown, kept: readonly object[], copies: Map<object, object>): unknown => {
  // "| 0" is kept as an integer by whatever code computes it.
  if (typeof value === "number") return Object.is(value | 0, value) ? value | 0 : value;
  if (typeof value !== "object" || value === null || kept.includes(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    // With a hole or with properties of its own it is more than its elements.
    if (Object.keys(value).length !== value.length) return value;
    // An array that has held undefined never becomes one of doubles.
    const copy: unknown[] = [undefined];
    copy.length = 0;
    copies.set(value, copy);
    for (const element of value) copy.push(rebuild(element, kept, copies));
    return copy;
  }
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    copies.set(value, copy);
    for (const [key, element] of value) {
      copy.set(rebuild(key, kept, copies), rebuild(element, kept, copies));
    }
    return copy;
  }
  if (value instanceof Set) {
    const copy = new Set<unknown>();
    copies.set(value, copy);
    for (const element of value) copy.add(rebuild(element, kept, copies));
    return copy;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  // A dictionary has no fields that hold doubles only; and in one "__proto__" is a key like any other.
  const copy: Record<string, unknown> = Object.create(null);
  copies.set(value, copy);
  for (const [key, element] of Object.entries(value)) copy[key] = rebuild(element, kept, copies);
  return copy;
};
