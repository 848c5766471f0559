// Tests run as compiled JavaScript: worker threads do not go through jest's transforms, so there are none.

export default {
  roots: ["<rootDir>/dist"],
  testMatch: ["<rootDir>/dist/test/**/*.test.js"],
  testEnvironment: "node",
  transform: {},
  testTimeout: 60_000,
  // Tests of threads bring their own: two files side by side would fight for the cores.
  maxWorkers: 1,
  reporters: ["default", "<rootDir>/scripts/jest-summary-reporter.mjs"],
};
