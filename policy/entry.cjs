// Pulumi's loader of policy packs always checks types, also with PULUMI_NODEJS_TRANSPILE_ONLY. The
// type check takes seconds. So tsx removes the types first, and `npm run check` checks the types.
require("tsx/cjs");
module.exports = require("./index.ts");
