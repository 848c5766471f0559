#!/usr/bin/env node
// The command line. Commands live one per file; this one only joins them and turns every way to
// end into an exit code (exit-code.ts).

import { Command, CommanderError } from "commander";
import { addBenchCommand } from "./bench-command.ts";
import {
  EXIT_BAD_USAGE,
  EXIT_CRASH,
  EXIT_GOOD,
  EXIT_NO_PROGRESS,
  type ExitCode,
  UsageError,
} from "./exit-code.ts";
import { addInfoCommand } from "./info-command.ts";
import { note } from "./output.ts";
import { addRunCommand } from "./run-command.ts";
import { addSimCommand } from "./sim-command.ts";
import { addStressCommand } from "./stress-command.ts";

async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT_GOOD;
  const finish = (ofCommand: ExitCode) => {
    code = ofCommand;
  };
  // Before the commands are added, because they inherit it: errors are thrown, not exited.
  const program = new Command("normacube").exitOverride();
  program.description("a NORMA multiprocessor in one Node.js process, with Mach IPC on every node");
  addBenchCommand(program, finish);
  addRunCommand(program, finish);
  addStressCommand(program, finish);
  addSimCommand(program, finish);
  addInfoCommand(program, finish);
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_GOOD : EXIT_BAD_USAGE;
    if (error instanceof UsageError) {
      note(`normacube: ${error.message}`);
      return EXIT_BAD_USAGE;
    }
    note(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT_CRASH;
  }
}

const code = await main(process.argv);
// After a failure threads may be left that would keep the process alive for ever.
if (code === EXIT_CRASH || code === EXIT_NO_PROGRESS) process.exit(code);
// Otherwise not process.exit(): a report that is still on its way into a pipe would be cut.
process.exitCode = code;
