// Tests run as compiled JavaScript: worker threads do not go through jest's transforms, so there are none.

/** Tests with threads of their own: two files side by side would fight for the cores. */
const WITH_THREADS =
  "machine/|cli/(?!sim-)|bench/|examples/|conformance/|stress/run-plan|support/|hardware/threads";

const common = {
  roots: ["<rootDir>/dist/test"],
  testEnvironment: "<rootDir>/scripts/jest-environment.cjs",
  transform: {},
};

export default {
  testTimeout: 60_000,
  maxWorkers: 2,
  // A process that has linked the modules of many files takes longer to end than jest waits for it.
  workerIdleMemoryLimit: "250MB",
  projects: [
    {
      ...common,
      displayName: "threads",
      testRegex: `/dist/test/(${WITH_THREADS}).*\\.test\\.js$`,
      runner: "<rootDir>/scripts/jest-serial-runner.cjs",
    },
    {
      ...common,
      displayName: "plain",
      testRegex: `/dist/test/(?!${WITH_THREADS}).*\\.test\\.js$`,
    },
  ],
  reporters: ["default", "<rootDir>/scripts/jest-summary-reporter.mjs"],
};
