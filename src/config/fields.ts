// What the fields of options can be, and what is said of one that is something else. For every schema of options.

import * as z from "zod";
import { isPowerOfTwo } from "../base/words.ts";

export const ranged = (min: number, max: number, error: string) =>
  z.number({ error }).min(min, { error }).max(max, { error });

export const real = (min: number, max: number) =>
  ranged(min, max, `it must be a number from ${min} to ${max}`);

export const integer = (min: number, max: number) => {
  const error = `it must be an integer from ${min} to ${max}`;
  return ranged(min, max, error).int({ error });
};

export const powerOfTwo = (min: number, max: number) => {
  const error = `it must be a power of two from ${min} to ${max}`;
  return ranged(min, max, error).int({ error }).refine(isPowerOfTwo, { error });
};

export const shortText = (max: number) => {
  const error = `it must be a text of 1 to ${max} characters`;
  return z.string({ error }).min(1, { error }).max(max, { error });
};

/** The longest time that an option can tell, ns. */
export const NS_MAX = 1e10;

export const aSeed = integer(0, Number.MAX_SAFE_INTEGER);
export const aCount = integer(1, Number.MAX_SAFE_INTEGER);

/** A sentence for each thing that is wrong, once. `what`: what the fields are called: "option". */
export const describeIssues = (error: z.ZodError, what: string): string =>
  [...new Set(error.issues.map((issue) => describeIssue(issue, what)))].join("; ");

const describeIssue = (issue: z.core.$ZodIssue, what: string): string => {
  const path = issue.path.join(".");
  const option = path === "" ? `${what}s` : `${what} ${path}`;
  switch (issue.code) {
    case "unrecognized_keys": {
      const keys = issue.keys.map((key) => (path === "" ? key : `${path}.${key}`));
      return `unknown ${what} ${keys.join(", ")}`;
    }
    case "invalid_value":
      return `${option} is ${show(issue.input)}; it must be one of ${issue.values.map(show).join(", ")}`;
    case "invalid_type": {
      const type = TYPE_NAMES[issue.expected];
      if (type === undefined) break; // numbers and tuples say it themselves
      return `${option} is ${show(issue.input)}; it must be ${type}`;
    }
  }
  return `${option} is ${show(issue.input)}; ${issue.message}`;
};

const TYPE_NAMES: Record<string, string> = {
  object: "an object",
  boolean: "true or false",
  array: "an array",
};

/** A value as a message shows it. */
export const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  return String(value);
};
