// expect(…).toBe(…) for inner loops: what expect() prepares for the case of a failure would be most of the time of a random test.

import { expect } from "@jest/globals";

export const expectSame = (actual: unknown, expected: unknown): void => {
  if (!Object.is(actual, expected)) expect(actual).toBe(expected);
};
