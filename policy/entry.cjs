// When Pulumi loads a policy pack in TypeScript, it always checks types, even with
// PULUMI_NODEJS_TRANSPILE_ONLY. This takes seconds. So this file makes Pulumi load the pack with
// tsx, which only removes the types. `npm run check` checks them.
require("tsx/cjs");
module.exports = require("./index.ts");
