// A jest reporter that ends a run with one line that people and scripts can rely on:
//   tests: N passed, N failed            (and ", N skipped" if there are any)
// A test file that could not be run at all counts as one failed test. The line is printed as the process leaves, because
// jest's own summary follows every reporter that is configured.

export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : "";
    const line = `tests: ${results.numPassedTests} passed, ${failed} failed${tail}\n`;
    process.once("exit", () => process.stdout.write(line));
  }
}
