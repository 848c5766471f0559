// Exit codes of every command, and the error that carries one to main.ts.

export const EXIT_GOOD = 0;
/** A check failed: the machine worked and the answer is no. */
export const EXIT_CHECK_FAILED = 1;
export const EXIT_BAD_USAGE = 2;
/** Something of ours broke. */
export const EXIT_CRASH = 3;
/** Nothing broke, but nothing moved either. */
export const EXIT_NO_PROGRESS = 4;

export type ExitCode =
  | typeof EXIT_GOOD
  | typeof EXIT_CHECK_FAILED
  | typeof EXIT_BAD_USAGE
  | typeof EXIT_CRASH
  | typeof EXIT_NO_PROGRESS;

/** The caller asked for something that does not exist; the message names the option and the range. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
