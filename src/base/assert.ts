// Assertions that stay on in production: a failed one is a bug of ours, never a task's mistake.
// Not for expected outcomes (those are status codes) and not for host misuse (an Error names the option).

/** A broken invariant of the kernel or the hardware model. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Stops the program when `condition` is false. The data path asserts once per batch. */
export function assert(condition: boolean, message = "assertion failed"): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The end of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never, what = "state"): never {
  throw new AssertionError(`impossible ${what}: ${String(value)}`);
}
