// Pulumi's loader of policy packs always checks types, also with PULUMI_NODEJS_TRANSPILE_ONLY, and
// takes seconds for it. tsx removes the types; `npm run check` checks them.
require("tsx/cjs");
module.exports = require("./index.ts");
