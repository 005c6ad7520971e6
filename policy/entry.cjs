// When Pulumi loads a policy pack in TypeScript, Pulumi always checks types, even with
// PULUMI_NODEJS_TRANSPILE_ONLY. The type check takes seconds. So this file loads the pack with tsx,
// which only removes the types. `npm run check` checks the types.
require("tsx/cjs");
module.exports = require("./index.ts");
