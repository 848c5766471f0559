// Numbers on the command line: "12" is one, "12x", "1e9" and "" are not.

import { InvalidArgumentError } from "commander";

/** A commander argument parser for a whole number; the message names the range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
