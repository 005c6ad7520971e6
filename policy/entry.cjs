// Pulumi's loader of policy packs checks types, whatever PULUMI_NODEJS_TRANSPILE_ONLY says, and takes
// seconds for it. tsx takes the types off; `npm run check` checks them.
require("tsx/cjs");
module.exports = require("./index.ts");
