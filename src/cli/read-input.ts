// What people give commands besides numbers and names: documents on the command line or in files. What is wrong with them is bad
// usage.

import { readFileSync } from "node:fs";
import { OptionError } from "../config/option-error.ts";
import { PlanError } from "../stress/plan.ts";
import { UsageError } from "./exit-code.ts";

/** The text of a file that an option names. Throws UsageError. */
export const readText = (path: string, option: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${option}: cannot read ${path} (${(error as { code?: string }).code})`);
  }
};

/** A JSON object as it is given, or the text of the file of that name. Throws UsageError. */
export const textOrFile = (text: string, option: string): string =>
  text.trimStart().startsWith("{") ? text : readText(text, option);

/** Throws UsageError. */
export const parseJson = (text: string, option: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${option} must be a JSON document: ${(error as Error).message}`);
  }
};

/** Runs `work`; what is wrong with options or a plan is bad usage. */
export const asUsage = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw usageOf(error);
  }
};

/** The same error, as bad usage if it is one of options or of a plan. */
export const usageOf = (error: unknown): unknown =>
  error instanceof PlanError || error instanceof OptionError
    ? new UsageError(error.message)
    : error;
