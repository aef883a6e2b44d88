/**
 * Refuses a Node.js that is too old. It uses old syntax and is imported before anything else, because an old Node.js
 * would stop at newer syntax with a SyntaxError.
 */
var MINIMUM = [20, 19];
var have = process.versions.node.split('.').map(Number);

if (have[0] < MINIMUM[0] || (have[0] === MINIMUM[0] && have[1] < MINIMUM[1])) {
  process.stderr.write(
    'error: swarmbench needs Node.js ' +
      MINIMUM.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      '\n' +
      '  in ' +
      process.execPath +
      '\n' +
      '  hint: install a newer Node.js, or put it first on the PATH\n',
  );
  process.exit(1);
}
