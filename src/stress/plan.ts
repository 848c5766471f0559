// The plan of a stress run: plain JSON that says everything a run depends on. A plan that was written down is the run
// that it came from, once more: packet by packet in simulation, as nearly as threads allow otherwise.
//   parsePlan   a text or a value from elsewhere; throws PlanError, which names the field
//   makePlan    the same of what a program gives, with defaults for what it leaves out

import * as z from "zod";
import { NS_PER_S } from "../base/clock.ts";
import { VERSION } from "../base/version.ts";
import { describeIssues, integer, show } from "../config/fields.ts";
import { type MachineOptionsInput, parseMachineOptions } from "../config/machine-options.ts";
import { OptionError } from "../config/option-error.ts";
import { WORKLOADS } from "./workloads.ts";

export const PLAN_SCHEMA = "normacube.plan/1";

/** A plan that is malformed, or of another version; the message names the field and what is allowed. */
export class PlanError extends Error {
  override readonly name = "PlanError";
}

const DAY_MS = 86_400_000;

const SHARE = "it must be a share from 0 to 1, or null";

const workloadSchema = z.strictObject({
  /** One of WORKLOADS; or whatever `module` is to be called. */
  name: z.string({ error: "it must be a text" }),
  /** Steps that each of its programs does. */
  steps: integer(1, Number.MAX_SAFE_INTEGER),
  /** Its programs on each node. */
  programsPerNode: integer(1, 64).default(1),
  /** Address of a program module, for a workload that is not one of WORKLOADS. */
  module: z.url({ error: "it must be the address (URL) of a module" }).optional(),
});

const schema = z.strictObject({
  schema: z.literal(PLAN_SCHEMA),
  version: z.literal(VERSION),
  workloads: z
    .array(workloadSchema, { error: "it must be an array of workloads" })
    .min(1, { error: "it must have at least one workload" }),
  /** Options of the machine, its seed among them. */
  machine: z.custom<MachineOptionsInput>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    { error: "it must be an object, the options of a machine" },
  ),
  /** Share of the work after which faults stop; null: they do not. */
  healAfter: z
    .number({ error: SHARE })
    .min(0, { error: SHARE })
    .max(1, { error: SHARE })
    .nullable()
    .default(null),
  /** Machine time after which no further step is begun, ms; null: there is none. */
  limitMs: integer(1, DAY_MS).nullable().default(null),
  /** Without progress for so long a run is stuck: of real time in threads, of virtual time in simulation. */
  stuckAfterMs: integer(1, DAY_MS).default(20_000),
  stuckAfterNs: integer(1, Number.MAX_SAFE_INTEGER).default(60 * NS_PER_S),
});

export type StressPlan = z.output<typeof schema>;
export type PlannedWorkload = StressPlan["workloads"][number];
/** What a plan may leave out. */
export type StressPlanInput = Omit<z.input<typeof schema>, "schema" | "version">;

/** A checked plan, defaults filled in. Throws PlanError. */
export const makePlan = (input: StressPlanInput): StressPlan =>
  parsePlan({ ...input, schema: PLAN_SCHEMA, version: VERSION });

/** A checked plan from a text or a value. Throws PlanError. */
export const parsePlan = (from: unknown): StressPlan => {
  const value = typeof from === "string" ? fromText(from) : from;
  checkOrigin(value);
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) {
    throw new PlanError(`plan: ${describeIssues(parsed.error, "field")}`);
  }
  const plan = parsed.data;
  for (const [i, { name, module }] of plan.workloads.entries()) {
    if (module !== undefined || WORKLOADS.has(name)) continue;
    const known = [...WORKLOADS.keys()].join(", ");
    throw new PlanError(
      `plan: field workloads.${i}.name is ${show(name)}; it must be one of ${known}, or come with a module`,
    );
  }
  try {
    parseMachineOptions(plan.machine, "simulation");
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new PlanError(`plan: machine: ${error.message}`);
  }
  return plan;
};

const fromText = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PlanError(`plan: it is no JSON document: ${(error as Error).message}`);
  }
};

/** Another schema or version makes every other complaint pointless. */
const checkOrigin = (value: unknown): void => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PlanError(`plan: it is ${show(value)}; it must be an object`);
  }
  const { schema: made, version } = value as { schema?: unknown; version?: unknown };
  if (made !== PLAN_SCHEMA) {
    throw new PlanError(`plan: schema is ${show(made)}; it must be ${show(PLAN_SCHEMA)}`);
  }
  if (version !== VERSION) {
    throw new PlanError(
      `plan: version is ${show(version)}: it was made by another version of normacube than this one, ` +
        `${VERSION}, which would not run it in the same way`,
    );
  }
};
