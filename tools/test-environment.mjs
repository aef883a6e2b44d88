/**
 * Jest's environment of Node with an ordinary global object. Jest's own is a Proxy behind an interceptor, so that each
 * `Math`, `Number` or `Float64Array` of a test costs about a microsecond: simulations took 20 times as long in a test
 * as outside.
 */
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

export default class PlainGlobalEnvironment extends TestEnvironment {
  constructor(config, context) {
    const { createContext } = vm;
    // The environment asks for its context in its constructor and has no way to say which.
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
  }
}
