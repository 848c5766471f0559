// Jest's own runner, but one file at a time: for tests that bring threads of their own.

const { default: TestRunner } = require("jest-runner");

module.exports = class SerialRunner extends TestRunner {
  isSerial = true;
};
