// Jest's environment for Node, in a context with a global object of its own kind. In Jest's each `Math` or `Atomics` is looked up
// through a JavaScript proxy, at 100 ns instead of nothing: code made of them, such as all of src/hardware, runs many times
// slower in it, and random tests find as many times less.

const vm = require("node:vm");
const { TestEnvironment } = require("jest-environment-node");

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
  }
};
